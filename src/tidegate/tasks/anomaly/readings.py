"""Readings: the series that an anomaly detector learns from, and stretches of them as batches."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from tidegate.batch import Batch
from tidegate.data.series.times import read_times
from tidegate.data.tables.rows import check_column
from tidegate.errors import InputError, message
from tidegate.tasks.anomaly.scale import DAY, Scale
from tidegate.tasks.core.rows import Array

# Stretches in an epoch, at most: what a longer series adds comes in later epochs.
_STRETCHES = 1024
_EMPTY_CELL = "Leave the cell empty if the value is missing"


@dataclass(frozen=True)
class Readings:
    """Values of one or several variables, step by step.

    Attributes:
        values: `[T, D]` float64; NaN is missing.
        seconds: The time of each step, seconds since 1970, `[T]`, or None.
        names: What the variables are called.
        targets: Whether each step is known to be anomalous, `[T]` bool, or None.
    """

    values: Array
    seconds: Array | None
    names: tuple[str, ...]
    targets: Array | None = None

    def __len__(self) -> int:
        """Number of steps T."""
        return len(self.values)

    def normalised(self) -> Readings:
        """Return the readings as they are: they have no weights."""
        return self

    def part(self, begin: int, end: int) -> Readings:
        """Return the steps from `begin` to before `end`."""
        return replace(
            self,
            values=self.values[begin:end],
            seconds=None if self.seconds is None else self.seconds[begin:end],
            targets=None if self.targets is None else self.targets[begin:end],
        )

    def inputs(self, scale: Scale) -> Array:
        """Return what the net reads, `[T, inputs]` float32: values, moves, time of day.

        A missing value is read as the one before it.
        """
        filled = pd.DataFrame(self.values).ffill().bfill().to_numpy()
        scaled = scale.forward(filled)
        parts = [scaled, np.diff(scaled, axis=0, prepend=scaled[:1])]
        if self.seconds is not None:
            angle = 2 * np.pi * (self.seconds[:, None] % DAY) / DAY
            parts += [np.sin(angle), np.cos(angle)]
        return np.concatenate(parts, axis=1).astype(np.float32)


def read_readings(X: Any, y: Any, owner: str) -> Readings:
    """Check raw input.

    Args:
        X: Numbers `[T]` or `[T, D]`: a list, an array, a pandas Series or DataFrame, whose
            times, if it has any, are its index; or Readings.
        y: Whether each step is known to be anomalous, `[T]`, or None.
        owner: Who complains.

    Returns:
        The readings.

    Raises:
        InputError: If a value is no number or infinite, with its row; if all of a variable's are
            missing, or the lengths differ.

    Example:
        >>> read_readings([1.0, 2.0], None, "docs").values.shape
        (2, 1)
    """
    if isinstance(X, Readings):
        found = X
    else:
        seconds = None
        named: tuple[str, ...] = ()
        if isinstance(X, pd.Series | pd.DataFrame):
            if isinstance(X.index, pd.DatetimeIndex):
                naive = X.index.tz_localize(None).as_unit("us").asi8
                seconds = np.asarray(naive) / 1e6
            names: Sequence[Any] = list(X.columns) if isinstance(X, pd.DataFrame) else [X.name]
            named = tuple(str(name) for name in names if name is not None)
        values = _numbers(X, named, owner)
        width = values.shape[1]
        usual = ("value",) if width == 1 else tuple(f"value_{n + 1}" for n in range(width))
        found = Readings(values, seconds, named or usual)
    if y is not None:
        marks = np.asarray(y)
        if marks.shape != (len(found),) or not np.isin(marks, [0, 1]).all():
            rule = f"True or False for each of {len(found)} steps"
            raise InputError(message(owner, "y", rule, f"shape {list(marks.shape)}"))
        found = replace(found, targets=marks.astype(bool))
    return found


def readings_of_table(
    frame: pd.DataFrame, columns: Mapping[str, str], owner: str
) -> tuple[Readings, Any]:
    """Read values, times and known anomalies out of a table.

    Args:
        frame: The table, its rows in the order of time.
        columns: The column of each role: "value" may name several with commas between, and takes
            every column of numbers unless given; "time" and "anomaly" may be left out.
        owner: Who complains.

    Returns:
        The readings, and whether each step is known to be anomalous, or None.

    Raises:
        InputError: If a column is missing or holds what it should not, or times go backwards.
    """
    own = frame[[name for name in frame.columns if not str(name).startswith("\0")]]
    time = columns.get("time", "time" if "time" in own.columns else None)
    anomaly = columns.get("anomaly", "anomaly" if "anomaly" in own.columns else None)
    named = columns.get("value")
    if named is None:
        numbers = own.select_dtypes("number").columns
        names = [str(name) for name in numbers if name not in (time, anomaly)]
    else:
        names = [name.strip() for name in named.split(",")]
    for name in (*names, *filter(None, (time, anomaly))):
        check_column(name, own.columns, owner)
    if not names:
        raise InputError(message(owner, "value", "a column of numbers", "none"))
    rows = np.arange(1, len(own) + 1)
    values = _numbers(own[names], names, owner, first=1)
    seconds = None
    if time is not None:
        times = read_times(own[time], rows, owner)
        back = np.diff(times.instants) < 0
        if back.any():
            row = int(back.argmax()) + 2
            rule, got = "in order", f"{own[time].iloc[row - 1]!r} in row {row}, earlier than before"
            raise InputError(message(owner, "time", rule, got, "Sort the table by time"))
        seconds = times.instants / 1e6 if times.dated else None
    marks = None if anomaly is None else own[anomaly].to_numpy()
    return Readings(values, seconds, tuple(names)), marks


def _numbers(X: Any, names: Sequence[str], owner: str, first: int = 0) -> Array:
    """Check values: `[T, D]` float64. Rows are counted from `first` in messages."""
    try:
        values = np.array(X, dtype=np.float64)
    except (TypeError, ValueError):
        raise _no_number(X, names, owner, first) from None
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or not values.shape[1]:
        rule = "numbers of shape [T] or [T, D]"
        raise InputError(message(owner, "X", rule, f"shape {list(values.shape)}"))
    if np.isinf(values).any():
        row, column = (int(place[0]) for place in np.nonzero(np.isinf(values)))
        where = f"an infinity in row {row + first}" + (f" of {names[column]}" if names else "")
        raise InputError(message(owner, "X", "finite", where, _EMPTY_CELL))
    return values


def _no_number(X: Any, names: Sequence[str], owner: str, first: int) -> InputError:
    """Name the first cell that is no number."""
    table = X.to_numpy(object) if isinstance(X, pd.DataFrame | pd.Series) else X
    for row, cells in enumerate(table, first):
        whole = cells if isinstance(cells, list | tuple | np.ndarray) else [cells]
        for column, cell in enumerate(whole):
            try:
                float(np.nan if cell is None else cell)
            except (TypeError, ValueError):
                where = f"{cell!r:.40} in row {row}" + (f" of {names[column]}" if names else "")
                return InputError(message(owner, "X", "made of numbers", where, _EMPTY_CELL))
    return InputError(message(owner, "X", "numbers of shape [T] or [T, D]", "ragged rows"))


class Stretches:
    """Stretches of readings, served as batches; the rows are their first steps.

    Args:
        readings: The readings.
        scale: What their values are scaled by.
        offsets: How many steps ahead the targets lie, or back if below 0.
        length: Steps of a stretch, at most.
        skip: Steps of it that only lead up to the others.
        batch_size: Stretches of a training batch.
        seed: What the order of the training batches comes from.
    """

    def __init__(
        self,
        readings: Readings,
        scale: Scale,
        offsets: Sequence[int],
        *,
        length: int,
        skip: int,
        batch_size: int,
        seed: int,
    ) -> None:
        self.inputs = readings.inputs(scale)
        known = ~np.isnan(readings.values)
        scaled = scale.forward(np.where(known, readings.values, 0.0))
        targets = np.where(known, scaled, np.nan).astype(np.float32)
        count = len(targets)
        moved = pd.DataFrame(targets)
        self.targets = np.concatenate([moved.shift(-offset) for offset in offsets], axis=1)
        self.length, self.skip = min(length, count), skip
        self.batch_size, self.seed = batch_size, seed

    def __len__(self) -> int:
        """Number of stretches that can be cut."""
        return len(self.inputs) - self.length + 1

    def epoch(self, epoch: int) -> list[Array]:
        """Return the first steps of each training batch, from (seed, epoch) alone."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self))
        return _cut(order[:_STRETCHES], self.batch_size)

    def in_order(self) -> list[Array]:
        """Return first steps such that each step counts once: stretches overlap by `skip`."""
        stride = max(1, self.length - self.skip)
        return _cut(np.arange(0, max(1, len(self.inputs) - self.skip), stride), self.batch_size)

    def batch(self, rows: Array) -> Batch:
        """Build the batch of the stretches that begin at these steps."""
        steps = np.asarray(rows)[:, None] + np.arange(self.length)
        lengths = np.minimum(self.length, len(self.inputs) - np.asarray(rows))
        steps = np.minimum(steps, len(self.inputs) - 1)
        inside = (np.arange(self.length) < lengths[:, None])[:, :, None]
        return Batch(
            torch.from_numpy(self.inputs[steps] * inside),
            torch.from_numpy(lengths.astype(np.int64)),
            torch.from_numpy(self.targets[steps]),
        )

    def fingerprint(self) -> str:
        """Return a text that differs when the readings do."""
        digest = hashlib.sha256(np.ascontiguousarray(self.inputs).tobytes())
        digest.update(np.ascontiguousarray(self.targets).tobytes())
        return digest.hexdigest()[:32]


def _cut(rows: Array, size: int) -> list[Array]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]

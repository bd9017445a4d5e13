"""Sequences of numbers as they are given: arrays, lists of arrays, long tables; all checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.names import ColumnNames, check_characters, places
from tidegate.data.numbers import as_floats
from tidegate.errors import InputError, message

_AXES = "of shape [rows, steps] or [rows, steps, channels], or a list of [steps, channels]"


def read_sequences(
    X: Any, owner: str = "read_sequences", *, channels: int | None = None
) -> list[Array]:
    """Read sequences of numbers, of equal length or not; NaN and None are missing values.

    Axis letters: N sequences, T steps, C channels.

    Args:
        X: `[N, T, C]`, or `[N, T]` for one channel, or a list of `[T, C]` or `[T]` arrays, lists,
            tensors or DataFrames. Steps at the end of a row of an array that miss every channel
            are padding, and left out.
        owner: Who complains.
        channels: C of a fit, if there was one; else `[N, T, C]` must have no more channels than
            steps, for then it may well be `[N, C, T]`.

    Returns:
        N arrays `[T, C]` of floats; views where the input allows it.

    Raises:
        InputError: If a value is no number or infinite, a sequence has no step or nothing but
            missing values, or the channels differ; the message names the row.

    Example:
        >>> [row.shape for row in read_sequences([[1, 2, 3], [4, 5]])]
        [(3, 1), (2, 1)]
    """
    rows = _rows(X, owner, channels)
    width = rows[0].shape[1] if rows else 0
    for number, row in enumerate(rows):
        if row.shape[1] != width:
            rule, got = f"sequences of {width} channels, as row 1 is", row.shape[1]
            turned = len({len(each) for each in rows}) == 1
            remedy = "If its rows are channels, transpose each: [row.T for row in X]"
            got = f"{got} in row {number + 1}"
            raise InputError(message(owner, "X", rule, got, remedy if turned else ""))
        _check_values(row, number, owner)
    return rows


def _rows(X: Any, owner: str, channels: int | None) -> list[Array]:
    if isinstance(X, str | bytes | Mapping) or not hasattr(X, "__len__"):
        remedy = "Wrap a single sequence: [sequence]"
        raise InputError(message(owner, "X", _AXES, type(X).__name__, remedy))
    column = str(getattr(X, "dtype", "")) == "object"
    whole = as_floats(X) if hasattr(X, "ndim") and not column else None
    if whole is None:  # a list, or a column of a table
        items = X.tolist() if isinstance(X, np.ndarray) else list(X)
        return [_row(item, number, owner) for number, item in enumerate(items)]
    if whole.ndim not in (2, 3) or 0 in whole.shape[1:]:
        got = f"shape {list(whole.shape)}"
        remedy = "Wrap a single sequence: [sequence]" if whole.ndim == 1 else ""
        raise InputError(message(owner, "X", _AXES, got, remedy))
    if whole.ndim == 3:
        _check_axes(whole.shape, channels, owner)
    cube = whole if whole.ndim == 3 else whole[:, :, None]
    gone: Array = np.all(np.isnan(cube), axis=2)
    ends = np.where(gone.all(axis=1), cube.shape[1], cube.shape[1] - gone[:, ::-1].argmin(1))
    return [row[:end] for row, end in zip(cube, ends, strict=True)]


def _check_axes(shape: Sequence[int], channels: int | None, owner: str) -> None:
    """Refuse an array whose last two axes seem to have changed places."""
    _, steps, width = shape
    if width <= steps if channels is None else width == channels or steps != channels:
        return
    rule = "[rows, steps, channels]"
    got = f"{list(shape)}: {steps} steps of {width} channels"
    remedy = "If they are channels and steps, pass X.swapaxes(1, 2)"
    if channels is None:
        remedy += "; if they are not, pass list(X)"
    raise InputError(message(owner, "X", rule, got, remedy))


def _row(item: Any, number: int, owner: str) -> Array:
    """Read one sequence as `[T, C]`."""
    found = None if isinstance(item, str | bytes | Mapping) else as_floats(item)
    if found is None or found.ndim not in (1, 2):
        rule = "sequences of numbers, [steps] or [steps, channels]"
        got = f"{type(item).__name__} ({str(item)!r:.40}) in row {number + 1}"
        raise InputError(message(owner, "X", rule, got, "Convert it, or drop the row"))
    if 0 in found.shape:
        rule = "sequences of at least one step"
        raise InputError(message(owner, "X", rule, f"none in row {number + 1}", "Drop the row"))
    return found if found.ndim == 2 else found[:, None]


def _check_values(row: Array, number: int, owner: str) -> None:
    infinite = np.isinf(row)
    if infinite.any():
        step, channel = np.argwhere(infinite)[0]
        place = f"row {number + 1}, step {step + 1}, channel {channel + 1}"
        got = f"{row[step, channel]} in {place}"
        remedy = "Correct it, or make it missing (NaN)"
        raise InputError(message(owner, "X", "finite", got, remedy))
    if np.isnan(row).all():
        rule, got = "sequences with some value", f"only missing values in row {number + 1}"
        raise InputError(message(owner, "X", rule, got, "Drop the row"))


def channel_names(rows: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the names of the channels, if every sequence is a DataFrame with the same columns.

    Example:
        >>> channel_names([pd.DataFrame({"speed": [1.0], "load": [0.5]})])
        ('speed', 'load')
    """
    names = {tuple(map(str, getattr(row, "columns", ()))) for row in rows}
    found = names.pop() if len(names) == 1 else ()
    check_characters(found, "channels")
    return found or None


def step_names(rows: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the names of the steps, if every sequence is a row of a table, as `table_rows` gives.

    Example:
        >>> step_names(table_rows(pd.DataFrame({"t0": [1.0, 3.0], "t1": [2.0, float("nan")]})))
        ('t0', 't1')
    """
    named = [_labels(row) for row in rows if isinstance(row, pd.Series)]
    if not named or len(named) < len(rows) or not all(labels and labels.named for labels in named):
        return None
    return max((labels.names for labels in named if labels), key=len)


def of_table(table: pd.DataFrame, learned: Sequence[str] | None, owner: str) -> Any:
    """Read a table with a sequence a row, its steps side by side.

    Args:
        table: Numbers; the names of its columns are those of the steps.
        learned: The steps of a fit: they alone are read, in its order; None reads all.
        owner: Who complains.

    Returns:
        Rows as of `table_rows`, or an array `[rows, steps]` where the columns have no names.

    Raises:
        InputError: If a column is not one of numbers, or a step is not there.
    """
    names = ColumnNames.of(table.columns)
    if names.named and learned is not None:
        steps = ColumnNames(tuple(learned))
        table = table.iloc[:, places(names, steps, owner, kind="steps")]
    for place, name in enumerate(table.columns):
        if as_floats(table.iloc[:, place]) is None:
            remedy = "Leave it out, or pass a list of [steps, channels]"
            raise InputError(
                message(owner, "X", "a table of numbers", f"others in {name!r}", remedy)
            )
    numbers = as_floats(table)
    if not names.named or numbers is None or 0 in numbers.shape:
        return table if numbers is None else numbers
    return table_rows(pd.DataFrame(numbers, columns=list(map(str, table.columns))))


def table_rows(table: pd.DataFrame) -> list[pd.Series[float]]:
    """Take each row of a table of numbers as a sequence of one channel, whose steps have names.

    Steps that are missing at the end of a row are padding, and left out.
    """
    rows = table.to_numpy()
    gone = np.isnan(rows)
    last = np.where(gone.all(axis=1), rows.shape[1], rows.shape[1] - gone[:, ::-1].argmin(1))
    names = table.columns
    whole = len(names)
    return [
        pd.Series(row[:end], names if end == whole else names[:end])
        for row, end in zip(rows, last, strict=True)
    ]


def in_order(X: Any, learned: Sequence[str] | None, owner: str) -> Any:
    """Put the columns of DataFrames, or the named steps of rows, into the order of a fit.

    Args:
        X: Sequences.
        learned: The channels or steps of the fit; None takes the order of the first sequence.
        owner: Who complains.

    Returns:
        X, DataFrames with these columns alone; sequences without names as they are.

    Raises:
        InputError: If a DataFrame lacks a channel, or a row a step.
    """
    if hasattr(X, "ndim") or not hasattr(X, "__len__") or isinstance(X, str):
        return X
    labels = [_labels(row) for row in X]
    named = [found for found in labels if found is not None and found.named]
    if not named:
        return X
    wanted = ColumnNames(tuple(learned) if learned else max(named, key=_length).names)
    return [_arranged(row, found, wanted, owner, number)
            for number, (row, found) in enumerate(zip(X, labels, strict=True))]  # fmt: skip


def _length(found: ColumnNames) -> int:
    return len(found.names)


def _labels(row: Any) -> ColumnNames | None:
    """The channels of a DataFrame, or the steps of a row of a table; None where there are none."""
    if isinstance(row, pd.DataFrame):
        return ColumnNames.of(row.columns)
    if isinstance(row, pd.Series) and len(row) and row.index.inferred_type == "string":
        return ColumnNames(tuple(row.index))
    return None


def _arranged(
    row: Any, found: ColumnNames | None, wanted: ColumnNames, owner: str, number: int
) -> Any:
    if found is None or not found.named:
        return row
    if isinstance(row, pd.Series):
        if found.names == wanted.names[: len(found.names)]:
            return row  # steps at its end may be left out
        at = places(found, wanted, owner, kind="steps", where=f" in row {number + 1}")
        return table_rows(row.iloc[at].to_frame().T)[0]
    if found.names == wanted.names:
        return row
    return row.iloc[:, places(found, wanted, owner, kind="channels", where=f" in row {number + 1}")]

"""AnomalyEncoder: a series to what the detector's net reads, and what it is to say of each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import torch

from tidegate.batch import Batch
from tidegate.data.batching import Array
from tidegate.data.codec import Field, Fields, damaged, read_fields
from tidegate.data.fingerprint import fingerprint
from tidegate.data.names import ColumnNames, named
from tidegate.data.scaling import LogScaling
from tidegate.data.schema import Numbers, array
from tidegate.data.series.clock import Clock
from tidegate.data.series.panel import Panel
from tidegate.data.series.saved import CLOCK, read_clock, saved_clock
from tidegate.data.windows.missing import fill
from tidegate.errors import InputError, message
from tidegate.files import FoundJson
from tidegate.tasks.anomaly.streaming.steps import DAY

SCALE_FILE = "scale.json"

# What the file calls the parts of the scaling.
_NAMES = {"center": "centre", "spread": "scale", "constant": "constant"}
_FIELDS: Fields = {
    "center": Numbers(1),
    "spread": Numbers(1, minimum=1e-300),
    "constant": Numbers(1, bool, maximum=None),
    "names": Field(str, many=True),
    "named": Field(bool, optional=True),
    "clocked": Field(bool),
    "clock": CLOCK,
}


@dataclass(frozen=True, eq=False)
class EncodedSteps:
    """The steps of a series as inputs and targets; windows are cut out of them.

    Axis letters: T steps, B windows, K offsets, D variables.

    Attributes:
        panel: The series.
        inputs: `[T, inputs]` float32.
        targets: `[T, K D]` float32, the scaled values at each offset from each step, those of the
            first offset first; NaN where nobody knows them.
        lookback: Steps of a window.
    """

    panel: Panel
    inputs: Array
    targets: Array
    lookback: int

    @property
    def history(self) -> int:
        """Steps that come before a window's end: the window."""
        return self.lookback

    def known(self) -> None:
        """Every window counts: values are missing in what is watched, too."""

    def batch(self, series: Array, origins: Array, horizon: int, *, targets: bool) -> Batch:
        """Cut out the windows that end before `origins`; what is beyond the series' end is padded.

        Args:
            series: The series of each window: there is one.
            origins: The step after each window, `[B]`.
            horizon: Left out: each step has its own targets.
            targets: Whether they are wanted.
        """
        begin = origins - self.lookback
        lengths = np.minimum(self.lookback, len(self.inputs) - begin)
        within = np.arange(self.lookback)
        steps = np.minimum(begin[:, None] + within, len(self.inputs) - 1)
        inside = (within < lengths[:, None])[:, :, None]
        return Batch(
            torch.from_numpy(self.inputs[steps] * inside),
            torch.from_numpy(lengths.astype(np.int64)),
            torch.from_numpy(self.targets[steps]) if targets else None,
        )

    def fingerprint(self) -> str:
        """Return a text that differs when inputs or targets do."""
        return fingerprint(self.inputs, self.targets)


@dataclass(frozen=True, eq=False)
class AnomalyEncoder:
    """What has to be learned of a series before a net can read its steps.

    Attributes:
        names: What the D variables are called.
        clocked: Whether the net reads the time of day.
        scaling: What values are scaled by.
        clock: What times are read by; None without times, and in models of versions that kept
            none, which read every time as it is written.
        named: Whether the data called them so; else they are told apart by position.

    Example:
        >>> encoder = AnomalyEncoder.learn(["heat"], np.arange(9.0)[:, None], clocked=False)
        >>> encoder.size
        2
    """

    files: ClassVar[tuple[str, ...]] = (SCALE_FILE,)

    names: tuple[str, ...]
    clocked: bool
    scaling: LogScaling
    named: bool = True
    clock: Clock | None = None

    @classmethod
    def learn(
        cls,
        names: Sequence[str],
        values: Array,
        *,
        clocked: bool,
        clock: Clock | None = None,
        own: bool | None = None,
    ) -> AnomalyEncoder:
        """Learn from values `[T, D]`, NaN where missing; `own` names are the data's."""
        called = tuple(names)
        return cls(called, clocked, LogScaling.learn(values), named(called, own), clock)

    @property
    def columns(self) -> ColumnNames:
        """The names, and whether the data gave them."""
        return ColumnNames(self.names, self.named)

    @property
    def size(self) -> int:
        """Numbers that the net reads in a step: values, moves and the time of day."""
        return 2 * len(self.names) + 2 * self.clocked

    def inputs(self, panel: Panel) -> Array:
        """Return what the net reads, `[T, size]` float32: values, moves, time of day.

        A missing value is read as the one before it.
        """
        scaled = fill(self.scaling.forward(panel.values)[None], "mask")[0][0]
        parts = [scaled, np.diff(scaled, axis=0, prepend=scaled[:1])]
        if self.clocked:
            angle = 2 * np.pi * (seconds_of(panel)[:, None] % DAY) / DAY
            parts += [np.sin(angle), np.cos(angle)]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def encode(self, panel: Panel, offsets: Sequence[int], lookback: int) -> EncodedSteps:
        """Prepare a series for windows to be cut out of it.

        Args:
            panel: The series.
            offsets: How many steps ahead of each step its targets lie, or back if below 0.
            lookback: Steps of a window; a shorter series is a window.
        """
        scaled = pd.DataFrame(self.scaling.forward(panel.values).astype(np.float32))
        targets = np.concatenate([scaled.shift(-offset) for offset in offsets], axis=1)
        return EncodedSteps(panel, self.inputs(panel), targets, min(lookback, len(scaled)))

    def check(self, panel: Panel, owner: str) -> None:
        """Refuse a series without the times that were learned with.

        Args:
            panel: The series.
            owner: Who complains.

        Raises:
            InputError: If it lacks the times.
        """
        if self.clocked and not panel.dated:
            rule = "with times, as in `fit`"
            raise InputError(message(owner, "X", rule, "values alone", "Index it by its times"))

    def to_files(self) -> dict[str, object]:
        """Return everything as JSON documents by file name."""
        scaling = {told: getattr(self.scaling, name).tolist() for told, name in _NAMES.items()}
        told = {"names": list(self.names), "clocked": self.clocked, **self.columns.to_json()}
        if self.clock is not None:
            told["clock"] = saved_clock(self.clock)
        return {SCALE_FILE: scaling | told}

    @classmethod
    def from_files(cls, files: FoundJson) -> AnomalyEncoder:
        """Take back what `to_files` gave, trusting nothing in it.

        Raises:
            ArtifactError: If something is not there, or does not fit.
        """
        found = read_fields(files, SCALE_FILE, _FIELDS, absent={"named": None, "clock": None})
        names = tuple(found["names"])
        shape = (len(names),)
        centre, scale, constant = (array(found[n], shape, SCALE_FILE, n) for n in _NAMES)
        if not names:
            raise damaged(SCALE_FILE, "names", "those of the variables", "none")
        scaling = LogScaling(centre.astype(float), scale.astype(float), constant.astype(bool))
        clock = None if found["clock"] is None else read_clock(found["clock"], SCALE_FILE)
        return cls(names, found["clocked"], scaling, named(names, found["named"]), clock)


def check_learnable(panel: Panel, fewest: int, owner: str) -> None:
    """Refuse a series that nothing can be learned from.

    Args:
        panel: The series.
        fewest: Steps that it must have.
        owner: Who complains.

    Raises:
        InputError: If it is too short, or a variable of it is missing everywhere.
    """
    steps = len(panel.values)
    if steps < fewest:
        rule = f"at least lookback + horizon = {fewest} values"
        raise InputError(message(owner, "X", rule, steps))
    check_known(panel, owner, "values of each variable")


def check_known(panel: Panel, owner: str, rule: str, *, each: bool = True) -> None:
    """Refuse a series without a value.

    Args:
        panel: The series.
        owner: Who complains.
        rule: What it must be.
        each: Whether each variable must have one, or any of them.

    Raises:
        InputError: If it has none; it names the first variable.
    """
    empty = np.isnan(panel.values).all(axis=0)
    if empty.any() if each else empty.all():
        got = f"only missing ones of {panel.targets[int(empty.argmax())]}"
        raise InputError(message(owner, "X", rule, got))


def seconds_of(panel: Panel) -> Array:
    """The time of each step of a series with dates: seconds since 1970 by its own clock, `[T]`."""
    index = panel.times(0, 0, int(panel.lengths[0]))
    assert isinstance(index, pd.DatetimeIndex)
    seconds: Array = np.asarray(index.tz_localize(None).as_unit("us").asi8) / 1e6
    return seconds

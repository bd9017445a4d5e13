"""Panel: one or many series on one clock, checked, gaps filled with missing values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.codec import Field, Fields, damaged, read_fields
from tidegate.data.names import ColumnNames, check_characters, places, usual_names
from tidegate.data.schema import Each, Labels, Numbers, array
from tidegate.data.series.clock import Clock, TimeAxis
from tidegate.data.series.saved import check_span
from tidegate.data.series.values import as_columns
from tidegate.errors import InputError, message
from tidegate.files import FoundJson
from tidegate.terminal import cell

RECENT_FILE = "recent.json"
"""Where a saved model keeps the last steps of its series."""
_FIELDS: Fields = {
    "values": Numbers(2, maximum=1e300, missing=True),
    "offsets": Numbers(1, int, minimum=0),
    "starts": Numbers(1, int),
    "targets": Field(str, many=True),
    "past": Field(str, many=True),
    "known": Field(str, many=True),
    "names": Labels(optional=True),
    "ahead": Numbers(1, int, minimum=0),
    "static": Each(Labels(missing=True), by_name=True),
}


@dataclass(frozen=True, repr=False)
class Panel:
    """Series, one after the other, on one regular clock.

    Axis letters: N steps of all series, S series, C targets, P past-only and K known columns.

    Attributes:
        values: `[N, C + P + K]` float64: targets, past-only columns, known columns; NaN where a
            value is missing. It may be the user's own memory: nobody writes to it.
        offsets: Where each series begins in `values`, and the end, `[S + 1]` int64.
        starts: Position of the first step of each series on the clock, `[S]` int64.
        clock: The clock.
        targets: Names of the targets.
        past: Names of the columns that are known up to the present only.
        known: Names of the columns that are known of the future too.
        names: The identifier of each series, or None when they have none.
        ahead: Steps at the end of each series that lie in the future: their targets are unknown,
            their known columns are not, `[S]` int64.
        static: What never changes, by name: one number or text a series, None where it is missing.
        stamps: The time of each position, by the wall clock and without a zone, of values that
            were written down at any times: the clock says how these were read; None where the
            clock tells the times itself.
        named: Whether the columns are called so by the data, and not by their position alone.

    Example:
        >>> panel = Panel.from_arrays([[1.0, 2.0, 3.0], [5.0, 6.0]])
        >>> len(panel), panel.lengths.tolist()
        (2, [3, 2])
    """

    values: Array
    offsets: Array
    starts: Array
    clock: Clock
    targets: tuple[str, ...] = ("value",)
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    names: tuple[Any, ...] | None = None
    ahead: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    static: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    stamps: pd.DatetimeIndex | None = None
    named: bool = True

    def __post_init__(self) -> None:
        check_characters([*self.targets, *self.past, *self.known, *self.static], "columns")
        check_characters([*(self.names or ()), *chain(*self.static.values())], "series")
        if not len(self.ahead):
            object.__setattr__(self, "ahead", np.zeros(len(self), np.int64))

    def __len__(self) -> int:
        """Number of series S."""
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        """Say what the series are; the numbers are in `values`."""
        columns = {"targets": self.targets, "known": self.known, "past": self.past}
        told = [f"{name} {cell(', '.join(found))}" for name, found in columns.items() if found]
        steps = f"{int(self.lengths.sum()):,} steps"
        steps += f" of {self.clock.name}" if self.stamps is None else ""
        missing = int(np.isnan(self.values[:, : len(self.targets)]).sum()) if len(self) else 0
        gaps = [f"{missing:,} values missing"] if missing else []
        return f"Panel({'; '.join([f'{len(self):,} series', steps, *told, *gaps])})"

    @property
    def lengths(self) -> Array:
        """Steps of each series whose targets can be known, `[S]`."""
        lengths: Array = np.diff(self.offsets) - self.ahead
        return lengths

    @property
    def ends(self) -> Array:
        """Position on the clock of the first step after each series, `[S]`."""
        ends: Array = self.starts + self.lengths
        return ends

    @classmethod
    def from_arrays(
        cls,
        series: Any,
        *,
        names: Sequence[Any] | None = None,
        targets: Sequence[str] | None = None,
        owner: str = "Panel",
    ) -> Panel:
        """Make a panel of arrays, whose steps are counted from 0.

        Args:
            series: Arrays of numbers, `[T]` or `[T, C]` each, of one C.
            names: The identifier of each, or None.
            targets: What the C columns are called; by default "value", or "value_1" and so on.
            owner: Who complains.

        Returns:
            The panel.

        Raises:
            InputError: If an array is empty, of another shape, or holds what is no number.
        """
        arrays = [
            as_columns(array, owner, unit="step", where=[f" of series {number}"])
            for number, array in enumerate(series, 1)
        ]
        if not arrays:
            raise InputError(message(owner, "X", "one series or more", "none"))
        widths = {array.shape[1] for array in arrays}
        if len(widths) > 1:
            rule = "series of the same number of columns"
            raise InputError(message(owner, "X", rule, f"{sorted(widths)}"))
        if not all(map(len, arrays)):
            number = list(map(len, arrays)).index(0)
            rule = "made of series with a step or more"
            raise InputError(message(owner, "X", rule, f"none in series {number + 1}"))
        lengths = [len(array) for array in arrays]
        return cls(
            values=arrays[0] if len(arrays) == 1 else np.concatenate(arrays),
            offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
            starts=np.zeros(len(arrays), np.int64),
            clock=Clock(),
            targets=tuple(targets or usual_names(*widths)),
            named=targets is not None,
            names=None if names is None else tuple(names),
        )

    @property
    def columns(self) -> ColumnNames:
        """The names of all columns, those of the targets first."""
        return ColumnNames((*self.targets, *self.past, *self.known), self.named)

    def arranged(
        self,
        targets: tuple[str, ...],
        past: tuple[str, ...] = (),
        known: tuple[str, ...] = (),
        *,
        named: bool,
        owner: str,
        of: str = "`fit`",
    ) -> Panel:
        """Return the columns of a fit, in its order and for its purposes.

        Args:
            targets: Its targets.
            past: Its columns that are known up to the present only.
            known: Its columns that are known of the future too.
            named: Whether the data of the fit had names.
            owner: Who complains.
            of: Where the columns are from, for messages.

        Returns:
            The panel; further columns are left out.

        Raises:
            InputError: If one is not there.
        """
        learned = ColumnNames((*targets, *past, *known), named)
        at = places(self.columns, learned, owner, of=of)
        if (self.targets, self.past, self.known) == (targets, past, known):
            return self
        same = at == list(range(self.values.shape[1]))
        values = self.values if same else self.values[:, at]
        return replace(self, values=values, targets=targets, past=past, known=known, named=named)

    def series(self, number: int) -> Array:
        """Return the values of one series, `[T, C + P + K]`, the steps ahead left out."""
        begin = int(self.offsets[number])
        return self.values[begin : begin + int(self.lengths[number])]

    def take(self, numbers: Any) -> Panel:
        """Return the series of these numbers, in their order."""
        chosen = np.asarray(numbers, dtype=np.int64)
        whole = np.diff(self.offsets)[chosen]
        parts = [self.values[self.offsets[n] : self.offsets[n + 1]] for n in chosen]
        empty = np.zeros((0, self.values.shape[1]))
        return replace(
            self,
            values=np.concatenate([*parts, empty]),
            offsets=np.concatenate(([0], np.cumsum(whole))).astype(np.int64),
            starts=self.starts[chosen],
            names=None if self.names is None else tuple(self.names[n] for n in chosen),
            ahead=self.ahead[chosen],
            static={name: tuple(column[n] for n in chosen) for name, column in self.static.items()},
        )

    def cut(self, begin: Array, end: Array) -> Panel:
        """Return a part of each series; nothing is left of the steps ahead.

        Args:
            begin: First step of each series that is kept, counted from its start, `[S]`.
            end: The step after the last that is kept, `[S]`.
        """
        parts = [
            self.values[offset + first : offset + last]
            for offset, first, last in zip(self.offsets[:-1], begin, end, strict=True)
        ]
        lengths = np.array([len(part) for part in parts], np.int64)
        return replace(
            self,
            values=parts[0] if len(parts) == 1 else np.concatenate(parts),
            offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
            starts=self.starts + begin,
            ahead=np.zeros(len(self), np.int64),
        )

    def to_json(self) -> dict[str, object]:
        """Return everything but the clock and the stamps as JSON; a missing value is null."""
        cells = self.values.astype(object)
        values = np.where(np.isnan(self.values), None, cells).tolist()  # type: ignore[call-overload]
        return {
            "values": values,
            "offsets": self.offsets.tolist(),
            "starts": self.starts.tolist(),
            "targets": list(self.targets),
            "past": list(self.past),
            "known": list(self.known),
            "names": None if self.names is None else list(self.names),
            "ahead": self.ahead.tolist(),
            "static": {name: list(column) for name, column in self.static.items()},
        }

    @classmethod
    def from_json(cls, found: FoundJson, clock: Clock) -> Panel:
        """Read what `to_json` gave, trusting nothing in it.

        Args:
            found: The panel as JSON.
            clock: Its clock.

        Raises:
            ArtifactError: If something is not there, or does not fit together.
        """
        told = read_fields({RECENT_FILE: found}, RECENT_FILE, _FIELDS)
        targets, past, known = (tuple(told[role]) for role in ("targets", "past", "known"))
        shape = len(told["values"]), len(targets) + len(past) + len(known)
        values = array(told["values"], shape, RECENT_FILE, "values").astype(np.float64)
        series = len(told["starts"])
        offsets = array(told["offsets"], (series + 1,), RECENT_FILE, "offsets")
        starts, ahead = (
            array(told[n], (series,), RECENT_FILE, n).astype(np.int64) for n in ("starts", "ahead")
        )
        lengths = np.diff(offsets)
        fits = offsets[0] == 0 and offsets[-1] == len(values) and (lengths >= ahead).all()
        if not fits or not targets or not series:
            raise damaged(RECENT_FILE, "values", "a whole panel", "parts that do not fit")
        names = None if told["names"] is None else tuple(told["names"])
        static = {name: tuple(column) for name, column in told["static"].items()}
        rows = [len(names)] if names is not None else []
        if any(count != series for count in [*rows, *map(len, static.values())]):
            raise damaged(RECENT_FILE, "static", f"values of {series} series", "another number")
        check_span(clock, starts, lengths, RECENT_FILE)
        return cls(values, offsets, starts, clock, targets, past, known, names, ahead, static)

    @property
    def dated(self) -> bool:
        """Whether steps stand for dates."""
        return self.stamps is not None or self.clock.dated

    def times(self, number: int, first: int, count: int) -> TimeAxis:
        """Return the times of `count` steps of a series from step `first` on."""
        positions = self.starts[number] + np.arange(first, first + count)
        return self.clock.times(positions) if self.stamps is None else self.stamps[positions]

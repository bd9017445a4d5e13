"""SeriesEncoder: panels to scaled windows and forecasts back, fitted on the training span alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.codec import damaged
from tidegate.data.names import ColumnNames, named, numbers_of
from tidegate.data.scaling import METHODS, Scaling, rounding
from tidegate.data.series.calendar import calendar_names
from tidegate.data.series.clock import Clock
from tidegate.data.series.panel import RECENT_FILE, Panel
from tidegate.data.series.saved import read_clock, saved_clock
from tidegate.data.series.table import with_future
from tidegate.data.windows.encoded import EncodedSeries
from tidegate.data.windows.files import (
    OPTIONS_FILE,
    SCALES_FILE,
    numbers,
    read_options,
    read_scales,
    read_scaling,
)
from tidegate.data.windows.log_difference import LogDifference
from tidegate.data.windows.static import encode_static
from tidegate.errors import InputError, message, suggest
from tidegate.files import FoundJson


class SeriesEncoder:
    """What has to be learned of series before a network can read them.

    Axis letters: S series, C targets, P past-only and K known columns, E numbers of a series.

    Args:
        lookback: Steps of a window.
        scaling: "standard", "robust" or "none", see `Scaling.fit`.
        lag: Forecast differences over so many steps; 0 for none.
        log: Whether to take logarithms.
        calendar: Whether to add calendar features.
        missing: "mask" or "interpolate", see `missing.fill`.

    Attributes:
        clock: The clock of the training series.
        targets, past, known: The columns, as in a `Panel`.
        named: Whether the data called them so; else they are told apart by position.
        shift: What is taken off the targets of each series, `[S, C]`.
        scale: What they are divided by, `[S, C]`.
        spread: The standard deviation of the targets as they are, `[S, C]`.
        absent: How many values of the targets were missing in training.

    Example:
        >>> panel = Panel.from_arrays([np.arange(20.0)])
        >>> encoder = SeriesEncoder(lookback=5).fit(panel, np.array([10]))
        >>> float(encoder.shift[0, 0])  # the mean of 0 to 9
        4.5
    """

    files: ClassVar[tuple[str, ...]] = (OPTIONS_FILE, SCALES_FILE)

    clock: Clock
    targets: tuple[str, ...]
    past: tuple[str, ...]
    known: tuple[str, ...]
    static: tuple[str, ...]
    named: bool
    names: tuple[Any, ...] | None
    change: LogDifference
    shift: Array
    scale: Array
    spread: Array
    absent: int

    def __init__(
        self,
        *,
        lookback: int,
        scaling: str = "standard",
        lag: int = 0,
        log: bool = False,
        calendar: bool = False,
        missing: str = "mask",
    ) -> None:
        if scaling not in METHODS:
            rule = "one of " + ", ".join(METHODS)
            raise InputError(message("SeriesEncoder", "scaling", rule, repr(scaling)))
        self.lookback, self.scaling, self.lag = lookback, scaling, lag
        self.log, self.calendar, self.missing = log, calendar, missing

    @property
    def history(self) -> int:
        """Steps that have to come before a forecast: the lookback, and what differences take."""
        return self.lookback + self.lag

    @property
    def masked(self) -> bool:
        """Whether masks are inputs: they are where something was missing in training."""
        return self.missing == "mask" and self.absent > 0

    @property
    def calendar_names(self) -> tuple[str, ...]:
        """The calendar features that are inputs."""
        return calendar_names(self.clock) if self.calendar else ()

    @property
    def sizes(self) -> dict[str, int]:
        """What the network has to read: `features`, `targets`, `known` and `static`."""
        known = len(self.known) + len(self.calendar_names)
        masks = len(self.targets) if self.masked else 0
        features = len(self.targets) + known + len(self.past) + masks
        static = sum(1 if texts is None else len(texts) for texts in self._categories)
        return {
            "features": features,
            "targets": len(self.targets),
            "known": known,
            "static": static,
        }

    def fit(self, panel: Panel, until: Array) -> SeriesEncoder:
        """Learn from the steps before `until` in each series, and from nothing else.

        Args:
            panel: The series.
            until: Steps of each series that may be looked at, `[S]`; 0 for none.

        Returns:
            The encoder itself.

        Raises:
            InputError: If nothing in the targets ever changes, or all is missing.
        """
        self.clock, self.names = panel.clock, panel.names
        self.targets, self.past, self.known = panel.targets, panel.past, panel.known
        self.static, self.named = tuple(panel.static), panel.named
        width = len(self.targets)
        # One series at a time: a copy of them all would take their size again.
        spans = [panel.series(n)[:end] for n, end in enumerate(until)]
        self._check_alive(spans, width)
        smallest = np.array([_smallest(span[:, :width]) for span in spans]).min(axis=0)[None]
        self.change = LogDifference.fit(smallest, log=self.log, lag=self.lag)
        self.change.check(panel, "Forecaster")
        found = [self._measure(span[:, :width]) for span in spans]
        self.shift, self.scale, self.spread = map(np.array, zip(*found, strict=True))
        self.absent = sum(int(np.isnan(span[:, :width]).sum()) for span in spans)
        self._fit_others(spans, width)
        self._fit_static(panel, until)
        return self

    def encode(self, panel: Panel, until: Array | None = None) -> EncodedSeries:
        """Prepare series for windows to be cut from them.

        Args:
            panel: Series with the columns of training, on the same clock.
            until: Steps that may be looked at of a series that training had not, to find its own
                size, `[S]`; all by default.

        Returns:
            The series, with the scales of training where they are the same series.

        Raises:
            InputError: If the columns or the frequency differ from those of training.
        """
        self._check_same(panel)
        self.change.check(panel, "Forecaster")
        limit = panel.lengths if until is None else until
        shift, scale, spread = self._scales(panel, limit)
        static = None
        if self.static:
            columns = [panel.static[name] for name in self.static]
            found = self._statics.forward(encode_static(columns, self._categories))
            static = np.nan_to_num(found, nan=0.0)  # what is missing is the mean
        return EncodedSeries(
            panel=panel,
            change=self.change,
            lookback=self.lookback,
            missing=self.missing,
            masked=self.masked,
            calendar=self.calendar,
            shift=shift,
            scale=scale,
            spread=spread,
            others=self._others,
            static=static,
        )

    @property
    def columns(self) -> ColumnNames:
        """The names of all columns, those of the targets first."""
        return ColumnNames((*self.targets, *self.past, *self.known), self.named)

    def arranged(self, panel: Panel, owner: str) -> Panel:
        """Return the columns of training, each where it was; further ones are left out.

        Args:
            panel: Series with at least these columns, for whatever purpose.
            owner: Who complains.

        Raises:
            InputError: If one is not there.
        """
        found = panel.arranged(self.targets, self.past, self.known, named=self.named, owner=owner)
        return found if panel.known == self.known else with_future(found)

    def numbers(self, panel: Panel) -> list[int | None]:
        """Say which training series each series is; None for one that training had not.

        Series are told apart by their names. Without names they are those of training, in their
        order, if they are as many; else they are taken for new ones.
        """
        if self.names is None or panel.names is None:
            same = self.names is panel.names and len(panel) == len(self.shift)
            return [*range(len(panel))] if same else [None] * len(panel)
        return numbers_of(panel.names, self.names)

    def _measure(self, values: Array) -> tuple[Array, Array, Array]:
        """Shift and scale of changed values, and the deviation of values as they are."""
        grain = rounding(self.change.logged(values))  # differences cannot be more exact
        found = _measured(self.change.forward(values), self.scaling, grain)
        return found.centre, found.scale, _measured(values, "standard").scale

    def _scales(self, panel: Panel, until: Array) -> tuple[Array, Array, Array]:
        found = [
            self._measure(panel.series(row)[: until[row], : len(self.targets)])
            if number is None
            else (self.shift[number], self.scale[number], self.spread[number])
            for row, number in enumerate(self.numbers(panel))
        ]
        shift, scale, spread = map(np.array, zip(*found, strict=True))
        return shift, scale, spread

    def _check_alive(self, spans: Sequence[Array], width: int) -> None:
        """Refuse targets that are all missing or never change."""
        kept = [span[:, :width] for span in spans if np.isfinite(span[:, :width]).any()]
        if not kept:
            rule, got = "known in some steps before the validation span", "only missing values"
            raise InputError(message("Forecaster", "target", rule, got))
        if all(np.nanmax(span) == np.nanmin(span) for span in kept):
            got = f"{np.nanmax(kept[0]):g} in every row"
            raise InputError(message("Forecaster", "target", "something that changes", got))

    def _fit_others(self, spans: Sequence[Array], width: int) -> None:
        """Known and past columns are scaled the same in all series: they may mean the same."""
        joined = np.concatenate([span[:, width:] for span in spans])
        self._others = _measured(joined, "standard")

    def _fit_static(self, panel: Panel, until: Array) -> None:
        seen = [n for n, end in enumerate(until) if end]
        columns = [[panel.static[name][n] for n in seen] for name in self.static]
        self._categories: list[list[str] | None] = [
            None if all(cell is None or isinstance(cell, int | float) for cell in column)
            else sorted({str(cell) for cell in column if cell is not None})
            for column in columns
        ]  # fmt: skip
        found = encode_static(columns, self._categories) if columns else np.zeros((0, 0))
        self._statics = _measured(found, "standard")

    def _check_same(self, panel: Panel) -> None:
        """Refuse other columns or another frequency than those of training."""
        for role in ("targets", "past", "known"):
            if getattr(panel, role) != getattr(self, role):
                rule = f"as in training, {', '.join(getattr(self, role)) or 'none'}"
                got = ", ".join(getattr(panel, role)) or "none"
                raise InputError(message("Forecaster", role, rule, got))
        if missing := [name for name in self.static if name not in panel.static]:
            rule = f"as in training, {', '.join(self.static)}"
            remedy = suggest(missing[0], panel.static) if panel.static else ""
            raise InputError(message("Forecaster", "static", rule, f"no {missing[0]!r}", remedy))
        if (panel.clock.kind, panel.clock.step) != (self.clock.kind, self.clock.step):
            rule = f"at the frequency of training, {self.clock.name}"
            raise InputError(message("Forecaster", "time", rule, panel.clock.name))

    def check_own(self, panel: Panel, lookback: int) -> None:
        """Refuse the last steps that a model kept, and windows, of another model than this one.

        Args:
            panel: What the model kept.
            lookback: What its settings say.

        Raises:
            ArtifactError: If they are.
        """
        if lookback != self.lookback:
            raise damaged(OPTIONS_FILE, "lookback", f"{lookback} as in config.json", self.lookback)
        same = all(getattr(panel, r) == getattr(self, r) for r in ("targets", "past", "known"))
        if not same or not set(self.static) <= set(panel.static):
            rule = "the columns of series.json"
            raise damaged(RECENT_FILE, "targets", rule, "others")

    def to_files(self) -> dict[str, object]:
        """Return what was learned as JSON documents by file name."""
        options = {
            "lookback": self.lookback,
            "scaling": self.scaling,
            "lag": self.lag,
            "log": self.log,
            "calendar": self.calendar,
            "missing": self.missing,
            "absent": self.absent,
            "clock": saved_clock(self.clock),
            "targets": self.targets,
            "past": self.past,
            "known": self.known,
            "static": self.static,
            "categories": self._categories,
            **ColumnNames(self.targets, self.named).to_json(),
        }
        scales = {
            "names": None if self.names is None else list(self.names),
            "shift": self.shift.tolist(),
            "scale": self.scale.tolist(),
            "spread": self.spread.tolist(),
            "offset": self.change.offset.tolist(),
            **(
                {"floor": self.change.floor.tolist()}
                if self.change.floor.any() and self.log
                else {}
            ),
            "others": [self._others.centre.tolist(), self._others.scale.tolist()],
            "statics": [self._statics.centre.tolist(), self._statics.scale.tolist()],
        }
        return {OPTIONS_FILE: options, SCALES_FILE: scales}

    @classmethod
    def from_files(cls, files: FoundJson) -> SeriesEncoder:
        """Build an encoder from what `to_files` gave, trusting nothing in it.

        Args:
            files: The documents by file name.

        Raises:
            ArtifactError: If something is not there, or does not fit together.
        """
        options = read_options(files)
        scales = read_scales(files)
        names = ("lookback", "scaling", "lag", "log", "calendar", "missing")
        found = cls(**{name: options[name] for name in names})
        found.clock = read_clock(options["clock"], OPTIONS_FILE)
        for role in ("targets", "past", "known", "static"):
            setattr(found, role, tuple(options[role]))
        found.named = named(found.targets, options["named"])
        found.absent, found._categories = options["absent"], options["categories"]
        found.names = None if scales["names"] is None else tuple(scales["names"])
        width = len(found.targets)
        count = len(scales["shift"])
        for name in ("shift", "scale", "spread"):
            setattr(found, name, numbers(scales[name], (count, width), name))
        offset = numbers(scales["offset"], (width,), "offset")
        floor = None if scales["floor"] is None else numbers(scales["floor"], (width,), "floor")
        found.change = LogDifference(log=found.log, lag=found.lag, offset=offset, floor=floor)
        others = len(found.past) + len(found.known)
        found._others = read_scaling(scales["others"], others, "others")
        found._statics = read_scaling(scales["statics"], found.sizes["static"], "statics")
        if found.names is not None and len(found.names) != count:
            rule = f"those of {count} series"
            raise damaged(SCALES_FILE, "names", rule, len(found.names))
        return found


def _measured(values: Array, method: str, grain: Array | None = None) -> Scaling:
    """Measure columns `[N, C]` of series: what is left of a constant after rounding is no scale."""
    return Scaling.fit(values, method, grain=grain).usable()


def _smallest(values: Array) -> Array:
    """The smallest value of each column; infinity where nothing is known."""
    smallest: Array = np.where(np.isnan(values), np.inf, values).min(axis=0, initial=np.inf)
    return smallest

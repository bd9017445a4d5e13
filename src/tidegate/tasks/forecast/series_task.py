"""SeriesTask: what every task that reads series shares: tables, splits by time, windows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.names import check_there
from tidegate.data.series.continuation import continued, known_ends
from tidegate.data.series.inputs import SeriesLike, as_panel
from tidegate.data.series.leak import warn_of_leaks
from tidegate.data.series.panel import Panel
from tidegate.data.series.split import split_by_time
from tidegate.data.series.table import read_series
from tidegate.data.windows.encoded import ForecastWindows
from tidegate.data.windows.encoder import SeriesEncoder
from tidegate.data.windows.windows import Windows
from tidegate.errors import InputError, message
from tidegate.tasks.core.examples import DataWarning, Examples
from tidegate.tasks.core.fitting import checked_share
from tidegate.tasks.core.settings.settings import Settings
from tidegate.tasks.core.task import Task
from tidegate.tasks.forecast.examples import SeriesExamples
from tidegate.tasks.forecast.intervals import Bounds
from tidegate.tasks.forecast.settings import ForecasterSettings
from tidegate.tasks.forecast.sizes import suited

if TYPE_CHECKING:
    import pandas as pd

# Steps are held out if so many horizons and usual seasons are left to learn from.
_HORIZONS, _SEASONS = 3, 2


class SeriesTask(Task):
    """Base of the tasks that read series.

    Attributes:
        encoder_: The fitted `SeriesEncoder`.
        recent_: The last steps of each series it was fitted on.
    """

    settings_: ForecasterSettings
    encoder_: SeriesEncoder
    recent_: Panel

    def inputs(self, frame: pd.DataFrame, columns: Mapping[str, str]) -> tuple[Panel, None]:
        """Read the series out of a table; a role that is not named takes its own name's column."""
        named = dict(columns)
        for role in ("time", "id"):
            if role not in named and role in frame.columns:
                named[role] = role
        known, past, static = (named.get(role, ()) for role in ("known", "past", "static"))
        panel = read_series(
            frame[[name for name in frame.columns if not str(name).startswith("\0")]],
            time=named.get("time"),
            target=self._target(named.get("target"), frame),
            id=named.get("id"),
            known=known,
            past=past,
            static=static,
            clock=self.encoder_.clock if hasattr(self, "encoder_") else None,
            dayfirst=self.dayfirst or None,
            owner=type(self).__name__,
        )
        return panel, None

    def _target(self, asked: str | None, frame: pd.DataFrame) -> str | Sequence[str] | None:
        """The targets of the fit, unless others are asked for."""
        fitted = hasattr(self, "network_") and self.encoder_.named
        if not fitted or asked != self.columns_.get("target"):
            return asked
        check_there(frame, self.encoder_.columns.names, type(self).__name__)
        return self.encoder_.targets

    def read_columns(
        self, columns: Mapping[str, str]
    ) -> tuple[Sequence[str] | None, Sequence[str]]:
        """Read all columns where the target is not named; times and identifiers stay text."""
        listed = [name.strip() for text in columns.values() for name in text.split(",")]
        text = [columns.get(role, role) for role in ("time", "id")]
        return (listed if "target" in columns else None), text

    def check_table(
        self, frame: pd.DataFrame, columns: Mapping[str, str], *, drop_missing: bool, source: str
    ) -> tuple[pd.DataFrame, int]:
        """Leave rows as they are: a missing value is a step of its series."""
        return frame, 0

    def _examples(
        self, X: SeriesLike, y: object = None, sample_weight: object = None
    ) -> SeriesExamples:
        owner = type(self).__name__
        for name, given in (("y", y), ("sample_weight", sample_weight)):
            if given is not None:
                remedy = "The targets are columns of the series themselves" if name == "y" else ""
                raise InputError(message(owner, name, "left out", type(given).__name__, remedy))
        return SeriesExamples(self._panel(X))

    def _split(
        self,
        examples: Examples,
        validation: float | tuple[SeriesLike, None] | None,
        settings: Settings,
    ) -> tuple[SeriesExamples, SeriesExamples | None]:
        """Split by time: what is validated on comes after what is learned from."""
        assert isinstance(settings, ForecasterSettings)
        assert isinstance(examples, SeriesExamples)
        assert settings.lookback is not None
        owner, most = settings.owner, settings.max_windows
        history, horizon = settings.lookback + settings.differencing, settings.horizon
        held: SeriesExamples | None = None
        if isinstance(validation, tuple) and len(validation) == 2:
            train = examples.within(0, most=most)
            panel, added = continued(self._like(examples.panel, *validation), examples.panel)
            held = SeriesExamples(panel).within(added, most=most)
        elif validation is None:
            train = examples.within(0, most=most)
        else:
            cut = self._cut(examples.panel, validation, settings)
            train = examples.within(0, cut, most=most)
            if (cut < examples.panel.lengths).any():
                held = examples.within(cut, most=most)
        train.check_enough(history, horizon, owner, part="training", held=held is not None)
        if held is not None:
            held.check_enough(history, horizon, owner, part="validation", held=False)
        latest = examples.panel if held is None else held.panel
        self._keep_recent(latest, max(history, 2 * horizon))
        return train, held

    def _suited(
        self,
        settings: Settings,
        examples: Examples,
        validation: float | tuple[SeriesLike, None] | None,
    ) -> Settings:
        assert isinstance(settings, ForecasterSettings)
        assert isinstance(examples, SeriesExamples)
        panel = examples.panel
        if validation is None or isinstance(validation, tuple):
            return suited(settings, panel, panel.lengths)
        return suited(settings, panel, self._cut(panel, validation, settings))

    @staticmethod
    def _cut(panel: Panel, validation: object, settings: ForecasterSettings) -> Array:
        """Where what is validated on begins, `[S]`: at the ends of series too short for any."""
        share, horizon = checked_share(validation, settings.owner), settings.horizon
        ends = _known_ends(panel)
        cut = split_by_time(panel.cut(np.zeros_like(ends), ends), share, horizon)
        history = settings.differencing + (settings.lookback or 0)
        needed = max(history + horizon, _HORIZONS * horizon, _SEASONS * panel.clock.season)
        return cut if (cut >= needed).any() else panel.lengths

    def _learn(self, examples: Examples) -> None:
        assert isinstance(examples, SeriesExamples)
        assert examples.last is not None
        settings = self.settings_
        assert settings.lookback is not None
        warn_of_leaks(examples.panel, examples.last)
        counts = settings.output == "negative-binomial"
        if counts:
            _check_counts(examples.panel, settings.owner)
        scaling = {"window": "standard"}.get(settings.scaling, settings.scaling)
        self.encoder_ = SeriesEncoder(
            lookback=settings.lookback,
            scaling="none" if counts else scaling,  # a count stays a count
            lag=settings.differencing,
            log=settings.log,
            calendar=settings.calendar,
            missing=settings.missing,
        ).fit(examples.panel, examples.last)
        if settings.lower is not None or settings.upper is not None:
            self._bounds.check(examples.panel, settings.owner)
        _tell_unready(self.recent_, self.encoder_.history)

    @property
    def _bounds(self) -> Bounds:
        """What no value of the targets is beyond: as told, and as the settings imply."""
        settings, floor = self.settings_, self.encoder_.change.floor
        if settings.output == "negative-binomial":
            floor = np.zeros_like(floor)
        lower = floor if settings.lower is None else np.maximum(floor, settings.lower)
        upper = np.inf if settings.upper is None else settings.upper
        return Bounds(lower, np.full_like(lower, upper))

    def _loader(self, examples: Examples, *, training: bool) -> ForecastWindows:
        assert isinstance(examples, SeriesExamples)
        return self._told_windows(examples, horizon=self.settings_.horizon)

    def _told_windows(
        self, examples: SeriesExamples, *, horizon: int, stride: int = 1
    ) -> ForecastWindows:
        """Cut out windows whose targets are known; there must be some."""
        windows = self._windows(examples, horizon=horizon, stride=stride)
        if not len(windows):
            rule = "known in some of the steps that are forecast, and before them"
            remedy = "Fill them in, leave out the rows without a target, or hold out more of them"
            got = "only missing values"
            raise InputError(message(type(self).__name__, "target", rule, got, remedy))
        return windows

    def _examined(self, examples: Examples, most: int) -> tuple[Examples, ForecastWindows]:
        """Choose windows evenly, as `evaluate` measures them."""
        assert isinstance(examples, SeriesExamples)
        panel, added = continued(examples.panel, self.recent_)
        chosen = SeriesExamples(panel).within(added, most=most)
        history, horizon, owner = (
            self.encoder_.history,
            self.settings_.horizon,
            type(self).__name__,
        )
        chosen.check_enough(history, horizon, owner, part="a forecast", held=False)
        return chosen, self._told_windows(chosen, horizon=horizon)

    def _steps(self, horizon: object) -> int:
        """How far ahead is asked for; by default as far as in training."""
        if horizon is None:
            return self.settings_.horizon
        if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
            rule = "an integer >= 1"
            raise InputError(message(type(self).__name__, "horizon", rule, repr(horizon)))
        return horizon

    def _panel(self, X: SeriesLike) -> Panel:
        owner = type(self).__name__
        if not hasattr(self, "network_"):
            return as_panel(X, owner=owner)
        encoder = self.encoder_
        panel = as_panel(X, clock=encoder.clock, learned=encoder.columns, owner=owner)
        return encoder.arranged(panel, owner)

    def _like(self, panel: Panel, X: SeriesLike, y: None) -> Panel:
        """Read series to validate on, with the columns of those to learn from."""
        owner, columns = type(self).__name__, panel.columns
        clock = panel.clock if panel.dated else None
        found = self._examples(as_panel(X, clock=clock, learned=columns, owner=owner), y)
        roles = (panel.targets, panel.past, panel.known)
        return found.panel.arranged(*roles, named=panel.named, owner=owner)

    def _windows(
        self, examples: SeriesExamples, *, horizon: int, stride: int = 1
    ) -> ForecastWindows:
        panel, settings = examples.panel, self.settings_
        ahead = examples.first is None
        first = panel.lengths if examples.first is None else examples.first
        last = panel.lengths if examples.last is None else examples.last
        return Windows(
            self.encoder_.encode(panel, np.maximum(first, self.encoder_.history)),
            first,
            last,
            horizon,
            batch_size=settings.batch_size,
            seed=settings.random_state,
            most=examples.most,
            ahead=ahead,
            stride=stride,
        )

    def _keep_recent(self, panel: Panel, count: int) -> None:
        """Keep the last steps, to go on from when there is no X."""
        lengths = panel.lengths
        self.recent_ = panel.cut(np.maximum(0, lengths - count), lengths)

    def _ready(self) -> Panel:
        """The series of the fit that can be forecast without others; all where none can."""
        unready = _unready(self.recent_, self.encoder_.history)
        if not unready.any() or unready.all():
            return self.recent_
        _tell_unready(self.recent_, self.encoder_.history)
        return self.recent_.take(np.flatnonzero(~unready))

    def _check_ready(self, panel: Panel, horizon: int) -> None:
        """Refuse series that nothing can be forecast of."""
        owner, history = type(self).__name__, self.encoder_.history
        unready = _unready(panel, history)
        if unready.any():
            number = int(unready.argmax())
            name = panel.names[number] if panel.names is not None else number + 1
            if panel.lengths[number] < history:
                rule = f"series of at least {history} steps, the lookback"
                got, remedy = f"{panel.lengths[number]} in series {name}", "Add what came before"
                raise InputError(message(owner, "X", rule, got, remedy))
            rule = f"known in some of the last {history} steps, the lookback"
            got = f"only missing values in series {name}"
            remedy = "Fill them in, or leave out the rows without a target"
            raise InputError(message(owner, "target", rule, got, remedy))
        if not panel.known:
            return
        for number, count in enumerate(panel.ahead):
            end = int(panel.offsets[number + 1])
            rows = panel.values[end - int(count) : end, -len(panel.known) :][:horizon]
            if len(rows) < horizon or np.isnan(rows).any():
                rule = f"given for {horizon} steps after the last target"
                got = f"{int((~np.isnan(rows)).all(axis=1).sum())} of them"
                remedy = "Add rows of the future with the known columns filled in and no target"
                names = ", ".join(panel.known)
                raise InputError(message(owner, "known", f"{rule} ({names})", got, remedy))

    def _fresh(self, X: SeriesLike, *, most: int | None, others: bool = True) -> SeriesExamples:
        """The steps of series that come after those that were fitted.

        Args:
            X: The series.
            most: Most windows to take.
            others: Whether all steps of a series that was not fitted are among them, or none.
        """
        panel, first = continued(self._panel(X), self.recent_)
        for number, end in enumerate(known_ends(panel, self.recent_)):
            if end is not None:
                first[number] = max(first[number], end - int(panel.starts[number]))
            elif not others:
                first[number] = panel.lengths[number]
        return SeriesExamples(panel).within(first, most=most)


def _known_ends(panel: Panel) -> Array:
    """The step after the last of each series that has a target, `[S]`; all steps where none has."""
    ends = panel.lengths
    for number, length in enumerate(panel.lengths):
        gone = np.isnan(panel.series(number)[:, : len(panel.targets)])
        known: Array = ~np.asarray(gone.all(axis=1))
        if known.any():
            ends[number] = length - int(known[::-1].argmax())
    return ends


def _check_counts(panel: Panel, owner: str) -> None:
    """Refuse targets below 0, which count nothing."""
    targets = panel.values[:, : len(panel.targets)]
    if (targets < 0).any():
        step, target = np.argwhere(targets < 0)[0]
        rule = "counts, 0 or more, with output='negative-binomial'"
        got = f"{targets[step, target]:g} in {panel.targets[target]!r}"
        raise InputError(message(owner, "target", rule, got))


def _unready(panel: Panel, history: int) -> Array:
    """Which series are too short to be forecast, or known nowhere in their lookback, `[S]` bool."""
    targets = len(panel.targets)
    last = (panel.series(number)[-history:, :targets] for number in range(len(panel)))
    return np.array([len(part) < history or bool(np.isnan(part).all()) for part in last])


def _tell_unready(panel: Panel, history: int) -> None:
    """Name the series that cannot be forecast by themselves."""
    unready = np.flatnonzero(_unready(panel, history))
    if not len(unready):
        return
    names = [str(n + 1 if panel.names is None else panel.names[n]) for n in unready]
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    what = (
        f"series have fewer than {history} steps, the lookback, or no target in the last of them, "
        f"and are not forecast until more is known: {shown}."
    )
    warnings.warn(DataWarning(what, len(names), len(panel)), stacklevel=5)

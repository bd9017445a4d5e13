"""SeriesTask: what every task that reads series shares: tables, splits by time, windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tidegate.data.series.inputs import as_panel
from tidegate.data.series.leak import warn_of_leaks
from tidegate.data.series.panel import Panel
from tidegate.data.series.table import read_series
from tidegate.data.windows.encoded import ForecastWindows
from tidegate.data.windows.encoder import SeriesEncoder
from tidegate.data.windows.windows import Windows
from tidegate.errors import InputError, message
from tidegate.tasks.core.fitting import checked_share
from tidegate.tasks.core.settings import Settings
from tidegate.tasks.core.task import Task
from tidegate.tasks.forecast.settings import ForecasterSettings
from tidegate.tasks.forecast.spans import Spans, check_enough, continued, known_ends, split_by_time

# Roles that may name several columns, and need not be named.
_LISTS = ("known", "past", "static")


class SeriesTask(Task):
    """Base of the tasks that read series.

    Attributes:
        encoder_: The fitted `SeriesEncoder`.
        recent_: The last steps of each series it was fitted on.
    """

    settings_: ForecasterSettings
    encoder_: SeriesEncoder
    recent_: Panel

    def inputs(self, frame: Any, columns: Mapping[str, str]) -> tuple[Any, Any]:
        """Read the series out of a table; a role that is not named takes its own name's column."""
        named = dict(columns)
        for role in ("time", "id"):
            if role not in named and role in frame.columns:
                named[role] = role
        lists: dict[str, Any] = {role: named.get(role, ()) for role in _LISTS}
        panel = read_series(
            frame[[name for name in frame.columns if not str(name).startswith("\0")]],
            time=named.get("time"),
            target=named.get("target"),
            id=named.get("id"),
            clock=self.encoder_.clock if hasattr(self, "encoder_") else None,
            owner=type(self).__name__,
            **lists,
        )
        return panel, None

    def read_columns(
        self, columns: Mapping[str, str]
    ) -> tuple[Sequence[str] | None, Sequence[str]]:
        """Read all columns where the target is not named; times and identifiers stay text."""
        listed = [name.strip() for text in columns.values() for name in text.split(",")]
        text = [columns.get(role, role) for role in ("time", "id")]
        return (listed if "target" in columns else None), text

    def check_table(
        self, frame: Any, columns: Mapping[str, str], *, drop_missing: bool, source: str
    ) -> tuple[Any, int]:
        """Leave rows as they are: a missing value is a step of its series."""
        return frame, 0

    def _examples(self, X: Any, y: Any, sample_weight: Any) -> Spans:
        owner = type(self).__name__
        for name, given in (("y", y), ("sample_weight", sample_weight)):
            if given is not None:
                remedy = "The targets are columns of the series themselves" if name == "y" else ""
                raise InputError(message(owner, name, "left out", type(given).__name__, remedy))
        return Spans(self._panel(X))

    def _split(self, examples: Any, validation: Any, settings: Settings) -> tuple[Any, Any]:
        """Split by time: what is validated on comes after what is learned from."""
        assert isinstance(settings, ForecasterSettings)
        owner, most = settings.owner, settings.max_windows
        history, horizon = settings.lookback + settings.differencing, settings.horizon
        if isinstance(validation, tuple) and len(validation) == 2:
            train = examples.within(0, most=most)
            panel, added = continued(self._examples(*validation, None).panel, examples.panel)
            held = Spans(panel).within(added, most=most)
        elif validation is None:
            train, held = examples.within(0, most=most), None
        else:
            share = checked_share(validation, settings.owner)
            cut = split_by_time(examples.panel, share, horizon)
            train = examples.within(0, cut, most=most)
            held = examples.within(cut, most=most)
        check_enough(train, history, horizon, owner, part="training", held=held is not None)
        if held is not None:
            check_enough(held, history, horizon, owner, part="validation", held=False)
        latest = examples.panel if held is None else held.panel
        self._keep_recent(latest, max(history, 2 * horizon))
        return train, held

    def _learn(self, examples: Any) -> None:
        settings = self.settings_
        warn_of_leaks(examples.panel, examples.last)
        counts = settings.output == "negative-binomial"
        scaling = {"window": "standard"}.get(settings.scaling, settings.scaling)
        self.encoder_ = SeriesEncoder(
            lookback=settings.lookback,
            scaling="none" if counts else scaling,  # a count stays a count
            lag=settings.differencing,
            log=settings.log,
            calendar=settings.calendar,
            missing=settings.missing,
        ).fit(examples.panel, examples.last)

    def _loader(self, examples: Any, *, training: bool) -> ForecastWindows:
        return self._windows(examples, horizon=self.settings_.horizon)

    def _panel(self, X: Any) -> Panel:
        clock = self.encoder_.clock if hasattr(self, "network_") else None
        return as_panel(X, clock=clock, owner=type(self).__name__)

    def _windows(self, spans: Spans, *, horizon: int, stride: int = 1) -> ForecastWindows:
        panel, settings = spans.panel, self.settings_
        ahead = spans.first is None
        first = panel.lengths if spans.first is None else spans.first
        last = panel.lengths if spans.last is None else spans.last
        return Windows(
            self.encoder_.encode(panel, np.maximum(first, self.encoder_.history)),
            first,
            last,
            horizon,
            batch_size=settings.batch_size,
            seed=settings.random_state,
            most=spans.most,
            ahead=ahead,
            stride=stride,
        )

    def _keep_recent(self, panel: Panel, count: int) -> None:
        """Keep the last steps, to go on from when there is no X."""
        lengths = panel.lengths
        self.recent_ = panel.cut(np.maximum(0, lengths - count), lengths)

    def _check_ready(self, panel: Panel, horizon: int) -> None:
        """Refuse series that nothing can be forecast of."""
        owner, history = type(self).__name__, self.encoder_.history
        short = panel.lengths < history
        if short.any():
            number = int(short.argmax())
            name = panel.names[number] if panel.names is not None else number
            rule = f"series of at least {history} steps, the lookback"
            got = f"{panel.lengths[number]} in series {name}"
            raise InputError(message(owner, "X", rule, got, "Add what came before"))
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

    def _fresh(self, X: Any, *, most: int | None, others: bool = True) -> Spans:
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
        return Spans(panel).within(first, most=most)

"""Spans: the steps of series that may be forecast, and how they are split by time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.series.panel import Panel
from tidegate.errors import InputError, message
from tidegate.tasks.core.rows import Examples


@dataclass(frozen=True)
class Spans(Examples):
    """Series, and which of their steps are to be forecast.

    Attributes:
        inputs: A `Panel`.
        first: The first step of each series that may be forecast, `[S]`; what is before is read
            only. None forecasts what comes after the end of each series.
        last: The step after the last that may, `[S]`.
        most: Most windows to take, evenly; None for all.
    """

    inputs: Any
    first: Array | None = None
    last: Array | None = None
    most: int | None = None

    @property
    def panel(self) -> Panel:
        """The series."""
        return cast(Panel, self.inputs)

    def take(self, rows: Array) -> Spans:
        """Return the series of these numbers, in their order."""
        first = None if self.first is None else self.first[rows]
        last = None if self.last is None else self.last[rows]
        return replace(self, inputs=self.panel.take(rows), first=first, last=last)

    def normalised(self) -> Spans:
        """Return the spans as they are: there are no weights."""
        return self

    def within(self, first: Array | int, last: Array | None = None, *, most: int | None) -> Spans:
        """Return the same series with other steps to forecast."""
        lengths = self.panel.lengths
        begin = np.broadcast_to(np.asarray(first), lengths.shape)
        end = lengths if last is None else np.minimum(last, lengths)
        return replace(self, first=np.minimum(begin, end), last=end, most=most)


def split_by_time(panel: Panel, share: float, horizon: int) -> Array:
    """Say where the last share of the steps begins in each series.

    Series with dates are all cut at the same time, so that none is learned from what another one
    shows of the days it is measured on; others each at their own share.

    Args:
        panel: The series.
        share: The share of the steps that come after the cut.
        horizon: The part after the cut has so many steps at least, in the longest series.

    Returns:
        The first step after the cut, counted from the start of each series, `[S]`.

    Example:
        >>> split_by_time(Panel.from_arrays([np.arange(20.0)]), 0.25, 3).tolist()
        [15]
    """
    lengths = panel.lengths
    if not panel.clock.dated or len(panel) == 1:
        kept = np.maximum(np.round(lengths * share), np.minimum(horizon, lengths))
        return (lengths - kept).astype(np.int64)
    wanted = max(share * lengths.sum(), 1)
    low, high = int(panel.starts.min()), int(panel.ends.max()) - horizon
    while low < high:  # the last position with as many steps after it
        middle = (low + high + 1) // 2
        after = (panel.ends - np.maximum(panel.starts, middle)).clip(min=0).sum()
        low, high = (middle, high) if after >= wanted else (low, middle - 1)
    return (low - panel.starts).clip(0, lengths).astype(np.int64)


def continued(panel: Panel, before: Panel | None) -> tuple[Panel, Array]:
    """Put what came before in front of series that go on where it ends.

    Args:
        panel: The series.
        before: The last steps of training, or None.

    Returns:
        The series, and how many steps were put in front of each, `[S]`.
    """
    nothing = np.zeros(len(panel), np.int64)
    if before is None or before.targets != panel.targets:
        return panel, nothing
    numbers = _matching(panel, before)
    shift = _origin_shift(panel, before)
    if shift is None:
        return panel, nothing
    added = np.array(
        [
            0 if n is None or before.ends[n] != start + shift else int(before.lengths[n])
            for n, start in zip(numbers, panel.starts, strict=True)
        ],
        np.int64,
    )
    if not added.any():
        return panel, nothing
    parts: list[Array] = []
    for row, number in enumerate(numbers):
        if added[row]:
            parts.append(before.series(cast(int, number)))
        parts.append(panel.values[panel.offsets[row] : panel.offsets[row + 1]])
    lengths = np.diff(panel.offsets) + added
    whole = replace(
        panel,
        values=np.concatenate(parts),
        offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        starts=panel.starts - added,
    )
    return whole, added


def known_ends(panel: Panel, before: Panel) -> list[int | None]:
    """Say where training ended in each series.

    Args:
        panel: The series.
        before: The last steps of training.

    Returns:
        The position on the panel's clock of the first step after training; None for a series that
        training had not.
    """
    shift = _origin_shift(panel, before)
    if shift is None:
        return [None] * len(panel)
    return [
        None if number is None else int(before.ends[number]) - shift
        for number in _matching(panel, before)
    ]


def _matching(panel: Panel, before: Panel) -> list[int | None]:
    if panel.names is None or before.names is None:
        alone = panel.names is before.names and len(panel) == len(before) == 1
        return [0 if alone else None] * len(panel)
    index = {name: number for number, name in enumerate(before.names)}
    return [index.get(name) for name in panel.names]


def _origin_shift(panel: Panel, before: Panel) -> int | None:
    """What to add to positions of the one clock for those of the other; None if they differ."""
    mine, other = panel.clock, before.clock
    if (mine.kind, mine.step, mine.zone) != (other.kind, other.step, other.zone):
        return None
    at, exact = other.positions(np.array([mine.origin]))
    return int(at[0]) if exact.all() else None


def check_enough(
    spans: Spans, history: int, horizon: int, owner: str, *, part: str, held: bool
) -> None:
    """Refuse series too short for a single window.

    Args:
        spans: The series and their steps to forecast.
        history: Steps that come before a forecast.
        horizon: Steps ahead.
        owner: Who complains.
        part: What the steps are for, for the message.
        held: Whether a validation span was taken off them.

    Raises:
        InputError: If no series has a window.
    """
    assert spans.first is not None
    assert spans.last is not None
    room = spans.last - np.maximum(spans.first, history)
    if (room >= horizon).any():
        return
    longest = int(spans.last.max(initial=0))
    rule = f"at least lookback + horizon = {history} + {horizon} steps long for {part}"
    remedy = "Lower lookback or horizon"
    if held:
        remedy += ", or hold out less with validation"
    raise InputError(message(owner, "X", rule, f"{longest} steps", remedy))

"""SeriesExamples: series, and which of their steps are to be forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.series.panel import Panel
from tidegate.errors import InputError, message
from tidegate.tasks.core.examples import Examples


@dataclass(frozen=True)
class SeriesExamples(Examples):
    """Series, and which of their steps are to be forecast.

    Attributes:
        inputs: A `Panel`.
        first: The first step of each series that may be forecast, `[S]`; what is before is read
            only. None forecasts what comes after the end of each series.
        last: The step after the last that may, `[S]`.
        most: Most windows to take, evenly; None for all.
    """

    inputs: Any  # a Panel, which is more than the sequence of items that rows are
    first: Array | None = None
    last: Array | None = None
    most: int | None = None

    @property
    def panel(self) -> Panel:
        """The series."""
        return cast(Panel, self.inputs)

    def take(self, rows: Array) -> SeriesExamples:
        """Return the series of these numbers, in their order."""
        first = None if self.first is None else self.first[rows]
        last = None if self.last is None else self.last[rows]
        return replace(self, inputs=self.panel.take(rows), first=first, last=last)

    def normalised(self) -> SeriesExamples:
        """Return the examples as they are: there are no weights."""
        return self

    def within(
        self, first: Array | int, last: Array | None = None, *, most: int | None
    ) -> SeriesExamples:
        """Return the same series with other steps to forecast."""
        lengths = self.panel.lengths
        begin = np.broadcast_to(np.asarray(first), lengths.shape)
        end = lengths if last is None else np.minimum(last, lengths)
        return replace(self, first=np.minimum(begin, end), last=end, most=most)

    def check_enough(
        self, history: int, horizon: int, owner: str, *, part: str, held: bool
    ) -> None:
        """Refuse series too short for a single window.

        Args:
            history: Steps that come before a forecast.
            horizon: Steps ahead.
            owner: Who complains.
            part: What the steps are for, for the message.
            held: Whether a validation span was taken off them.

        Raises:
            InputError: If no series has a window.
        """
        assert self.first is not None
        assert self.last is not None
        room = self.last - np.maximum(self.first, history)
        if (room >= horizon).any():
            return
        longest = int(self.last.max(initial=0))
        rule = f"at least lookback + horizon = {history} + {horizon} steps long for {part}"
        remedy = "Lower lookback or horizon"
        if held:
            remedy += ", or hold out less with validation"
        raise InputError(message(owner, "X", rule, f"{longest} steps", remedy))

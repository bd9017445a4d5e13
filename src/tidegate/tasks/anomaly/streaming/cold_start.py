"""ColdStartStream: a stream that begins without a fit."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from tidegate.data.series.clock import Clock
from tidegate.data.series.dates.single import clock_of, read_time
from tidegate.tasks.anomaly.encoder import AnomalyEncoder
from tidegate.tasks.anomaly.streaming.steps import read_step
from tidegate.tasks.anomaly.streaming.stream import AnomalyStream, Detection


class ColdStartStream:
    """Learns from its first values what the scale is, then is an `AnomalyStream`.

    Args:
        names: What the variables are called.
        warmup: Steps from which the scale is learned.
        begin: Makes a stream of what was learned from them.

    Attributes:
        names: As given.
    """

    def __init__(
        self, names: Sequence[str], warmup: int, begin: Callable[[AnomalyEncoder], AnomalyStream]
    ) -> None:
        self.names = tuple(names)
        self._begin = begin
        # Only the last ones: memory is constant even if a variable never shows.
        self._first: deque[tuple[list[float], float | None]] = deque(maxlen=warmup)
        self._stream: AnomalyStream | None = None
        self._clock: Clock | None = None
        self._steps = self._missing = 0

    @property
    def steps(self) -> int:
        """Steps taken."""
        return self._steps + (self._stream.steps if self._stream else 0)

    @property
    def missing(self) -> int:
        """How many of them lacked a value."""
        return self._missing + (self._stream.missing if self._stream else 0)

    def update(self, value: object, time: object = None) -> Detection:
        """Take one step, as `AnomalyStream.update`.

        The time of day is learned from if each of the first steps has a time; the first one's
        time zone is that of all.
        """
        if self._stream is not None:
            return self._stream.update(value, time)
        values = read_step(value, self.names)
        self._first.append((values, None if time is None else self._seconds(time)))
        self._steps += 1
        self._missing += any(map(math.isnan, values))
        if len(self._first) == self._first.maxlen:
            self._try_start()
        kind = "missing" if all(map(math.isnan, values)) else "usual"
        score = math.nan if kind == "missing" else 0.0
        return Detection(score, False, self.names[0], kind, values[0], math.nan, math.nan, False)

    def _seconds(self, time: object) -> float:
        owner = type(self).__name__
        self._clock = self._clock or clock_of(time, owner)
        return read_time(time, owner, self._clock)

    def _try_start(self) -> None:
        """Make the stream, if each variable was seen."""
        values = np.array([row for row, _ in self._first])
        if np.isnan(values).all(axis=0).any():
            return
        clocked = all(time is not None for _, time in self._first)
        encoder = AnomalyEncoder.learn(self.names, values, clocked=clocked, clock=self._clock)
        stream = self._begin(encoder)
        for row, seconds in self._first:
            stream.take(row, seconds)
        self._stream = stream
        self._steps -= stream.steps
        self._missing -= stream.missing
        self._first.clear()

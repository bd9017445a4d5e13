"""ColdStream: a stream that begins without a fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tidegate.tasks.anomaly_readings import Readings
from tidegate.tasks.anomaly_scale import as_seconds, read_step
from tidegate.tasks.anomaly_stream import AnomalyStream, Finding
from tidegate.tasks.rows import Array


class ColdStream:
    """Learns from its first values what the scale is, then is an `AnomalyStream`.

    Args:
        names: What the variables are called.
        warmup: Steps from which the scale is learned.
        begin: Makes a stream out of the first readings.

    Attributes:
        names: As given.
        steps: Steps taken.
    """

    def __init__(
        self, names: Sequence[str], warmup: int, begin: Callable[[Readings], AnomalyStream]
    ) -> None:
        self.names = tuple(names)
        self._warmup, self._begin = warmup, begin
        self._values: list[Array] = []
        self._times: list[float] = []
        self._stream: AnomalyStream | None = None

    @property
    def steps(self) -> int:
        """Steps taken."""
        return len(self._values) if self._stream is None else self._stream.steps

    @property
    def missing(self) -> int:
        """How many of them lacked a value."""
        if self._stream is None:
            return sum(1 for values in self._values if np.isnan(values).any())
        return self._stream.missing

    def update(self, value: Any, time: Any = None) -> Finding:
        """Take one step, as `AnomalyStream.update`; with times, all steps must have one."""
        if self._stream is not None:
            return self._stream.update(value, time)
        values = read_step(value, self.names)
        self._values.append(values)
        if time is not None:
            self._times.append(as_seconds(time, "ColdStream"))
        known = np.array(self._values)
        enough = len(known) >= self._warmup and not np.isnan(known).all(axis=0).any()
        if enough:
            self._start(known)
        first = float(values[0])
        return Finding(0.0, False, self.names[0], "unexpected", first, math.nan, 0.0, False)

    def _start(self, values: Array) -> None:
        clocked = len(self._times) == len(values)
        readings = Readings(values, np.array(self._times) if clocked else None, self.names)
        stream = self._begin(readings)
        for step, row in enumerate(values):
            stream.update(row, self._times[step] if clocked else None)
        self._stream, self._values, self._times = stream, [], []

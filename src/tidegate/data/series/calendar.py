"""Calendar: where a time stands in its day, week and year, as numbers for a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.clock import Clock

_DAY = 86_400_000_000


def calendar_names(clock: Clock) -> tuple[str, ...]:
    """List the calendar features that tell times of this clock apart.

    Args:
        clock: The clock.

    Returns:
        Names, two for each cycle: its sine and its cosine; none for a clock without dates.

    Example:
        >>> calendar_names(Clock("month", 1, 0))
        ('year_sin', 'year_cos')
    """
    return tuple(f"{cycle}_{wave}" for cycle in _cycles(clock) for wave in ("sin", "cos"))


def calendar_features(clock: Clock, positions: Any) -> Array:
    """Compute the calendar features of positions.

    Args:
        clock: The clock.
        positions: Integers `[n]`.

    Returns:
        `[n, features]` float32, from -1 to 1.

    Example:
        >>> calendar_features(Clock("duration", _DAY, 0), [0]).shape
        (1, 4)
    """
    cycles = _cycles(clock)
    steps = np.asarray(positions)
    if not cycles:
        return np.zeros((len(steps), 0), np.float32)
    times = clock.times(steps)
    assert isinstance(times, pd.DatetimeIndex)
    shares = {
        "day": (times.hour * 60 + times.minute + times.second / 60) / 1440,
        "week": (times.day_of_week + times.hour / 24) / 7,
        "year": (times.day_of_year - 1) / 365.25,
    }
    angles = [2 * np.pi * np.asarray(shares[cycle], np.float64) for cycle in cycles]
    waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=1).astype(np.float32)


def _cycles(clock: Clock) -> tuple[str, ...]:
    """The cycles that a step of the clock is shorter than."""
    if clock.kind == "month":
        return ("year",) if clock.step < 12 else ()
    if clock.kind == "business":
        return ("week", "year")
    if clock.kind == "duration":
        lengths = {"day": _DAY, "week": 7 * _DAY, "year": 365 * _DAY}
        return tuple(cycle for cycle, length in lengths.items() if clock.step < length)
    return ()

"""Patterns: series that are measured at some hours of the day or the week, and never at others."""

from __future__ import annotations

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.series.clock import Clock, infer_clock
from tidegate.errors import InputError

_DAY = 86_400_000_000
_WEEK = 7 * _DAY
_LONGEST = 10_080  # steps of a cycle: the minutes of a week
# A time of the day or week is no part of the pattern if it never was, so often at least.
_SKIPPED = 2
# A pattern explains gaps if so many of them at most are left, and so many steps at least are there.
_LEFT, _THERE = 0.25, 0.7


def patterned(instants: Array, starts: Array) -> Clock | None:
    """Find the clock of series whose gaps are the same each day or each week.

    Hours of trade, nights without a measurement and weeks of six days are such gaps.

    Args:
        instants: Microseconds since 1970, of one series after the other, `[n]`.
        starts: Index of the first row of each series.

    Returns:
        A clock with `slots`; None where the gaps are no pattern.

    Example:
        >>> import pandas as pd
        >>> hours = pd.date_range("2024-01-01", periods=24 * 28, freq="h")
        >>> trade = hours[(hours.hour >= 9) & (hours.hour < 17) & (hours.day_of_week < 5)]
        >>> patterned(np.asarray(trade.as_unit("us").asi8), np.zeros(1, int)).name
        '1 hour, 40 of 168 a week'
    """
    steps = np.diff(instants)
    steps[starts[1:] - 1] = 1
    clock = _equal_steps(instants[longest_part(starts, len(instants))])
    if (steps <= 0).any() or (clock is not None and clock.kind != "duration"):
        return None
    origin = int(instants[0])
    step, usual = int(np.gcd.reduce(instants - origin)), 0.5
    if clock is not None and not ((instants - origin) % clock.step).any():
        step, usual = clock.step, 0.0  # one row at an unusual hour is no fault
    found: Clock | None = None
    fewest: float = np.inf
    for length in (_DAY, _WEEK):
        if step == 0 or length % step or not 1 < length // step <= _LONGEST:
            continue
        ticks, period = (instants - origin) // step, length // step
        slots = _slots(ticks, starts, period, usual, _fewest_skips(instants, length))
        if slots is None:
            continue
        one = Clock("duration", step, origin, period=period, slots=slots)
        missing = _missing(one.positions(instants)[0], starts)
        if 2 * missing < fewest and _explains(missing, ticks, starts):
            found, fewest = one, missing
    return found


def longest_part(starts: Array, rows: int) -> slice:
    """The rows of the longest series."""
    ends = np.append(starts[1:], rows)
    longest = int((ends - starts).argmax())
    return slice(int(starts[longest]), int(ends[longest]))


def _equal_steps(instants: Array) -> Clock | None:
    try:
        return infer_clock(instants, dated=True, owner="")
    except InputError:
        return None


def _fewest_skips(instants: Array, length: int) -> int:
    """How often a time must be skipped to be none: one free weekend is known to come again."""
    if length < _WEEK:
        return _SKIPPED
    return 1 if np.is_busday((instants // _DAY).astype("datetime64[D]")).all() else _SKIPPED


def _slots(
    ticks: Array, starts: Array, period: int, usual: float, skips: int
) -> tuple[int, ...] | None:
    """The steps of a cycle that there are; None if they are all, or some only seem to be none.

    Each must be there in a share of the cycles above `usual`.
    """
    counts = np.bincount(ticks % period, minlength=period)
    cycles = np.zeros(period, np.int64)
    steps = np.arange(period)
    for first, last in zip(ticks[starts], ticks[_lasts(ticks, starts)], strict=True):
        cycles += (last - steps) // period - (first - 1 - steps) // period
    there, absent = np.flatnonzero(counts), counts == 0
    if not absent.any() or cycles[absent].min() < skips:
        return None
    rare = counts[there] < usual * cycles[there]
    return None if rare.any() else tuple(there.tolist())


def _explains(missing: int, ticks: Array, starts: Array) -> bool:
    gaps = _missing(ticks, starts)
    return missing <= _LEFT * gaps and missing <= (1 / _THERE - 1) * len(ticks)


def _missing(positions: Array, starts: Array) -> int:
    """How many steps of all series have no row."""
    spans = positions[_lasts(positions, starts)] - positions[starts] + 1
    return int(spans.sum()) - len(positions)


def _lasts(rows: Array, starts: Array) -> Array:
    """Index of the last row of each series."""
    return np.append(starts[1:], len(rows)) - 1

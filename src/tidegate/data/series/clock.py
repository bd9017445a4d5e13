"""Clock: the regular times at which a series was measured, found and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.data.batching import Array
from tidegate.errors import InputError, message

LOCAL = "local"
"""The zone of times by the wall clock where they were written, whatever its offset from UTC."""

# Dates, or whole numbers that stand for steps.
TimeAxis: TypeAlias = Array | pd.DatetimeIndex

_SECOND = 1_000_000  # times are whole microseconds since 1970
_DAY = 86_400 * _SECOND
_UNITS = (("day", _DAY), ("hour", 3600 * _SECOND), ("minute", 60 * _SECOND), ("second", _SECOND))
# What is usual: hours have a day, days a week, weeks, months and quarters a year.
_SEASONS = {_DAY: 7, 7 * _DAY: 52}
_MONTH_SEASONS = {1: 12, 2: 6, 3: 4, 4: 3, 6: 2}
# So many steps of one other length in a row are another frequency, and no gaps.
_RUN = 8


@dataclass(frozen=True)
class Clock:
    """Regular times, numbered by positions 0, 1, 2, ...

    Attributes:
        kind: "duration" (steps of equal length), "month" (whole months), "business" (days from
            Monday to Friday) or "count" (whole numbers instead of dates).
        step: Length of a step: microseconds, months, days or numbers.
        origin: The time at position 0: microseconds since 1970, or a number.
        zone: Time zone of the times, such as "Europe/Paris"; None for times without one, `LOCAL`
            for those of a wall clock of changing offsets, told without one.
        wall: Whether the clock follows the wall clock of its zone, so that days of 23 hours count
            as one; else it runs in UTC.
        month_end: Whether every time is the last day of its month.
        working_end: Whether every time is the last day from Monday to Friday of its month.
        dayfirst: Whether dates were written with the day before the month; None where that was
            no question.
        period: Steps of a cycle of which only the `slots` are positions; 0 where all steps are.
        slots: Those steps, counted from the origin: hours of trade in a day or week.

    Example:
        >>> clock = Clock("duration", 3_600_000_000, 0)
        >>> clock.name, clock.season
        ('1 hour', 24)
    """

    kind: str = "count"
    step: int = 1
    origin: int = 0
    zone: str | None = None
    wall: bool = False
    month_end: bool = False
    working_end: bool = False
    dayfirst: bool | None = None
    period: int = 0
    slots: tuple[int, ...] = ()

    @property
    def dated(self) -> bool:
        """Whether positions stand for dates."""
        return self.kind != "count"

    @property
    def name(self) -> str:
        """The step in words, such as "15 minutes"."""
        if self.kind == "duration":
            cycle = "week" if self.period * self.step == 7 * _DAY else "day"
            part = f", {len(self.slots)} of {self.period} a {cycle}" if self.slots else ""
            return _words(self.step) + part
        unit = {"month": "month", "business": "business day", "count": "step"}[self.kind]
        return f"{self.step} {unit}{'s' if self.step > 1 else ''}"

    @property
    def season(self) -> int:
        """Steps of the season that is usual at this frequency; 1 when there is none."""
        if self.kind == "business":
            return 5
        if self.slots:
            days = (self.origin + np.array(self.slots) * self.step) // _DAY
            a_day = int(np.bincount(np.unique(days, return_counts=True)[1]).argmax())
            return a_day if a_day > 1 else len(self.slots)
        if self.kind == "month":
            return _MONTH_SEASONS.get(self.step, 1)
        if self.kind == "duration" and self.step < _DAY and _DAY % self.step == 0:
            return _DAY // self.step
        return _SEASONS.get(self.step, 1) if self.kind == "duration" else 1

    def times(self, positions: npt.ArrayLike) -> TimeAxis:
        """Return the times at positions.

        Args:
            positions: Integers `[n]`, negative ones too.

        Returns:
            A DatetimeIndex, or an array of whole numbers where positions stand for numbers.
        """
        steps = np.asarray(positions, dtype=np.int64)
        if not self.dated:
            numbers: Array = self.origin + steps * self.step
            return numbers
        index: pd.DatetimeIndex = pd.DatetimeIndex(self._instants(steps).astype("datetime64[us]"))
        if self.zone in (None, LOCAL):
            return index
        if self.wall:
            # A clock set forward skips times: they become the next that exist.
            index = index.tz_localize(self.zone, ambiguous=False, nonexistent="shift_forward")
        else:
            index = index.tz_localize("UTC").tz_convert(self.zone)
        return index

    def positions(self, instants: Array) -> tuple[Array, Array]:
        """Find the positions of times.

        Args:
            instants: Microseconds on this clock, or numbers, `[n]` int64.

        Returns:
            Positions `[n]` int64, rounded down, and whether each is exactly on the clock.
        """
        if self.kind == "month":
            months, _ = _month_parts(instants)
            first, _ = _month_parts(np.array([self.origin]))
            found = np.floor_divide(months - first[0], self.step)
        elif self.kind == "business":
            days = (instants // _DAY).astype("datetime64[D]")
            found = np.busday_count(self._origin_day(), days) // self.step
        else:
            found = np.floor_divide(instants - self.origin, self.step)
            if self.slots:
                cycles, within = np.divmod(found, self.period)
                at = np.searchsorted(self.slots, within, side="right") - 1
                found = cycles * len(self.slots) + at
        return found, self._instants(found) == instants

    def _instants(self, steps: Array) -> Array:
        """Microseconds, or numbers, at positions."""
        if self.kind == "month":
            return self._months(steps)
        if self.kind == "business":
            days = np.busday_offset(self._origin_day(), steps * self.step)
            return days.astype(np.int64) * _DAY + self.origin % _DAY
        if self.slots:
            cycles, at = np.divmod(steps, len(self.slots))
            steps = cycles * self.period + np.array(self.slots, np.int64)[at]
        return self.origin + steps * self.step

    def _months(self, steps: Array) -> Array:
        first, rest = _month_parts(np.array([self.origin]))
        months = (first[0] + steps * self.step).astype("datetime64[M]")
        begin = months.astype("datetime64[us]").astype(np.int64)
        length = (months + 1).astype("datetime64[us]").astype(np.int64) - begin
        time = int(rest[0]) % _DAY
        last = begin + length - _DAY
        if self.working_end:
            return _last_working(last) + time
        found: Array = last + time if self.month_end else np.minimum(begin + rest[0], last + time)
        return found

    def _origin_day(self) -> np.datetime64:
        return np.datetime64(self.origin // _DAY, "D")


def infer_clock(instants: Array, *, dated: bool, owner: str) -> Clock:
    """Find the clock on which one series was measured; gaps in it are allowed.

    Args:
        instants: Its times, ascending: microseconds since 1970, or numbers, `[n]` int64.
        dated: Whether they are dates.
        owner: Who complains.

    Returns:
        The clock, with position 0 at the first time, or before it.

    Raises:
        InputError: If there are fewer than two times, or no step is the usual one.

    Example:
        >>> infer_clock(np.array([3, 4, 5, 9]), dated=False, owner="series").times([0, 1]).tolist()
        [3, 4]
    """
    if len(instants) < 2:
        rule = "given at two rows or more, so that there is a frequency"
        raise InputError(message(owner, "time", rule, f"{len(instants)} rows"))
    origin = int(instants[0])
    if dated and not (instants % _DAY != origin % _DAY).any():
        found = _calendar_clock(instants)
        if found is not None:
            return found
    steps, counts = np.unique(np.diff(instants), return_counts=True)
    step, share = int(steps[counts.argmax()]), counts.max() / counts.sum()
    if share < 0.5:
        told = _words(step) if dated else str(step)
        rule = "at a regular frequency"
        got = f"steps of which the most common, {told}, are {share:.0%}"
        remedy = "Resample the table first"
        raise InputError(message(owner, "time", rule, got, remedy))
    return Clock("duration" if dated else "count", step, origin)


def _calendar_clock(instants: Array) -> Clock | None:
    """The clock of whole months or business days, when the times are on one."""
    days = (instants // _DAY).astype("datetime64[D]")
    gaps = np.diff(days).astype(np.int64)
    origin = int(instants[0])
    if gaps.min() >= 28:
        months, rest = _month_parts(instants)
        begin = instants - rest
        last = (months + 1).astype("datetime64[M]").astype("datetime64[us]").astype(np.int64) - _DAY
        steps, counts = np.unique(np.diff(months), return_counts=True)
        step, time = int(steps[counts.argmax()]), int(rest[0]) % _DAY
        end = bool((instants == last + time).all())
        if end or (rest == rest[0]).all():
            return Clock("month", step, origin, month_end=end)
        if (instants == _last_working(last) + time).all():
            return Clock("month", step, origin, working_end=True)
        anchor = int(rest.max())  # of the 30th, say: February has its last day instead
        if (instants == np.minimum(begin + anchor, last + time)).all():
            return Clock("month", step, _with_day(int(months[0]), step, anchor))
    if np.is_busday(days).all() and (gaps == 3).any() and np.median(gaps) == 1:
        return Clock("business", 1, origin)
    return None


def _last_working(last: Array) -> Array:
    """The last day from Monday to Friday up to each day, microseconds since 1970."""
    days = np.busday_offset((last // _DAY).astype("datetime64[D]"), 0, roll="backward")
    found: Array = days.astype(np.int64) * _DAY
    return found


def _with_day(month: int, step: int, rest: int) -> int:
    """The latest time, a whole number of steps before a month or in it, that has a day."""
    while True:
        begin = np.datetime64(month, "M").astype("datetime64[us]").astype(np.int64)
        after = np.datetime64(month + 1, "M").astype("datetime64[us]").astype(np.int64)
        if begin + rest < after:
            return int(begin + rest)
        month -= step


def check_regular(
    clock: Clock, positions: Array, exact: Array, starts: Array, rows: Array, owner: str
) -> None:
    """Refuse times that are not on the clock, or that go over to another frequency.

    Args:
        clock: The clock.
        positions: Positions of all rows of all series, one series after another.
        exact: Whether each row is on the clock.
        starts: Index of the first row of each series.
        rows: The number of each row in the table, for messages.
        owner: Who complains.

    Raises:
        InputError: The message names the first such row.
    """
    remedy = "Bring it to one frequency first, or fit on a part of it"
    rule = f"at one frequency, here {clock.name}"
    if not exact.all():
        row = rows[int(np.argmin(exact))]
        raise InputError(message(owner, "time", rule, f"a time between steps in row {row}", remedy))
    steps = np.diff(positions)
    steps[starts[1:] - 1] = 1  # from one series to the next
    changed = steps > 1
    changed[1:] &= steps[1:] == steps[:-1]
    if changed.any() and (first := _run(changed)) is not None:
        got = f"{steps[first]} times that step from row {rows[first]} on"
        raise InputError(message(owner, "time", rule, got, remedy))


def _run(marks: Array) -> int | None:
    """Start of the first run of `_RUN` marks, or None."""
    counted = np.cumsum(np.concatenate(([0], marks)))
    full = counted[_RUN:] - counted[:-_RUN] == _RUN
    return int(full.argmax()) if full.any() else None


def _month_parts(instants: Array) -> tuple[Array, Array]:
    """Months since 1970, and microseconds since each began."""
    months = instants.astype("datetime64[us]").astype("datetime64[M]")
    begin = months.astype("datetime64[us]").astype(np.int64)
    return months.astype(np.int64), instants - begin


def _words(step: int) -> str:
    for unit, length in _UNITS:
        if step % length == 0:
            count = step // length
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{step / _SECOND:g} seconds"

"""A single time as it comes: read by the clock of a fit, quickly."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import date, datetime, timezone, tzinfo
from functools import lru_cache

import numpy as np
import pandas as pd

from tidegate.data.series.clock import LOCAL, Clock
from tidegate.data.series.dates.instants import (
    OtherClockError,
    Times,
    learned_clock,
    other_clock,
    unix_times,
    wall_clock,
)
from tidegate.data.series.dates.numbered import slashed
from tidegate.data.series.dates.times import read_dates_of_numbers, read_times
from tidegate.errors import InputError, message

_SECOND = 1_000_000  # microseconds
_LARGEST = 2**62
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def read_time(time: object, owner: str, clock: Clock | None) -> float:
    """Read one time by the clock of a fit, as `read_times` does those of a table.

    Args:
        time: A datetime, a date or a numpy datetime64, a text or a number as tables have them,
            or seconds since 1970.
        owner: Who complains.
        clock: The clock of the fit; one of whole numbers takes numbers for seconds. None, for
            models of versions that kept no clock, leaves time zones out of account.

    Returns:
        Seconds since 1970 by the wall clock of the fit.

    Raises:
        InputError: If it is no time; an `OtherClockError` if it has no time zone and the times of
            the fit had, or the other way round.

    Example:
        >>> read_time("1970-01-01 00:01", "docs", None)
        60.0
    """
    moment = _moment(time)
    if moment is not None:
        return _wall(moment, time, owner, clock).replace(tzinfo=timezone.utc).timestamp()
    number = _number(time)
    if number is not None and (clock is None or clock.dated):
        dates = slashed(np.array([number]), clock)
        time, number = (time, number) if dates is None else (dates.iloc[0], None)
    if number is not None:
        return _of_number(number, owner, clock)
    return float(wall_clock(_table_of_one(time, owner, clock))[0] / _SECOND)


def _table_of_one(time: object, owner: str, clock: Clock | None) -> Times:
    """Read a time in any of the ways that tables may have it."""
    if not isinstance(time, str) or not time.strip():
        raise _no_time(time, owner)
    try:
        times = read_times(pd.Series([time]), np.ones(1, np.int64), owner, clock=clock)
    except OtherClockError:
        raise
    except InputError as error:
        raise _no_time(time, owner) from error
    return times


def clock_of(time: object, owner: str) -> Clock:
    """Find the clock of a stream that begins without a fit, by its first time.

    Args:
        time: The time, as for `read_time`.
        owner: Who complains.

    Raises:
        InputError: If it is no time.

    Example:
        >>> clock_of("2024-01-01T12:00+09:00", "docs").zone
        'UTC+09:00'
    """
    moment, number = _moment(time), _number(time)
    if moment is not None:
        times = read_times(pd.Series([pd.Timestamp(moment)]), np.ones(1, np.int64), owner)
    elif number is None:
        times = _table_of_one(time, owner, None)
    elif (found := read_dates_of_numbers(np.array([number]), None)) is not None:
        times = replace(found, zone=None)  # seconds are by the clock of whoever counts them
    else:
        return Clock()
    return learned_clock(times)


def _moment(time: object) -> datetime | None:
    """The time, if it is one as it stands."""
    if isinstance(time, str) and time.strip()[4:5] == "-" and "w" not in time.lower():
        try:
            return datetime.fromisoformat(time.strip())
        except ValueError:
            return None
    if isinstance(time, np.datetime64):
        time = time.astype("datetime64[us]").item()
    if isinstance(time, pd.Period):
        time = time.to_timestamp()
    if isinstance(time, date) and not isinstance(time, datetime):
        return datetime(time.year, time.month, time.day)
    return time if isinstance(time, datetime) and not pd.isna(time) else None


def _wall(moment: datetime, time: object, owner: str, clock: Clock | None) -> datetime:
    """The time by the wall clock of the fit."""
    if clock is None or clock.zone == LOCAL:
        return moment
    if (moment.tzinfo is None) != (clock.zone is None):
        raise other_clock(clock, time, owner)
    return moment if clock.zone is None else moment.astimezone(_zone(clock.zone))


@lru_cache(maxsize=32)
def _zone(name: str) -> tzinfo:
    found: tzinfo = pd.DatetimeIndex([0]).tz_localize("UTC").tz_convert(name).tz
    return found


def _number(time: object) -> float | None:
    """The time as a number, if it is written as one; whole ones are `int`."""
    if isinstance(time, str):
        text = time.strip()
        if not _NUMBER.fullmatch(text):
            return None
        time = int(text) if text.isdecimal() else float(text)
    if isinstance(time, np.integer | np.floating):
        time = time.item()
    if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
        return None
    return time if abs(time) < _LARGEST else float(time)


def _of_number(number: float, owner: str, clock: Clock | None) -> float:
    """A date written as a number, or else seconds since 1970."""
    found = None
    if clock is None or clock.dated:
        found = read_dates_of_numbers(np.array([number]), clock)
    zoned = clock is not None and clock.zone not in (None, LOCAL)
    if clock is not None and zoned and found is not None and found.zone is None:
        raise other_clock(clock, number, owner)
    if found is None and zoned and abs(number) * _SECOND < _LARGEST:
        found = unix_times(np.array([round(number * _SECOND)]), clock)
    return number if found is None else float(wall_clock(found)[0] / _SECOND)


def _no_time(time: object, owner: str) -> InputError:
    remedy = "Write it as 2024-12-31 23:00, or as seconds since 1970"
    return InputError(message(owner, "time", "a date or a whole number", repr(time), remedy))

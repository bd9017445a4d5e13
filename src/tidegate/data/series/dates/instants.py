"""Times as microseconds: of dates without a zone, with one, or with offsets from UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.clock import LOCAL, Clock, infer_clock
from tidegate.errors import InputError, message, quoted

_DAY = 86_400_000_000
_HOUR = _DAY // 24


class OtherClockError(InputError):
    """Times that do not tell what those of the fit told: dates, or of which time zone."""


@dataclass(frozen=True)
class Times:
    """The times of the rows of a table.

    Attributes:
        instants: Microseconds since 1970, or numbers, `[rows]` int64.
        dated: Whether they are dates.
        zone: Their time zone, or None; `LOCAL` where it is the wall clock of several offsets.
        wall: Whether the instants are those of the wall clock in that zone, and not UTC.
        dayfirst: Whether 01/02 was read as the first of February; None where no date is so.
    """

    instants: Array
    dated: bool
    zone: str | None = None
    wall: bool = False
    dayfirst: bool | None = None


def other_clock(clock: Clock, got: object, owner: str) -> OtherClockError:
    """Say that a time does not tell what those of the fit told.

    Args:
        clock: The clock of the fit.
        got: The time.
        owner: Who complains.

    Returns:
        The error.

    Example:
        >>> str(other_clock(Clock(), "2024-01-01", "Forecaster"))
        "Forecaster: `time` must be as in training, whole numbers; got '2024-01-01'."
    """
    rule = f"as in training, {'dates' if clock.dated else 'whole numbers'}"
    if clock.dated:
        named = "with their offset from UTC" if clock.zone == LOCAL else f"in {clock.zone}"
        rule += f" {named}" if clock.zone else " without a time zone"
    remedy = "Write the offset from UTC behind them" if clock.zone else ""
    if clock.dated and not clock.zone:
        remedy = "Turn them into times of that clock, without a zone"
    return OtherClockError(message(owner, "time", rule, quoted(got), remedy))


def learned_clock(times: Times) -> Clock:
    """What to read later times by, where they may follow no regular clock.

    Args:
        times: The times, ascending.

    Returns:
        A clock of their zone and form, of their steps as far as they are regular.

    Example:
        >>> learned_clock(Times(np.array([0]), True, zone="UTC")).zone
        'UTC'
    """
    instants = np.unique(times.instants)
    try:
        clock = infer_clock(instants, dated=times.dated, owner="")
    except InputError:
        clock = Clock("duration", origin=int(instants[0]) if len(instants) else 0)
    return replace(clock, zone=times.zone, dayfirst=times.dayfirst)


def wall_clock(times: Times) -> Array:
    """Microseconds since 1970 by the wall clock of the zone, `[rows]` int64."""
    if times.wall or times.zone in (None, LOCAL):
        return times.instants
    index = pd.DatetimeIndex(times.instants.astype("datetime64[us]")).tz_localize("UTC")
    return np.asarray(index.tz_convert(times.zone).tz_localize(None).asi8)


def naive_times(column: Any) -> Times:
    """Dates without a time zone as times."""
    return Times(np.asarray(column).astype("datetime64[us]").astype(np.int64), True)


def unix_times(instants: Array, clock: Clock | None) -> Times:
    """Microseconds since 1970 in UTC as times of a clock; its own where it has no time zone."""
    if clock is not None and clock.zone in (None, LOCAL):
        return Times(instants, True)
    index: pd.DatetimeIndex = pd.DatetimeIndex(instants.astype("datetime64[us]"))
    return zoned_times(index.tz_localize("UTC"), "UTC", clock)


def zoned_times(index: pd.DatetimeIndex, zone: str, clock: Clock | None) -> Times:
    """Times of a zone: by its wall clock where that makes more regular steps than UTC does."""
    if clock is not None and clock.zone not in (None, LOCAL):
        index, zone = index.tz_convert(clock.zone), str(clock.zone)
    local: Array = np.asarray(index.tz_localize(None).as_unit("us").asi8)
    if clock is not None and clock.zone == LOCAL:
        return Times(local, True, LOCAL, True)
    utc: Array = np.asarray(index.tz_convert("UTC").as_unit("us").asi8)
    local = _mended(local, zone)
    wall = _follows_wall(local, utc) if clock is None else clock.wall
    return Times(local if wall else utc, True, zone, wall)


def offset_times(dates: pd.Series[Any], offsets: pd.Series[str], clock: Clock | None) -> Times:
    """Times with offsets from UTC: by the local clock where several make more regular steps."""
    index = pd.DatetimeIndex(dates)
    if offsets.nunique() == 1 and (clock is None or clock.zone != LOCAL):
        return zoned_times(index.tz_convert(offsets.iloc[0]), offsets.iloc[0], clock)
    utc: Array = np.asarray(index.as_unit("us").asi8)
    local = utc + offsets.map(_microseconds).to_numpy()
    if _follows_wall(local, utc) if clock is None else clock.zone == LOCAL:
        return Times(local, True, LOCAL, True)
    return zoned_times(index, "UTC", clock)


def zone_name(zone: Any) -> str:
    """What pandas finds a time zone by; those of dateutil hide their names in paths."""
    name = str(zone)
    found = re.search(r"zoneinfo/([A-Za-z_]+(?:/[A-Za-z0-9_+-]+)*)", name)
    return found[1] if found else name


def _follows_wall(local: Array, utc: Array) -> bool:
    """Whether times are at one time of the local day, or of fewer different steps than in UTC."""
    if (local % _DAY == local[0] % _DAY).all():
        return True
    return _kinds(local) < _kinds(utc) and bool((np.diff(local) > 0).all())


def _kinds(instants: Array) -> int:
    """How many different steps there are."""
    return len(np.unique(np.diff(instants)))


def _mended(local: Array, zone: str) -> Array:
    """Put times that a day of 23 hours does not have back to when they would have been.

    Daily times at 02:30 are written as 03:00 or 03:30 on the day the clock is set forward.
    """
    times, counts = np.unique(local % _DAY, return_counts=True)
    usual = local // _DAY * _DAY + times[counts.argmax()]
    odd = np.flatnonzero((local != usual) & (local > usual) & (local - usual <= _HOUR))
    if not len(odd) or 2 * counts.max() <= len(local):
        return local
    meant = pd.DatetimeIndex(usual[odd].astype("datetime64[us]"))
    there = meant.tz_localize(zone, ambiguous=False, nonexistent="NaT").notna()
    mended: Array = local.copy()
    mended[odd[~there]] = usual[odd[~there]]
    return mended


def _microseconds(offset: str) -> int:
    """An offset from UTC, such as +05:30."""
    if offset == "UTC":
        return 0
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    return (-1 if offset[0] == "-" else 1) * (hours * _HOUR + minutes * _HOUR // 60)

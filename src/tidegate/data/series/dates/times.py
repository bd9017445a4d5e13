"""Times of a table: dates, texts or numbers read as whole microseconds, faults named by row."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.clock import Clock
from tidegate.data.series.dates.guessed import read_guessed
from tidegate.data.series.dates.numbered import read_numbered
from tidegate.errors import InputError, message

_OFFSET = r"(?i)\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)$"
_QUARTER = re.compile(r"^\s*(\d{4})[ -]?[qQ]([1-4])\s*$")
_DAY = 86_400_000_000
_HOUR = _DAY // 24


@dataclass(frozen=True)
class Times:
    """The times of the rows of a table.

    Attributes:
        instants: Microseconds since 1970, or numbers, `[rows]` int64.
        dated: Whether they are dates.
        zone: Their time zone, or None.
        wall: Whether the instants are those of the wall clock in that zone, and not UTC.
        dayfirst: Whether 01/02 was read as the first of February; None where no date is so.
    """

    instants: Array
    dated: bool
    zone: str | None = None
    wall: bool = False
    dayfirst: bool | None = None


def read_times(
    column: pd.Series[Any],
    rows: Array,
    owner: str,
    *,
    clock: Clock | None = None,
    dayfirst: bool | None = None,
) -> Times:
    """Read a column of times.

    Args:
        column: Dates, texts that are dates or whole numbers, or numbers.
        rows: The number of each row in the table, for messages.
        owner: Who complains.
        clock: The clock of a fit, which says what was read then: dates or numbers, days or months
            first, and by which clock of which time zone; None finds out.
        dayfirst: Whether 01/02/2015 is the first of February; None takes what leaves fewer gaps.

    Returns:
        The times.

    Raises:
        InputError: If a cell is empty or no time, or days and months cannot be told apart.

    Example:
        >>> read_times(pd.Series(["1", "2"]), np.array([1, 2]), "series").instants.tolist()
        [1, 2]
    """
    missing = column.isna().to_numpy()
    if missing.any():
        raise _wrong("given in every row", "an empty cell", rows[missing.argmax()], owner)
    column = _plain(column)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _zoned(pd.DatetimeIndex(column), str(column.dt.tz), clock)
    if isinstance(column.dtype, pd.PeriodDtype):
        return _naive(column.dt.to_timestamp())
    if pd.api.types.is_datetime64_dtype(column):
        return _naive(column)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _numbers(column, rows, owner, clock)
    texts = column.map(str).str.strip()
    if texts.str.fullmatch(r"[+-]?\d+").all():
        return _numbers(texts.astype("int64"), rows, owner, clock)
    if clock is not None and clock.dayfirst is not None:
        dayfirst = clock.dayfirst
    return _texts(texts, rows, owner, clock, dayfirst)


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Times of Arrow and of Python in the type that pandas has for them."""
    if isinstance(column.dtype, pd.ArrowDtype) and column.dtype.kind == "M":
        zone = getattr(column.dtype.pyarrow_dtype, "tz", None)
        kind: Any = f"datetime64[us, {zone}]" if zone else "datetime64[us]"
        return column.astype(kind)
    return column.infer_objects() if column.dtype == object else column


def _naive(column: Any) -> Times:
    return Times(np.asarray(column).astype("datetime64[us]").astype(np.int64), True)


def _zoned(index: pd.DatetimeIndex, zone: str, clock: Clock | None) -> Times:
    """Times of a zone: by its wall clock where that makes more regular steps than UTC does."""
    if clock is not None and clock.zone is not None:
        index, zone = index.tz_convert(clock.zone), clock.zone
    utc: Array = np.asarray(index.tz_convert("UTC").as_unit("us").asi8)
    local: Array = _mended(np.asarray(index.tz_localize(None).as_unit("us").asi8), zone)
    if clock is None:
        daily = bool((local % _DAY == local[0] % _DAY).all())
        wall = daily or (_kinds(local) < _kinds(utc) and bool((np.diff(local) > 0).all()))
    else:
        wall = clock.wall
    return Times(local if wall else utc, True, zone, wall)


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


def _numbers(column: pd.Series[Any], rows: Array, owner: str, clock: Clock | None) -> Times:
    values = column.to_numpy()
    whole = np.mod(values, 1) == 0
    if not whole.all():
        row = int(np.argmin(whole))
        remedy = "Write dates as 2024-12-31, or number the steps"
        raise _wrong("dates or whole numbers", f"{values[row]}", rows[row], owner, remedy)
    numbers = values.astype(np.int64)
    dates = read_numbered(numbers, clock) if clock is None or clock.dated else None
    return Times(numbers, False) if dates is None else _naive(dates)


def _texts(
    texts: pd.Series[Any], rows: Array, owner: str, clock: Clock | None, asked: bool | None
) -> Times:
    offset = _offset(texts, rows, owner)
    quarters = texts.str.replace(_QUARTER, _quarter_start, regex=True)
    dates = pd.to_datetime(quarters, format="ISO8601", errors="coerce", utc=offset is not None)
    dayfirst = None
    if dates.isna().any():
        dates, dayfirst = read_guessed(quarters, rows, owner, asked, utc=offset is not None)
    wrong = dates.isna().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        remedy = "Write dates as 2024-12-31 or 2024-12-31 23:00, or count the steps: 0, 1, 2"
        raise _wrong("a date or a whole number", repr(texts.iloc[row]), rows[row], owner, remedy)
    if offset is None:
        times = _naive(dates)
    else:
        times = _zoned(pd.DatetimeIndex(dates).tz_convert(offset), offset, clock)
    return replace(times, dayfirst=dayfirst)


def _quarter_start(found: re.Match[str]) -> str:
    return f"{found[1]}-{3 * int(found[2]) - 2:02d}-01"


def _offset(texts: pd.Series[Any], rows: Array, owner: str) -> str | None:
    """The offset from UTC that all texts name, "UTC" where they name several; None for none."""
    offsets = texts.str.extract(_OFFSET, expand=False).str.upper().replace("Z", "UTC")
    if offsets.isna().all():
        return None
    if offsets.isna().any():
        row = int(offsets.isna().to_numpy().argmax())
        remedy = "Write the offset from UTC in every row, or in none"
        raise _wrong(
            "of a time zone in every row",
            repr(texts.iloc[row]),
            rows[row],
            owner,
            remedy,
        )
    return str(offsets.iloc[0]) if offsets.nunique() == 1 else "UTC"


def _wrong(rule: str, got: str, row: Any, owner: str, remedy: str = "") -> InputError:
    return InputError(message(owner, "time", rule, f"{got} in row {row}", remedy))

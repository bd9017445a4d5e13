"""Times of a table: dates, texts or numbers read as whole microseconds, faults named by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.clock import LOCAL, Clock
from tidegate.data.series.dates.guessed import gaps, read_guessed
from tidegate.data.series.dates.instants import (
    Times,
    naive_times,
    offset_times,
    other_clock,
    unix_times,
    zone_name,
    zoned_times,
)
from tidegate.data.series.dates.numbered import read_numbered, slashed
from tidegate.data.series.dates.spelled import spelled
from tidegate.data.series.dates.unix import read_unix
from tidegate.errors import InputError, message

# The offset from UTC after a time of day, or Z, UTC or GMT.
_OFFSET = (
    r"(?i)(?:\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s*[AP]M)?|\dT\d{2,6}(?:[.,]\d+)?)\s*"
    r"(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)$"
)
# Whole numbers that 64 bits hold, and seconds since 1970 with a fraction.
_NUMBER = r"[+-]?\d{1,18}|[1-8]\d{18}|\d{9,10}\.\d+"


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
    if clock is not None and clock.dayfirst is not None:
        dayfirst = clock.dayfirst
    times = _read(_plain(column), rows, owner, clock, dayfirst)
    return times if clock is None else _as_learned(times, clock, column, owner)


def _read(
    column: pd.Series[Any], rows: Array, owner: str, clock: Clock | None, dayfirst: bool | None
) -> Times:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return zoned_times(pd.DatetimeIndex(column), zone_name(column.dt.tz), clock)
    if isinstance(column.dtype, pd.PeriodDtype):
        return naive_times(column.dt.to_timestamp())
    if pd.api.types.is_datetime64_dtype(column):
        return naive_times(column)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        numbers: Array | None = column.to_numpy()
    else:
        texts = column.map(str).str.strip()
        whole = texts.str.fullmatch(_NUMBER).all()
        numbers = pd.to_numeric(texts).to_numpy() if whole else None
    if numbers is not None:
        dates = slashed(numbers, clock) if clock is None or clock.dated else None
        if dates is None:
            return _numbers(numbers, rows, owner, clock)
        texts = dates
    return _texts(texts, rows, owner, clock, dayfirst)


def _as_learned(times: Times, clock: Clock, column: pd.Series[Any], owner: str) -> Times:
    """Refuse times that do not tell what those of the fit told."""
    if clock.zone == LOCAL and times.zone is None and times.dated:
        return replace(times, zone=LOCAL, wall=True)
    if clock.dated != times.dated or (clock.zone is None) != (times.zone is None):
        raise other_clock(clock, column.iloc[0], owner)
    return times


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Times of Arrow and of Python in the type that pandas has for them."""
    if isinstance(column.dtype, pd.ArrowDtype) and column.dtype.kind == "M":
        zone = getattr(column.dtype.pyarrow_dtype, "tz", None)
        kind: Any = f"datetime64[us, {zone}]" if zone else "datetime64[us]"
        return column.astype(kind)
    return column.infer_objects() if column.dtype == object else column


def _numbers(values: Array, rows: Array, owner: str, clock: Clock | None) -> Times:
    if clock is not None and not clock.dated:
        return Times(_whole(values, rows, owner), False)
    found = read_dates_of_numbers(values, clock)
    return found or Times(_whole(values, rows, owner), False)


def _whole(values: Array, rows: Array, owner: str) -> Array:
    whole = np.mod(values, 1) == 0
    if not whole.all():
        row = int(np.argmin(whole))
        remedy = "Write dates as 2024-12-31, or number the steps"
        raise _wrong("dates or whole numbers", f"{values[row]}", rows[row], owner, remedy)
    found: Array = values.astype(np.int64)
    return found


def read_dates_of_numbers(values: Array, clock: Clock | None) -> Times | None:
    """Read numbers that are dates, such as 2024123123, or Unix time.

    Args:
        values: Numbers, `[rows]`.
        clock: The clock of a fit: of two readings the nearer to its times is meant; without one
            the more regular. Where it has no time zone, Unix time is taken for its own.

    Returns:
        The times; None for numbers that count.

    Example:
        >>> read_dates_of_numbers(np.array([1700000000]), None).zone
        'UTC'
    """
    whole = bool((np.mod(values, 1) == 0).all()) and bool((np.abs(values) < 2**62).all())
    dates = read_numbered(values.astype(np.int64), clock) if whole else None
    unix = read_unix(values)
    if dates is not None and unix is not None:
        if clock is None:
            instants = pd.Series(unix.astype("datetime64[us]"))
            nearer = gaps(dates) <= gaps(instants)
        else:
            written = naive_times(dates).instants[0]
            nearer = abs(written - clock.origin) <= abs(unix[0] - clock.origin)
        dates, unix = (dates, None) if nearer else (None, unix)
    if dates is not None:
        return naive_times(dates)
    if unix is None:
        return None
    return unix_times(unix, clock)


def _texts(
    texts: pd.Series[Any], rows: Array, owner: str, clock: Clock | None, asked: bool | None
) -> Times:
    offsets = _offsets(texts, rows, owner)
    written, utc, dayfirst = texts, offsets is not None, None
    if utc:
        texts = texts.str.replace(r"(?i)\s*(UTC|GMT|Z)$", "Z", regex=True)
    dates = _iso(texts, utc)
    if dates.isna().any():
        texts = spelled(texts)
        dates = _iso(texts, utc)
    if dates.isna().any():
        dates, dayfirst = read_guessed(texts, rows, owner, asked, utc=utc)
    wrong = dates.isna().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        remedy = "Write dates as 2024-12-31 or 2024-12-31 23:00, or count the steps: 0, 1, 2"
        raise _wrong("a date or a whole number", repr(written.iloc[row]), rows[row], owner, remedy)
    times = naive_times(dates) if offsets is None else offset_times(dates, offsets, clock)
    return replace(times, dayfirst=dayfirst)


def _iso(texts: pd.Series[Any], utc: bool) -> pd.Series[Any]:
    dates: pd.Series[Any] = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=utc)
    return dates


def _offsets(texts: pd.Series[Any], rows: Array, owner: str) -> pd.Series[str] | None:
    """The offset from UTC that each text names; None for none."""
    offsets = texts.str.extract(_OFFSET, expand=False).str.upper().replace(["Z", "GMT"], "UTC")
    offsets = offsets.str.replace(r"^([+-]\d\d)$", r"\1:00", regex=True)
    offsets = offsets.str.replace(r"^([+-]\d\d)(\d\d)$", r"\1:\2", regex=True)
    missing = offsets.isna().to_numpy()
    if missing.all():
        return None
    if missing.any():
        row = int(missing.argmax())
        remedy = "Write the offset from UTC in every row, or in none"
        got = repr(texts.iloc[row])
        raise _wrong("of a time zone in every row", got, rows[row], owner, remedy)
    return offsets


def _wrong(rule: str, got: str, row: Any, owner: str, remedy: str = "") -> InputError:
    return InputError(message(owner, "time", rule, f"{got} in row {row}", remedy))

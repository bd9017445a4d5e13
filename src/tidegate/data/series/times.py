"""Times of a table: dates, texts or numbers read as whole microseconds, faults named by row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.errors import InputError, message

_OFFSET = r"(?i)\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)$"
_QUARTER = re.compile(r"^\s*(\d{4})[ -]?[qQ]([1-4])\s*$")
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Times:
    """The times of the rows of a table.

    Attributes:
        instants: Microseconds since 1970, or numbers, `[rows]` int64.
        dated: Whether they are dates.
        zone: Their time zone, or None.
        wall: Whether the instants are those of the wall clock in that zone, and not UTC.
    """

    instants: Array
    dated: bool
    zone: str | None = None
    wall: bool = False


def read_times(column: pd.Series[Any], rows: Array, owner: str) -> Times:
    """Read a column of times.

    Args:
        column: Dates, texts that are dates or whole numbers, or numbers.
        rows: The number of each row in the table, for messages.
        owner: Who complains.

    Returns:
        The times.

    Raises:
        InputError: If a cell is empty or no time, or the time zones differ; with the row.

    Example:
        >>> read_times(pd.Series(["1", "2"]), np.array([1, 2]), "series").instants.tolist()
        [1, 2]
    """
    missing = column.isna().to_numpy()
    if missing.any():
        raise _wrong("given in every row", "an empty cell", rows[missing.argmax()], owner)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _zoned(pd.DatetimeIndex(column), str(column.dt.tz))
    if isinstance(column.dtype, pd.PeriodDtype):
        return _naive(column.dt.to_timestamp())
    if pd.api.types.is_datetime64_dtype(column):
        return _naive(column)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _numbers(column, rows, owner)
    texts = column.map(str).str.strip()
    if texts.str.fullmatch(r"[+-]?\d+").all():
        return _numbers(texts.astype("int64"), rows, owner)
    return _texts(texts, rows, owner)


def _naive(column: Any) -> Times:
    return Times(np.asarray(column).astype("datetime64[us]").astype(np.int64), True)


def _zoned(index: pd.DatetimeIndex, zone: str) -> Times:
    """Times of a zone: by its wall clock where that is the same time on every day."""
    local = index.tz_localize(None).as_unit("us").asi8
    if len(local) and (local % _DAY == local[0] % _DAY).all():
        return Times(np.asarray(local), True, zone, wall=True)
    return Times(np.asarray(index.tz_convert("UTC").as_unit("us").asi8), True, zone)


def _numbers(column: pd.Series[Any], rows: Array, owner: str) -> Times:
    values = column.to_numpy()
    whole = np.mod(values, 1) == 0
    if not whole.all():
        row = int(np.argmin(whole))
        remedy = "Write dates as 2024-12-31, or number the steps"
        raise _wrong("dates or whole numbers", f"{values[row]}", rows[row], owner, remedy)
    numbers = values.astype(np.int64)
    if len(numbers) and numbers.min() >= 18_000_000 and numbers.max() < 22_000_000:  # 20241231
        dates = pd.to_datetime(pd.Series(numbers).map(str), format="%Y%m%d", errors="coerce")
        if dates.notna().all():
            return _naive(dates)
    return Times(numbers, False)


def _texts(texts: pd.Series[Any], rows: Array, owner: str) -> Times:
    zone = _offset(texts, rows, owner)
    quarters = texts.str.replace(_QUARTER, _quarter_start, regex=True)
    dates = pd.to_datetime(quarters, format="ISO8601", errors="coerce", utc=zone is not None)
    if dates.isna().any():
        dates = _guessed(quarters, zone is not None)
    wrong = dates.isna().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        remedy = "Write dates as 2024-12-31 or 2024-12-31 23:00, or count the steps: 0, 1, 2"
        raise _wrong("a date or a whole number", repr(texts.iloc[row]), rows[row], owner, remedy)
    if zone is None:
        return _naive(dates)
    return _zoned(pd.DatetimeIndex(dates).tz_convert(zone), zone)


def _quarter_start(found: re.Match[str]) -> str:
    return f"{found[1]}-{3 * int(found[2]) - 2:02d}-01"


def _offset(texts: pd.Series[Any], rows: Array, owner: str) -> str | None:
    """The offset from UTC that all texts name, such as "+01:00"; None when none does."""
    offsets = texts.str.extract(_OFFSET, expand=False).str.upper().replace("Z", "UTC")
    if offsets.isna().all():
        return None
    other = (offsets != offsets.iloc[0]).to_numpy()
    if other.any():
        row = int(other.argmax())
        got = f"{texts.iloc[row]!r} in row {rows[row]}, after {texts.iloc[0]!r}"
        remedy = "Convert them all to UTC"
        raise InputError(message(owner, "time", "of one time zone", got, remedy))
    return str(offsets.iloc[0])


def _guessed(texts: pd.Series[Any], utc: bool) -> pd.Series[Any]:
    """Read dates of another form: month or day first, whichever makes more regular steps."""
    found = []
    for day_first in (False, True):
        parsed = _parsed(texts, utc, day_first)
        if parsed.notna().all():
            found.append(parsed)
    if not found:
        return _parsed(texts, utc, False)
    return min(found, key=_disorder)


def _disorder(dates: pd.Series[Any]) -> tuple[bool, int]:
    """Whether dates ever go backwards, and how many different steps they make."""
    return not dates.is_monotonic_increasing, int(dates.diff().nunique())


def _parsed(texts: pd.Series[Any], utc: bool, day_first: bool) -> pd.Series[Any]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas tells how it guesses
        dates: pd.Series[Any] = pd.to_datetime(texts, errors="coerce", dayfirst=day_first, utc=utc)
    return dates


def _wrong(rule: str, got: str, row: Any, owner: str, remedy: str = "") -> InputError:
    return InputError(message(owner, "time", rule, f"{got} in row {row}", remedy))

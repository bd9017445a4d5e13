"""Guessed dates: texts in forms of many countries, of which days or months may stand first."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.clock import infer_clock
from tidegate.errors import InputError, message

# Jan-16 is a month of a year.
_MONTH_OF_YEAR = re.compile(r"^([A-Za-z]{3,9})\.?[-/ ']+(\d\d)$")
# What names a year: four digits, eight that begin with it, or three parts with two digits at the
# end. pandas would put the year in which it runs for any other.
_YEAR = r"(?<!\d)\d{4}(?!\d)|(?<!\d)(?:1[89]|2[01])\d{6}(?!\d)"
_YEAR += r"|^\d{1,2}[-/., ]+(?:\d{1,2}|[A-Za-z]{3,9})[-/., ]+\d\d(?!\d?:)"
_YEAR += r"|^[A-Za-z]{3,9}[-/. ]+\d{1,2}[-/., ]+\d\d(?!\d?:)"

# 12/31/2024: two numbers before the year, of which one is the month.
_TWO_PARTS = r"^(\d{1,2})[-/. ]+(\d{1,2})[-/. ]"
_YEAR_FIRST = r"\d{4}\D"


def read_guessed(
    texts: pd.Series[Any], rows: Array, owner: str, dayfirst: bool | None, *, utc: bool
) -> tuple[pd.Series[Any], bool | None]:
    """Read dates of another form than ISO 8601.

    Args:
        texts: The texts.
        rows: The number of each row in the table, for messages.
        owner: Who complains.
        dayfirst: Whether days stand before months; None takes what makes times without gaps.
        utc: Whether to read them as UTC.

    Returns:
        The dates, NaT where a text is none; and whether days stand first, None if it makes no
        difference.

    Raises:
        InputError: If both readings are as regular, and differ.

    Example:
        >>> texts = pd.Series([f"01/{month:02d}/2015" for month in range(1, 13)] + ["01/01/2016"])
        >>> found, dayfirst = read_guessed(texts, np.arange(1, 14), "docs", None, utc=False)
        >>> found[1], dayfirst
        (Timestamp('2015-02-01 00:00:00'), True)
    """
    texts = texts.str.replace(_MONTH_OF_YEAR, _month_start, regex=True)
    texts = texts.where(texts.str.contains(_YEAR))
    if texts.str.match(_YEAR_FIRST).all():
        return _parsed(texts, False, utc), None  # months stand before days there
    if dayfirst is not None:
        return _parsed(texts, dayfirst, utc), dayfirst
    month, day = (_parsed(texts, first, utc) for first in (False, True))
    if day.isna().any() or month.isna().any() or day.equals(month):
        first = bool(month.isna().any() and day.notna().all())
        return (day if first else month), (None if day.equals(month) else first)
    missing = gaps(month), gaps(day)
    if missing[0] == missing[1]:
        row = int((day != month).to_numpy().argmax())
        got = f"{texts.iloc[row]!r} in row {rows[row]}, which may be {month.iloc[row]:%d %B} or "
        rule = "dates whose day and month can be told apart"
        remedy = "Write them as 2015-12-31, or say which comes first with dayfirst (--dayfirst)"
        got += f"{day.iloc[row]:%d %B}"
        raise InputError(message(owner, "time", rule, got, remedy))
    first = missing[1] < missing[0]
    return (day if first else month), first


def gaps(dates: pd.Series[Any]) -> float:
    """How regular times are, none better than 0: the share of steps that would be missing.

    Args:
        dates: The times, in any order.

    Returns:
        The share, infinite where there is no usual step.

    Example:
        >>> gaps(pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-04"])))
        0.25
    """
    index = pd.DatetimeIndex(dates)
    if index.tz is not None:
        index = index.tz_localize(None)
    instants = np.unique(np.asarray(index.as_unit("us").asi8))
    try:
        clock = infer_clock(instants, dated=True, owner="")
    except InputError:
        return np.inf
    positions, exact = clock.positions(instants)
    if not exact.all():
        return np.inf
    return float(1 - len(instants) / (positions[-1] - positions[0] + 1))


def _parsed(texts: pd.Series[Any], dayfirst: bool, utc: bool) -> pd.Series[Any]:
    """Read dates, none of them the other way round, which pandas does for a month above 12."""
    parts = texts.str.extract(_TWO_PARTS).astype(float)
    texts = texts.where(~(parts[1 if dayfirst else 0] > 12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas tells how it guesses
        dates: pd.Series[Any] = pd.to_datetime(texts, errors="coerce", dayfirst=dayfirst, utc=utc)
    return dates


def _month_start(found: re.Match[str]) -> str:
    century = 19 if int(found[2]) >= 69 else 20  # as the C library reads years of two digits
    return f"1 {found[1]} {century}{found[2]}"

"""Spelled dates: weeks, months and quarters as people write them, turned into ISO 8601."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pandas as pd

_YEAR, _SHORT = r"(?P<year>\d{4})", r"['’]?(?P<short>\d\d)"
_BETWEEN = r"[\s./_-]*"
_QUARTER, _WEEK = (
    r"(?:q|qtr|quarter)\.?\s*0?(?P<part>[1-4])",
    r"(?:w|wk|week|kw)\.?\s*(?P<week>\d{1,2})",
)
_MONTH = r"m(?P<month>\d{1,2})"
# Of each, the year may come first or last; a week may have a day.
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_YEAR}{_BETWEEN}{_QUARTER}",
        rf"{_QUARTER}{_BETWEEN}(?:{_YEAR}|{_SHORT})",
        rf"(?P<part>[1-4])\s*q{_BETWEEN}(?:{_YEAR}|{_SHORT})",
        rf"{_YEAR}{_BETWEEN}{_WEEK}(?:-?(?P<day>[1-7]))?",
        rf"{_WEEK}{_BETWEEN}{_YEAR}",
        rf"{_YEAR}{_BETWEEN}{_MONTH}",
    )
)

# The year first, in other signs than those of ISO 8601 or without its zeros.
_YMD = re.compile(
    r"^(\d{4})[-/.年]\s?(\d{1,2})"
    r"(?:[-/.月]\s?(\d{1,2})(?:日?[T\s]+(\d{1,2})(?=:))?)?[月日]?(?![\d/.-])"
)


def spelled(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Turn dates with the year first, weeks, months and quarters into texts of ISO 8601.

    Weeks (2015-W01), months (2015M01) and quarters (Q1 2015) become their first days.

    Args:
        texts: Texts, without white space at their ends.

    Returns:
        The texts, what is none of these as it was.

    Example:
        >>> spelled(pd.Series(["2015-W01", "Q2 2015", "2015-05-01"])).tolist()
        ['2014-12-29', '2015-04-01', '2015-05-01']
    """
    return texts.map({text: _first_day(text) for text in texts.unique()})


def _first_day(text: str) -> str:
    for form in _FORMS:
        if found := form.fullmatch(text):
            return _iso(found.groupdict()) or text
    return _YMD.sub(_padded, text, count=1)


def _padded(found: re.Match[str]) -> str:
    day = f"-{int(found[3]):02d}" if found[3] else ""
    hour = f" {int(found[4]):02d}" if found[4] else ""
    return f"{found[1]}-{int(found[2]):02d}{day}{hour}"


def _iso(found: dict[str, Any]) -> str | None:
    """The date that parts stand for, None if there is none such."""
    year = int(found["year"]) if found.get("year") else _century(int(found["short"]))
    try:
        if found.get("week"):
            first = date.fromisocalendar(year, int(found["week"]), int(found.get("day") or 1))
        elif found.get("part"):
            first = date(year, 3 * int(found["part"]) - 2, 1)
        else:
            first = date(year, int(found["month"]), 1)
    except ValueError:
        return None
    return first.isoformat()


def _century(short: int) -> int:
    return short + (1900 if short >= 69 else 2000)  # as the C library reads years of two digits

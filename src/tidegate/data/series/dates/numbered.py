"""Numbered dates: dates that are written as whole numbers, such as 201612 or 2024123123."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.clock import Clock
from tidegate.data.series.dates.guessed import gaps

# How dates are written with so many digits, the first of equally regular ones counts.
_FORMS = {
    6: ("%Y%m", "%G%V", "%y%m%d"),
    7: ("%Y%j",),
    8: ("%Y%m%d", "%y%m%d%H"),
    10: ("%Y%m%d%H", "%y%m%d%H%M"),
    12: ("%Y%m%d%H%M", "%y%m%d%H%M%S"),
    14: ("%Y%m%d%H%M%S",),
    17: ("%Y%m%d%H%M%S%f",),
}
_WEEK = 7 * 86_400_000_000  # microseconds
_YEARS = (1800, 2199)  # numbers that begin with others are no dates


def read_numbered(numbers: Array, clock: Clock | None = None) -> pd.Series[pd.Timestamp] | None:
    """Read whole numbers as dates, if all of them are written like dates of one form.

    Forms are 2024 with two digits more for months (201612), or else for weeks (201653, by ISO
    8601), with one for quarters (20164), three for the day of the year, four for days, and so on
    down to milliseconds; and 161231, down to seconds. Of several the one with fewer gaps is meant.

    Args:
        numbers: Whole numbers, `[rows]` int64.
        clock: The clock of a fit: the form whose times are on it is meant.

    Returns:
        The dates, the first instant of each month, week or quarter; None for other numbers, which
        count.

    Example:
        >>> import numpy as np
        >>> read_numbered(np.array([201611, 201612]))[1]
        Timestamp('2016-12-01 00:00:00')
        >>> read_numbered(np.array([1, 2, 3]))
    """
    texts = pd.Series(numbers).map(str)
    digits = set(texts.str.len())
    if len(digits) != 1 or (numbers < 0).any():
        return None
    (count,) = digits
    centuries = bool(texts.str[:4].astype(int).between(*_YEARS).all())
    if count == 5 and centuries and texts.str[4].isin([*"1234"]).all():
        return pd.to_datetime(texts.str[:4] + "-" + texts.str[4].map(_quarter_month) + "-01")
    forms = [form for form in _FORMS.get(count, ()) if centuries or form.startswith("%y")]
    if clock is not None:
        forms.sort(key=lambda form: form != _usual_form(clock))
    found = {form: dates for form in forms if (dates := _parsed(texts, form)).notna().all()}
    if clock is not None:
        on = [dates for dates in found.values() if clock.positions(_instants(dates))[1].all()]
        return next(iter(on or found.values()), None)
    best = min(found, key=lambda form: gaps(found[form]), default="")
    if best.startswith("%y") and gaps(found[best]) >= _gaps_of_numbers(numbers):
        return None  # any digits: they count unless days fit better
    return found.get(best)


def slashed(values: Array, clock: Clock | None = None) -> pd.Series[str] | None:
    """Write whole numbers such as 31122024 as 31/12/2024, if all are days and months of years.

    Args:
        values: Numbers, `[rows]`.
        clock: The clock of a fit; one that knows whether days stand first had no 2012020, the
            20th day of 2012.

    Returns:
        The texts; None for other numbers, those with the year first among them.

    Example:
        >>> slashed(np.array([1012024, 31012024])).tolist()
        ['01/01/2024', '31/01/2024']
    """
    low, high = 10**6, 10**8
    if not len(values) or values.min() < low or values.max() >= high or np.mod(values, 1).any():
        return None
    numbers = values.astype(np.int64)
    first, second, years = numbers // 10**6, numbers // 10**4 % 100, numbers % 10**4
    parts = np.minimum(first, second), np.maximum(first, second)
    if not ((years >= _YEARS[0]) & (years <= _YEARS[1])).all() or parts[0].min() < 1:
        return None
    if parts[0].max() > 12 or parts[1].max() > 31:
        return None
    if (clock is None or clock.dayfirst is None) and read_numbered(numbers) is not None:
        return None
    if len(np.unique(years)) > len(np.unique(numbers // 10**4)):
        return None  # they count: 1012024, 1012025
    texts: pd.Series[str] = pd.Series(numbers).map("{:08d}".format)
    written: pd.Series[str] = texts.str[:2] + "/" + texts.str[2:4] + "/" + texts.str[4:]
    return written


def _usual_form(clock: Clock) -> str:
    """How six digits are written for times of such steps."""
    if clock.kind == "month":
        return "%Y%m"
    return "%G%V" if clock.kind == "duration" and clock.step % _WEEK == 0 else "%y%m%d"


def _parsed(texts: pd.Series[str], form: str) -> pd.Series[pd.Timestamp]:
    if form == "%G%V":  # a week begins on Monday
        return pd.to_datetime(texts + "1", format="%G%V%u", errors="coerce")
    return pd.to_datetime(texts, format=form, errors="coerce")


def _instants(dates: pd.Series[pd.Timestamp]) -> Array:
    return np.asarray(pd.DatetimeIndex(dates).as_unit("us").asi8)


def _gaps_of_numbers(numbers: Array) -> float:
    """The share of steps that would be missing if the numbers counted."""
    counted = np.unique(numbers)
    steps = np.diff(counted)
    return float(1 - len(steps) * steps.min() / steps.sum()) if len(steps) else 0.0


def _quarter_month(quarter: str) -> str:
    return f"{3 * int(quarter) - 2:02d}"

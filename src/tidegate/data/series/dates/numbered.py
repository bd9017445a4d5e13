"""Numbered dates: dates that are written as whole numbers, such as 201612 or 2024123123."""

from __future__ import annotations

import pandas as pd

from tidegate.data.batching import Array

# How dates are written with so many digits, all of one number alike.
_FORMS = {6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_YEARS = (1800, 2199)  # numbers that begin with others are no dates


def read_numbered(numbers: Array) -> pd.Series[pd.Timestamp] | None:
    """Read whole numbers as dates, if all of them are written like dates of one form.

    Forms are 2024 with two digits more for months (201612), or else for weeks (201653, by ISO
    8601), with one for quarters (20164), with four for days, and so on down to seconds.

    Args:
        numbers: Whole numbers, `[rows]` int64.

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
    if len(digits) != 1 or not texts.str[:4].astype(int).between(*_YEARS).all():
        return None
    (count,) = digits
    if count == 5 and texts.str[4].isin([*"1234"]).all():
        return pd.to_datetime(texts.str[:4] + "-" + texts.str[4].map(_quarter_month) + "-01")
    if count not in _FORMS:
        return None
    dates = pd.to_datetime(texts, format=_FORMS[count], errors="coerce")
    if count == 6 and dates.isna().any():
        dates = pd.to_datetime(texts + "1", format="%G%V%u", errors="coerce")
    return dates if dates.notna().all() else None


def _quarter_month(quarter: str) -> str:
    return f"{3 * int(quarter) - 2:02d}"

"""Values and times of single steps, read out of whatever a stream is given."""

from __future__ import annotations

import math
from datetime import datetime, timezone

import numpy as np

from tidegate.errors import InputError, message

DAY = 86_400.0


def read_step(value: object, names: tuple[str, ...]) -> list[float]:
    """Read the values of one step; what is no finite number becomes NaN.

    Args:
        value: A number, or one for each name.
        names: What the variables are called.

    Returns:
        A number for each name.

    Raises:
        InputError: If there are not D values.

    Example:
        >>> read_step("7.5", ("load",)), read_step(["x", 2], ("load", "heat"))
        ([7.5], [nan, 2.0])
    """
    listed = value if isinstance(value, list | tuple | np.ndarray) else (value,)
    if len(listed) != len(names):
        rule = f"{len(names)} numbers: {', '.join(names)}" if len(names) > 1 else "one number"
        raise InputError(message("AnomalyStream", "value", rule, f"{len(listed)} of them"))
    return [read_number(item) for item in listed]


def read_number(item: object) -> float:
    """Read a number; what is no finite number becomes NaN."""
    try:
        number = float(item)  # type: ignore[arg-type]  # a thing of any kind is asked for
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def as_seconds(time: object, owner: str) -> float:
    """Read a time as seconds since 1970, by its own clock: a time zone is left out of account.

    Args:
        time: Seconds, a datetime, a numpy datetime64 or a text that is a date.
        owner: Who complains.

    Returns:
        Seconds.

    Raises:
        InputError: If it is no time.

    Example:
        >>> as_seconds("1970-01-01 00:01", "docs")
        60.0
    """
    found = time
    if isinstance(found, np.datetime64):
        found = found.astype("datetime64[us]").item()
    if isinstance(found, str):
        try:
            found = datetime.fromisoformat(found.strip())
        except ValueError:
            found = read_number(found)
    if isinstance(found, datetime):
        return found.replace(tzinfo=timezone.utc).timestamp()
    if isinstance(found, int | float) and math.isfinite(found):
        return float(found)
    remedy = "Write it as 2024-12-31 23:00, or as seconds since 1970"
    raise InputError(message(owner, "time", "a date or a whole number", repr(time), remedy))

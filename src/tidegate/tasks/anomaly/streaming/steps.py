"""Values of single steps, read out of whatever a stream is given."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from tidegate.data.names import ColumnNames, named, places
from tidegate.errors import InputError, message

DAY = 86_400.0
# A number as files hold it.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

_OWNER = "AnomalyStream"


def read_step(value: object, names: tuple[str, ...]) -> list[float]:
    """Read the values of one step; what is no finite number becomes NaN.

    Args:
        value: A number, or one for each name: in their order, or by name in a dictionary or a
            pandas Series, in which further names do not matter.
        names: What the variables are called.

    Returns:
        A number for each name.

    Raises:
        InputError: If there are not D values, or a name is not among them.

    Example:
        >>> read_step("7.5", ("load",)), read_step(["x", 2], ("load", "heat"))
        ([7.5], [nan, 2.0])
    """
    if isinstance(value, pd.Series | Mapping):
        given, learned = ColumnNames.of(value.keys()), ColumnNames(names, named(names, None))
        cells = list(dict(value).values())
        value = [cells[at] for at in places(given, learned, _OWNER, argument="value")]
    listed = value if isinstance(value, list | tuple | np.ndarray) else (value,)
    if len(listed) != len(names):
        rule = f"{len(names)} numbers: {', '.join(names)}" if len(names) > 1 else "one number"
        raise InputError(message(_OWNER, "value", rule, f"{len(listed)} of them"))
    return [read_number(item) for item in listed]


def read_number(item: object) -> float:
    """Read a number; what is no finite number becomes NaN.

    Example:
        >>> read_number("-1.5e3"), read_number("1_000")
        (-1500.0, nan)
    """
    if isinstance(item, bytes | bytearray):
        item = item.decode("ascii", errors="replace")
    if isinstance(item, str) and not _NUMBER.fullmatch(item.strip()):
        return math.nan  # what Python alone would read, such as 1_000 or digits of other scripts
    try:
        number = float(item)  # type: ignore[arg-type]  # a thing of any kind is asked for
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan

"""Scale: from values to numbers of the size of 1, whatever their unit, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tidegate.errors import InputError, message

Array = np.ndarray[Any, np.dtype[Any]]

DAY = 86_400.0
# The distance of the 10 % and 90 % quantiles of a normal distribution, in deviations.
_NORMAL = 2.563


@dataclass(frozen=True)
class Scale:
    """Brings values to a common size: sign(z) log(1 + |z|) of z = (x - center) / spread.

    The logarithm keeps values far outside what was learned from saturating the net.

    Attributes:
        center: Median of each variable, `[D]`.
        spread: Its deviation as told by the 10 % and 90 % quantiles, `[D]`, > 0.
        constant: Which variables never changed, `[D]` bool.

    Example:
        >>> scale = Scale.fit(np.arange(11.0)[:, None])
        >>> float(scale.center[0]), bool(scale.constant[0])
        (5.0, False)
    """

    center: Array
    spread: Array
    constant: Array

    @classmethod
    def fit(cls, values: Array) -> Scale:
        """Learn from values `[T, D]`; NaN is missing, one value at least is not in each column."""
        low, center, high = np.nanquantile(values, [0.1, 0.5, 0.9], axis=0)
        spread = (high - low) / _NORMAL
        spread = np.where(spread > 0, spread, np.nanstd(values, axis=0))
        constant = ~(spread > 1e-9 * np.abs(center))
        # Of a constant nobody knows how much it may move: a hundredth of its size is a guess.
        guess = np.maximum(np.abs(center), 1.0) / 100
        return cls(center, np.where(constant, guess, spread), constant)

    def forward(self, values: Array) -> Array:
        """Scale finite values `[..., D]`."""
        z = (values - self.center) / self.spread
        found: Array = np.copysign(np.log1p(np.abs(z)), z)
        return found

    def backward(self, scaled: float, variable: int) -> float:
        """Return a scaled number of one variable in its own unit."""
        z = math.copysign(math.expm1(min(abs(scaled), 700.0)), scaled)
        return float(self.center[variable]) + float(self.spread[variable]) * z


def read_step(value: Any, names: tuple[str, ...]) -> Array:
    """Read the values of one step; what is no finite number becomes NaN.

    Args:
        value: A number, or one for each name.
        names: What the variables are called.

    Returns:
        Numbers `[D]` float64.

    Raises:
        InputError: If there are not D values.

    Example:
        >>> read_step("7.5", ("load",)).tolist()
        [7.5]
    """
    listed = value if isinstance(value, list | tuple | np.ndarray) else (value,)
    if len(listed) != len(names):
        rule = f"{len(names)} numbers: {', '.join(names)}" if len(names) > 1 else "one number"
        raise InputError(message("AnomalyStream", "value", rule, f"{len(listed)} of them"))
    return np.array([_number(item) for item in listed])


def _number(item: Any) -> float:
    try:
        number = float(item)
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def as_seconds(time: Any, owner: str) -> float:
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
    if isinstance(time, np.datetime64):
        time = time.astype("datetime64[us]").item()
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time.strip())
        except ValueError:
            time = _number(time)
    if isinstance(time, datetime):
        return time.replace(tzinfo=UTC).timestamp()
    if isinstance(time, int | float) and math.isfinite(time):
        return float(time)
    remedy = "Write it as 2024-12-31 23:00, or as seconds since 1970"
    raise InputError(message(owner, "time", "a date or a number", repr(time), remedy))

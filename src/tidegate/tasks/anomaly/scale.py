"""Scale: from values to numbers of the size of 1, whatever their unit, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

import numpy as np

from tidegate.errors import InputError, message

Array = np.ndarray[Any, np.dtype[Any]]

DAY = 86_400.0
# The distance of the 10 % and 90 % quantiles of a normal distribution, in deviations.
_NORMAL = 2.563
# Beyond this the exponential would overflow.
_MOST = 700.0


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

    @cached_property
    def _pairs(self) -> list[tuple[float, float]]:
        return list(zip(self.center.tolist(), self.spread.tolist(), strict=True))

    def forward_step(self, values: Sequence[float], missing: Sequence[float]) -> list[float]:
        """Scale the values of one step, as `forward`; it is faster for a few.

        Args:
            values: One for each variable, NaN where it is missing.
            missing: What to take there, scaled already.
        """
        found = []
        for value, (center, spread), instead in zip(values, self._pairs, missing, strict=True):
            z = (value - center) / spread
            found.append(math.copysign(math.log1p(abs(z)), z) if not math.isnan(z) else instead)
        return found

    def backward(self, scaled: float, variable: int) -> float:
        """Return a scaled number of one variable in its own unit."""
        center, spread = self._pairs[variable]
        return center + spread * math.copysign(math.expm1(min(abs(scaled), _MOST)), scaled)


def read_step(value: Any, names: tuple[str, ...]) -> list[float]:
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


def read_number(item: Any) -> float:
    """Read a number; what is no finite number becomes NaN."""
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

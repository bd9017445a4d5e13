"""Scaling: columns of any unit brought to one size."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tidegate.data.batching import Array

METHODS = ("standard", "robust", "none")

# How far the quantiles q and 1 - q of a normal distribution lie apart, in standard deviations.
_NORMAL = {0.25: 1.349, 0.1: 2.563}
# Equal values that were computed differently lie so many last digits apart.
_GRAIN = 2.0
# A value counts as at most so many scales: a single one must leave all numbers finite.
_MOST = 1e12


@dataclass(frozen=True, eq=False)
class Scaling:
    """Brings columns to a common size: z = (x - centre) / scale.

    Axis letters: N values, C columns.

    Attributes:
        centre: `[C]` float64, what becomes 0.
        scale: `[C]` float64, what becomes 1; 0 for a column that never changes, as `fit` finds it.

    Example:
        >>> scaling = Scaling.fit(np.array([[1.0], [3.0]]), "standard")
        >>> scaling.forward(np.array([5.0])).tolist()
        [3.0]
    """

    centre: Array
    scale: Array

    @classmethod
    def fit(
        cls, values: Array, method: str, *, tail: float = 0.25, grain: Array | None = None
    ) -> Scaling:
        """Measure where the values of each column lie and how far they spread.

        What counts is how far values differ, whatever their size: 1e8 + 1 beside 1e8 - 1 spreads
        as far as 1 beside -1.

        Args:
            values: `[N, C]`; NaN is missing and counts nothing.
            method: "standard" (mean and standard deviation), "robust" (median and the distance of
                two quantiles, in units of a normal distribution's deviation; where they are the
                same value, the standard deviation) or "none" (0 and 1).
            tail: The share of values beyond each of the two quantiles: 0.25, for the quartiles, or
                0.1.
            grain: What values differ by rounding alone, `[C]`; by default that of double precision
                at the greatest of them, see `rounding`.

        Returns:
            The scaling; a column without a value has centre 0 and a scale of NaN, one whose values
            differ by no more than the grain a scale of 0.
        """
        columns = values.shape[1]
        if method == "none" or not len(values):
            return cls(np.zeros(columns), np.ones(columns))
        least = rounding(values) if grain is None else grain
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a column of nothing but NaN
            constant = np.nanmax(values, axis=0) - np.nanmin(values, axis=0) <= least
            if method == "standard":
                centre, scale = np.nanmean(values, axis=0), _deviation(values)
            else:
                low, centre, high = np.nanquantile(values, [tail, 0.5, 1 - tail], axis=0)
                near = (high - low) / _NORMAL[tail]
                scale = np.where(near > least, near, _deviation(values))
        return cls(np.where(np.isnan(centre), 0.0, centre), np.where(constant, 0.0, scale))

    @property
    def flat(self) -> Array:
        """Which columns never change, `[C]` bool."""
        flat: Array = ~(self.scale > 0)
        return flat

    def usable(self) -> Scaling:
        """Return the scaling with a scale of 1 for the columns that never change."""
        return Scaling(self.centre, np.where(self.flat, 1.0, self.scale))

    def forward(self, values: Array) -> Array:
        """Scale values `[..., C]`."""
        scaled: Array = (values - self.centre) / self.scale
        return scaled


def rounding(values: Array) -> Array:
    """Say how far equal values of each column may lie apart by rounding, `[C]`.

    Args:
        values: `[N, C]` of any precision; NaN is missing.

    Example:
        >>> rounding(np.array([[1.0]])) < 1e-15
        array([ True])
    """
    size = np.abs(np.nan_to_num(values)).max(axis=0, initial=0.0).astype(np.float64)
    grain: Array = _GRAIN * float(np.finfo(values.dtype).eps) * size
    return grain


def _deviation(values: Array) -> Array:
    """The standard deviation of each column, also where squares are too small for a number."""
    found: Array = np.nanstd(values, axis=0)
    if (found == 0).any():
        unit = np.nanmax(np.abs(values), axis=0)
        unit = np.where(unit > 0, unit, 1.0)
        found = np.where(found == 0, unit * np.nanstd(values / unit, axis=0), found)
    return found


@dataclass(frozen=True, eq=False)
class LogScaling(Scaling):
    """Scales by median and deciles, then takes the symmetric logarithm: sign(z) log(1 + |z|).

    The logarithm keeps values far outside what was learned from saturating a net; beyond 10^12
    scales they count as that far.

    Attributes:
        constant: `[C]` bool, the columns whose scale is a guess.

    Example:
        >>> scaling = LogScaling.learn(np.arange(11.0)[:, None])
        >>> float(scaling.centre[0]), bool(scaling.constant[0])
        (5.0, False)
    """

    constant: Array

    @classmethod
    def learn(cls, values: Array) -> LogScaling:
        """Learn from values `[N, C]`; NaN is missing, but not in a whole column."""
        found = Scaling.fit(values, "robust", tail=0.1)
        size = np.abs(found.centre)
        # A deviation that overflows is that of one value beside equal ones.
        constant = found.flat | ~np.isfinite(found.scale)
        # Of a constant nobody knows how much it may move: a hundredth of its size is a guess.
        guess = np.where(size > 0, size, 1.0) / 100
        return cls(found.centre, np.where(constant, guess, found.scale), constant)

    def forward(self, values: Array) -> Array:
        """Scale values `[..., C]`."""
        with np.errstate(over="ignore"):
            z = super().forward(values).clip(-_MOST, _MOST)
        scaled: Array = np.copysign(np.log1p(np.abs(z)), z)
        return scaled

    @cached_property
    def _pairs(self) -> list[tuple[float, float]]:
        return list(zip(self.centre.tolist(), self.scale.tolist(), strict=True))

    def forward_step(self, values: Sequence[float], missing: Sequence[float]) -> list[float]:
        """Scale one value of each column, as `forward`; it is faster for a few.

        Args:
            values: C numbers, NaN where one is missing.
            missing: What to take there, scaled already.
        """
        found = []
        for value, (centre, scale), instead in zip(values, self._pairs, missing, strict=True):
            z = (value - centre) / scale
            size = math.log1p(min(abs(z), _MOST))
            found.append(math.copysign(size, z) if not math.isnan(z) else instead)
        return found

    def inverse_step(self, scaled: float, column: int) -> float:
        """Return a scaled number of one column in its own unit."""
        centre, scale = self._pairs[column]
        size = min(math.expm1(min(abs(scaled), math.log1p(_MOST))), _MOST)
        return centre + scale * math.copysign(size, scaled)

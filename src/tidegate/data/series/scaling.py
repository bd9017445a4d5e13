"""Scaling: series brought to one size by what the training span tells, and back again."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tidegate.data.series.panel import Panel
from tidegate.errors import InputError, message

Array = np.ndarray[Any, np.dtype[Any]]

METHODS = ("standard", "robust", "none")

# The interquartile range of a normal distribution in units of its standard deviation.
_QUARTILES = 1.349


def measure(values: Array, method: str) -> tuple[Array, Array]:
    """Find the shift and the scale of columns; missing values count nothing.

    Args:
        values: `[steps, columns]`, NaN where missing.
        method: "standard" (mean and standard deviation), "robust" (median and quartiles) or
            "none" (0 and 1).

    Returns:
        Shift and scale, `[columns]` float64 each; the scale of what never changes is 1.

    Example:
        >>> shift, scale = measure(np.array([[1.0], [3.0]]), "standard")
        >>> float(shift[0]), float(scale[0])
        (2.0, 1.0)
    """
    columns = values.shape[1]
    if method == "none" or not len(values):
        return np.zeros(columns), np.ones(columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column of nothing but missing values
        if method == "standard":
            shift, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        else:
            low, shift, high = np.nanquantile(values, [0.25, 0.5, 0.75], axis=0)
            scale = (high - low) / _QUARTILES
            flat = scale <= 0  # more than half of the values are the same
            scale = np.where(flat, np.nanstd(values, axis=0), scale)
    # What is left of a constant after rounding is no scale.
    flat = ~(scale > 1e-12 * np.maximum(1.0, np.abs(shift)))
    return np.where(np.isnan(shift), 0.0, shift), np.where(flat, 1.0, scale)


class Change:
    """The change of values that comes before scaling, and back: logarithm, then differences.

    Axis letters: T steps, H steps ahead, C targets.

    Args:
        log: Whether to take log(y + offset).
        lag: Forecast y_t - y_(t - lag); 0 forecasts y_t.
        offset: What is added before the logarithm, `[C]`.

    Example:
        >>> change = Change(log=False, lag=1, offset=np.zeros(1))
        >>> change.forward(np.array([[1.0], [3.0], [6.0]])).ravel().tolist()
        [nan, 2.0, 3.0]
    """

    def __init__(self, *, log: bool, lag: int, offset: Array) -> None:
        self.log, self.lag, self.offset = log, lag, offset

    @property
    def nothing(self) -> bool:
        """Whether values stay as they are."""
        return not self.log and not self.lag

    @classmethod
    def fit(cls, values: Array, *, log: bool, lag: int) -> Change:
        """Learn the offset of the logarithm: 0 for values above 0, 1 where some are 0.

        Args:
            values: The training values `[T, C]`, NaN where missing.
            log: Whether to take the logarithm.
            lag: Steps between differences.
        """
        smallest = np.nanmin(values, axis=0) if log else np.ones(values.shape[1])
        return cls(log=log, lag=lag, offset=np.where(smallest > 0, 0.0, 1.0))

    def check(self, panel: Panel, owner: str) -> None:
        """Refuse values that have no logarithm.

        Args:
            panel: The series.
            owner: Who complains.

        Raises:
            InputError: If there is one; the message names it.
        """
        if not self.log:
            return
        low = panel.values[:, : len(self.offset)] + self.offset <= 0
        if low.any():
            at, column = np.argwhere(low)[0]
            rule = f"greater than {0 - self.offset[column]:g} when log=True"
            got = f"{panel.values[at, column]:g} in {panel.targets[column]!r}"
            remedy = "Leave log out, or differencing in its place"
            raise InputError(message(owner, "target", rule, got, remedy))

    def logged(self, values: Array) -> Array:
        """Take the logarithm of `[T, C]`, if there is one to take."""
        return np.log(values + self.offset) if self.log else values

    def forward(self, values: Array) -> Array:
        """Change one series `[T, C]`; the first `lag` steps are missing afterwards."""
        found = self.logged(values)
        if not self.lag:
            return found
        changed = np.full_like(found, np.nan)
        changed[self.lag :] = found[self.lag :] - found[: -self.lag]
        return changed

    def inverse(self, mean: Array, spreads: Array, before: Array) -> tuple[Array, Array]:
        """Put forecasts back.

        Errors of differences add up as if they were independent of each other: the deviation of a
        sum is the root of the sum of squares.

        Args:
            mean: Changed values `[B, H, C]`.
            spreads: Quantiles minus mean, `[B, H, C, Q]`; Q may be 0.
            before: The last `lag` values before the forecast, not missing, `[B, lag, C]`.

        Returns:
            The mean and the quantiles in the units of the data.
        """
        mean, spreads = mean.copy(), spreads.copy()
        lag = self.lag
        if lag:
            known = self.logged(before)
            for step in range(mean.shape[1]):
                back = step - lag
                mean[:, step] += mean[:, back] if back >= 0 else known[:, step]
                if back >= 0:
                    total = np.hypot(spreads[:, step], spreads[:, back])
                    spreads[:, step] = np.copysign(total, spreads[:, step])
        quantiles = mean[..., None] + spreads
        if not self.log:
            return mean, quantiles
        return np.exp(mean) - self.offset, np.exp(quantiles) - self.offset[:, None]


def fill(values: Array, method: str) -> tuple[Array, Array]:
    """Put something for missing values, from within each window alone.

    Args:
        values: Windows `[B, T, C]`, NaN where missing.
        method: "mask" repeats the last known value; "interpolate" draws a line between the
            neighbours. What is before the first is the first; a window of nothing is 0.

    Returns:
        The windows without missing values, and 1.0 where one was, both `[B, T, C]`.

    Example:
        >>> fill(np.array([[[1.0], [np.nan], [3.0]]]), "interpolate")[0].ravel().tolist()
        [1.0, 2.0, 3.0]
    """
    missing = np.isnan(values)
    if not missing.any():
        return values, np.zeros_like(values)
    steps = np.arange(values.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(missing, -1, steps), axis=1)
    following = np.minimum.accumulate(np.where(missing, values.shape[1], steps)[:, ::-1], axis=1)[
        :, ::-1
    ]
    below, above = np.maximum(last, 0), np.minimum(following, values.shape[1] - 1)
    before = np.take_along_axis(values, below, axis=1)
    after = np.take_along_axis(values, above, axis=1)
    before = np.where(last < 0, after, before)
    if method == "interpolate":
        after = np.where(following >= values.shape[1], before, after)
        share = (steps - below) / np.maximum(following - below, 1)
        before = np.where(last < 0, before, before + share * (after - before))
    filled = np.where(missing, before, values)
    return np.nan_to_num(filled, nan=0.0), missing.astype(values.dtype)


def encode_static(
    columns: Sequence[Sequence[Any]], categories: Sequence[Sequence[str] | None]
) -> Array:
    """Turn what never changes into numbers: numbers stay, a text becomes its category.

    Args:
        columns: One value a series for each static column.
        categories: The texts known of each, or None for a column of numbers.

    Returns:
        `[series, features]` float64; an unknown category is 0 everywhere.
    """
    parts = [
        np.asarray(column, np.float64)[:, None]
        if known is None
        else np.array([[float(str(value) == name) for name in known] for value in column])
        for column, known in zip(columns, categories, strict=True)
    ]
    return np.concatenate(parts, axis=1)

"""Forecast metrics: how far forecasts are from what came; missing truth counts nothing.

Axis letters everywhere: B forecasts, H steps ahead, C targets, Q quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tidegate.data.batching import Array


def mae(truth: Array, forecast: Array) -> float:
    """Return the mean absolute error.

    Args:
        truth: What came, any shape, NaN where nobody knows.
        forecast: What was forecast, of the same shape.

    Example:
        >>> mae(np.array([1.0, 5.0]), np.array([2.0, 5.0]))
        0.5
    """
    return _mean(np.abs(truth - forecast))


def mse(truth: Array, forecast: Array) -> float:
    """Return the mean squared error; arguments as of `mae`."""
    return _mean(np.square(truth - forecast))


def rmse(truth: Array, forecast: Array) -> float:
    """Return the root of the mean squared error; arguments as of `mae`."""
    return float(np.sqrt(mse(truth, forecast)))


def smape(truth: Array, forecast: Array) -> float:
    """Return the symmetric mean absolute percentage error, 0 to 200 (Makridakis et al. 2020).

    The mean of 200 |y - f| / (|y| + |f|), where 0 / 0 is 0; arguments as of `mae`.

    Example:
        >>> smape(np.array([100.0]), np.array([50.0]))
        66.66666666666667
    """
    size = np.abs(truth) + np.abs(forecast)
    return _mean(200 * np.abs(truth - forecast) / np.where(size == 0, 1.0, size))


def mase(truth: Array, forecast: Array, unit: Array) -> float:
    """Return the mean absolute scaled error (Hyndman & Koehler 2006).

    Args:
        truth: `[B, H, C]`.
        forecast: `[B, H, C]`.
        unit: The error of the seasonal naive forecast in the training span of each forecast's
            series, see `naive_error`: `[B, C]`; forecasts whose unit is 0 or NaN count nothing.
    """
    usable = np.where(unit > 0, unit, np.nan)
    return _mean(np.abs(truth - forecast) / usable[:, None])


def naive_error(values: Array, season: int) -> Array:
    """Return the mean of |y_t - y_(t - season)| in a training span.

    Args:
        values: `[T, C]`, NaN where missing.
        season: Steps of a season; 1 for none.

    Returns:
        `[C]`; NaN where the span is not longer than a season.

    Example:
        >>> naive_error(np.array([[1.0], [2.0], [4.0]]), 1).tolist()
        [1.5]
    """
    if len(values) <= season:
        return np.full(values.shape[1], np.nan)
    steps = np.abs(values[season:] - values[:-season])
    known = (~np.isnan(steps)).sum(0)
    return np.where(known > 0, np.nansum(steps, axis=0) / np.maximum(known, 1), np.nan)


def owa(smape: float, mase: float, naive_smape: float, naive_mase: float) -> float:
    """Return the overall weighted average of the M4 competition.

    Args:
        smape: That of the forecasts.
        mase: Likewise.
        naive_smape: That of the seasonally adjusted naive forecast ("Naive 2").
        naive_mase: Likewise.

    Example:
        >>> owa(5.0, 1.0, 10.0, 2.0)
        0.5
    """
    return (smape / naive_smape + mase / naive_mase) / 2


def pinball(truth: Array, quantiles: Array, levels: Sequence[float]) -> Array:
    """Return the mean quantile loss of each level (Koenker & Bassett 1978).

    Args:
        truth: `[...]`.
        quantiles: `[..., Q]`.
        levels: Q probabilities.

    Returns:
        The mean of max(q (y - f), (q - 1) (y - f)), `[Q]`.
    """
    error = truth[..., None] - quantiles
    probabilities = np.asarray(levels)
    losses = np.maximum(probabilities * error, (probabilities - 1) * error)
    return np.array([_mean(losses[..., number]) for number in range(len(probabilities))])


def crps(truth: Array, quantiles: Array, levels: Sequence[float]) -> float:
    """Return the continuous ranked probability score, in the units of the data.

    It is 2 times the integral of the quantile loss over the levels, here by the trapezoidal rule
    between 0 and 1 with the outermost losses falling to 0 at the ends (at level 0 and 1 the loss
    of a true quantile is 0); the more levels the better.

    Args:
        truth: `[...]`.
        quantiles: `[..., Q]`.
        levels: Q probabilities, ascending.
    """
    losses = np.concatenate(([0.0], pinball(truth, quantiles, levels), [0.0]))
    return float(2 * np.trapezoid(losses, np.concatenate(([0.0], levels, [1.0]))))


def coverage(truth: Array, lower: Array, upper: Array) -> float:
    """Return the share of the truth that lies in its interval.

    Args:
        truth: Any shape, NaN where nobody knows.
        lower: Of the same shape, NaN where there is no interval.
        upper: Likewise.

    Example:
        >>> coverage(np.array([1.0, 9.0]), np.array([0.0, 0.0]), np.array([2.0, 2.0]))
        0.5
    """
    inside = ((truth >= lower) & (truth <= upper)).astype(float)
    return _mean(np.where(np.isnan(truth + lower + upper), np.nan, inside))


def mean_width(lower: Array, upper: Array) -> float:
    """Return the mean width of intervals; NaN where there is none."""
    return _mean(upper - lower)


def _mean(values: Array) -> float:
    """The mean of what is known; NaN when nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")

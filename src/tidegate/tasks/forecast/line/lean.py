"""How much of a network is worth adding to the line, told by forecasts that neither learned."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student

from tidegate.data.batching import Array
from tidegate.data.windows.encoded import ForecastWindows

SHARES = (0.25, 0.5, 0.75, 1.0)
"""How much of what a network adds may be kept, besides nothing."""
# The gain must be greater than nothing with this probability, one-sided.
_CERTAIN = 0.8
_FEWEST = 3


def spans(series: Array, origins: Array, horizon: int) -> Array:
    """Number stretches of a horizon, each of one series, that forecasts begin in, `[B]`.

    Forecasts that begin in one stretch are off together: they are one piece of evidence.

    Args:
        series: The series of each forecast, `[B]`.
        origins: The first step ahead of each, `[B]`.
        horizon: H.

    Example:
        >>> spans(np.array([0, 0, 0, 1]), np.array([10, 11, 13, 10]), 3).tolist()
        [0, 0, 1, 2]
    """
    steps = (origins - origins.min()) // horizon if len(origins) else origins
    pairs = np.stack([series, steps], axis=1)
    found: Array = np.unique(pairs, axis=0, return_inverse=True)[1].ravel()
    return found


def spans_of(windows: ForecastWindows) -> Array:
    """Number the stretches that windows begin in, see `spans`, `[B]`.

    Args:
        windows: All of them, in their order.
    """
    return spans(*windows.locate(np.arange(len(windows))), windows.horizon)


def share_worth(truth: Array, line: Array, network: Array, unit: Array, span: Array) -> float:
    """Say how much of what a network adds to the line is to be kept.

    Args:
        truth: What came, `[B, H, C]`, NaN where nobody knows.
        line: The line's forecasts, of the same shape.
        network: The forecasts of line and network together.
        unit: What the errors of each forecast are measured in, `[B, C]`.
        span: See `spans`, `[B]`.

    Returns:
        One of `SHARES`, that whose gain in mean absolute error is the greatest at least; 0 where
        none is surely a gain, or there is too little to tell by.
    """
    count = int(span.max(initial=-1)) + 1
    if count < _FEWEST:
        return 0.0
    best, share = 0.0, 0.0
    known, before = ~np.isnan(truth), np.abs(truth - line)
    counts = np.bincount(span, known.sum(axis=(1, 2)), count)
    for tried in SHARES:
        gain = (before - np.abs(truth - line - tried * (network - line))) / unit[:, None]
        sums = np.bincount(span, np.where(known, gain, 0.0).sum(axis=(1, 2)), count)
        each = sums / np.maximum(counts, 1)
        least = each.mean() - student.ppf(_CERTAIN, count - 1) * each.std(ddof=1) / np.sqrt(count)
        if least > best:
            best, share = float(least), tried
    return share

"""Seasons: whether series repeat themselves, and after how many steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import fftconvolve

from tidegate.data.batching import Array

# A season is there if so unlikely a correlation speaks for it (one-sided, 5 % at a given lag,
# 0.1 % where the lag is looked for among many), and repeats at least so often.
_GIVEN, _FOUND = 1.645, 3.1
# And if it is strong enough to be of use: a weak one costs more windows than it is worth.
_STRONG = 0.3
_REPEATS = 3
# A lag found is a peak that is not far below the highest one: its multiples are as high.
_AS_HIGH = 0.85
# So many of the latest values of each series tell.
_LATEST = 20_000


def has_season(values: Sequence[Array], season: int) -> bool:
    """Say whether series repeat themselves after so many steps.

    It is the test of the Theta method (Assimakopoulos & Nikolopoulos 2000) on the differences of
    the values, so that a trend is no season: the correlation at the lag is more than those at
    shorter ones make likely (Bartlett).

    Args:
        values: Series `[T]` each, NaN where missing.
        season: Steps; 1 is never one.

    Example:
        >>> wave = np.tile([1.0, 2.0, 5.0, 2.0], 6)
        >>> has_season([wave], 4), has_season([wave], 3)
        (True, False)
    """
    correlations, count = _correlations(values, season)
    return (
        season > 1 and len(correlations) > season and _evident(correlations, season, count, _GIVEN)
    )


def find_season(values: Sequence[Array]) -> int:
    """Find the steps after which series repeat themselves most; 1 where they do not.

    Args:
        values: Series `[T]` each, NaN where missing; a season must be there three times.

    Example:
        >>> find_season([np.tile([1.0, 2.0, 5.0, 2.0], 12)])
        4
    """
    longest = max((len(series) for series in values), default=0) // _REPEATS
    correlations, count = _correlations(values, longest)
    inner = correlations[1:-1]
    peaks = 1 + np.flatnonzero((inner > correlations[:-2]) & (inner >= correlations[2:]))
    peaks = peaks[peaks > 1]
    evident = [lag for lag in peaks if _evident(correlations, int(lag), count, _FOUND)]
    if not evident:
        return 1
    least = _AS_HIGH * max(correlations[lag] for lag in evident)
    return int(next(lag for lag in evident if correlations[lag] >= least))


def long_season(values: Sequence[Array], season: int) -> int:
    """Return seven seasons where they repeat themselves more than two do: the days of a week.

    Args:
        values: Series `[T]` each, NaN where missing; the seven must be there four times.
        season: Steps of the season.

    Returns:
        `7 * season`, or `season`.

    Example:
        >>> day, weekend = [0.0, 5.0, 5.0, 0.0], [0.0, 1.0, 1.0, 0.0]
        >>> long_season([np.tile(5 * day + 2 * weekend, 6)], 4)
        28
    """
    longer = 7 * season
    if season < 2 or max((len(series) for series in values), default=0) < 4 * longer:
        return season
    correlations, count = _correlations(values, longer)
    better = correlations[longer] > correlations[2 * season]
    return longer if better and _evident(correlations, longer, count, _GIVEN) else season


def _evident(correlations: Array, lag: int, count: int, bound: float) -> bool:
    """Whether the correlation at a lag is no accident of those at shorter lags."""
    deviation = np.sqrt((1 + 2 * np.square(correlations[1:lag]).sum()) / max(count, 1))
    return bool(correlations[lag] > max(_STRONG, bound * deviation))


def _correlations(values: Sequence[Array], most: int) -> tuple[Array, int]:
    """Autocorrelations of the differences of all series together, from lag 0, and their number."""
    total, count = np.zeros(most + 1), 0
    for series in values:
        steps = np.diff(series[-_LATEST:])
        known = ~np.isnan(steps)
        number = int(known.sum())
        if number <= 2:
            continue
        steps = np.where(known, steps - steps[known].mean(), 0.0)
        products, pairs = (_lagged(part, most) for part in (steps, known.astype(float)))
        if products[0] > 0:  # series of other sizes count alike
            # As if none were missing: so many pairs would be known.
            whole = 1 - np.arange(len(pairs)) / len(steps)
            found = products / np.maximum(pairs, 1) * whole / (products[0] / number)
            total[: len(found)] += found * number
            count += number
    return total / max(count, 1), count


def _lagged(values: Array, most: int) -> Array:
    """Sums of products with what comes so many steps later, from 0 on, up to `most`."""
    products: Array = fftconvolve(values, values[::-1])[len(values) - 1 :][: most + 1]
    return products

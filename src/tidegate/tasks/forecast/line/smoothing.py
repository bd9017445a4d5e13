"""Smoothing: exponential smoothing with a season and a drift, which is linear in the past."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import TypeAlias

import numpy as np

from tidegate.data.batching import Array

Smoother: TypeAlias = Callable[[Array, int], Array]

# The share of the newest value in the level (1 is the naive forecast), how much of the trend of the
# window goes on (a half is that of Theta, Assimakopoulos & Nikolopoulos 2000), and how fast older
# seasons are forgotten.
_ALPHAS = (1.0, 0.7, 0.5, 0.3, 0.1)
_DRIFTS = (0.0, 0.25, 0.5)
_FADINGS = (0.0, 0.3, 0.6)


def smooth(
    past: Array, horizon: int, season: int, *, alpha: float, drift: float, fading: float
) -> Array:
    """Forecast by exponential smoothing (Brown 1959) of what season and drift leave over.

    Args:
        past: `[B, T]`.
        horizon: H.
        season: Steps of a season, at most T / 2; 1 for none.
        alpha: The share of the newest value in the level, above 0, up to 1.
        drift: The share of the window's trend (least squares) that goes on.
        fading: How much less each older season counts, from 0 up to but without 1.

    Returns:
        `[B, H]`.

    Example:
        >>> wave = np.array([[1.0, 3.0, 1.0, 3.0]])
        >>> smooth(wave, 3, 2, alpha=1.0, drift=0.0, fading=0.0).ravel().tolist()
        [1.0, 3.0, 1.0]
    """
    length = past.shape[1]
    pattern = np.zeros((len(past), 1)) if season < 2 else _pattern(past, season, fading)
    period = pattern.shape[1]
    phase = (np.arange(length + horizon) - length) % period
    level = past - pattern[:, phase[:length]]
    weights = _fading_weights(length, 1 - alpha)
    found = np.repeat((level @ weights)[:, None], horizon, axis=1)
    if drift and length > 1:
        # A smoothed level is so many steps behind.
        lag = float(weights @ np.arange(length)[::-1])
        steps = np.arange(length) - (length - 1) / 2
        slope = level @ (steps / (steps @ steps))
        found = found + drift * slope[:, None] * (lag + np.arange(1, horizon + 1))
    ahead: Array = found + pattern[:, phase[length:]]
    return ahead


def _pattern(past: Array, season: int, fading: float) -> Array:
    """What a season adds at each of its steps, the one after the window first, `[B, season]`."""
    count = past.shape[1] // season
    seasons = past[:, -count * season :].reshape(len(past), count, season)
    means = seasons.mean(2)
    number = np.arange(count) - (count - 1) / 2
    slope = means @ (number / (number @ number)) / season
    within = slope[:, None, None] * (np.arange(season) - (season - 1) / 2)
    pattern: Array = np.einsum(
        "bks,k->bs", seasons - means[..., None] - within, _fading_weights(count, fading)
    )
    return pattern


def _fading_weights(count: int, keep: float) -> Array:
    """Weights from the oldest to the newest, each `keep` times the next; their sum is 1."""
    weights = keep ** np.arange(count, dtype=np.float64)[::-1]
    shares: Array = weights / weights.sum()
    return shares


def smoothers(lookback: int, season: int) -> list[Smoother]:
    """List kinds of smoothing: with and without a season, a drift, a memory.

    Args:
        lookback: T of the windows that they are for.
        season: Steps of a season; where T has no two of them, none is with one.

    Returns:
        Functions of `past`, `[B, T]`, and the horizon; the first is the naive forecast, the last
        the seasonal one if T holds a season.
    """
    found: list[Smoother] = []
    for period in dict.fromkeys((1, season if lookback >= 2 * season else 1)):
        for alpha, drift, fading in product(_ALPHAS, _DRIFTS, _FADINGS[: 3 if period > 1 else 1]):
            found.append(partial(smooth, season=period, alpha=alpha, drift=drift, fading=fading))
    if 1 < season <= lookback:
        found.append(partial(_again, season=season))
    return found


def _again(past: Array, horizon: int, season: int) -> Array:
    """What was a season ago, over and over."""
    last: Array = past[:, -season:]
    return last[:, np.arange(horizon) % season]

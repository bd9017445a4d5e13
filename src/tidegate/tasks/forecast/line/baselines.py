"""Baselines: forecasts that cost nothing, to be printed beside those of every network."""

from __future__ import annotations

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.windows.encoded import EncodedSeries
from tidegate.data.windows.missing import fill
from tidegate.tasks.forecast.line.linear import LinearBaseline


def naive(past: Array, horizon: int) -> Array:
    """Forecast the last value that is known.

    Args:
        past: `[B, T, C]`, NaN where missing.
        horizon: H.

    Returns:
        `[B, H, C]`.

    Example:
        >>> naive(np.array([[[1.0], [2.0]]]), 2).ravel().tolist()
        [2.0, 2.0]
    """
    return seasonal_naive(past, horizon, 1)


def seasonal_naive(past: Array, horizon: int, season: int) -> Array:
    """Forecast what was a season ago, over and over.

    Args:
        past: `[B, T, C]`, NaN where missing: a missing value becomes that of the season before,
            or the one before it in time.
        horizon: H.
        season: Steps of a season; where T is less, the last value is repeated.

    Returns:
        `[B, H, C]`.

    Example:
        >>> seasonal_naive(np.array([[[1.0], [2.0], [3.0]]]), 3, 2).ravel().tolist()
        [2.0, 3.0, 2.0]
    """
    length = past.shape[1]
    if season > length:
        season = 1
    whole = length // season
    seasons = past[:, length - whole * season :].reshape(len(past), whole, season, -1)
    by_phase = seasons.transpose(0, 2, 1, 3).reshape(len(past) * season, whole, -1)
    last = _last_known(by_phase).reshape(len(past), season, -1)
    last, _ = fill(last, "mask")
    steps: Array = last[:, np.arange(horizon) % season]
    return steps


def _last_known(values: Array) -> Array:
    """The last value of each row that is not missing, `[rows, C]`; NaN where there is none."""
    steps = np.arange(values.shape[1])[None, :, None]
    at = np.where(np.isnan(values), -1, steps).max(axis=1)
    found: Array = np.take_along_axis(values, np.maximum(at, 0)[:, None], axis=1)[:, 0]
    return found


def forecast_all(
    encoded: EncodedSeries,
    series: Array,
    origins: Array,
    horizon: int,
    season: int,
    linear: LinearBaseline | None,
) -> dict[str, Array]:
    """Forecast windows with every baseline that can.

    Args:
        encoded: The series.
        series: The series of each window, `[B]`.
        origins: The first step ahead of each, `[B]`.
        horizon: H.
        season: Steps of a season; 1 leaves the seasonal one out.
        linear: The line, or None.

    Returns:
        Forecasts in the units of the data, `[B, H, C]`, by name.
    """
    seasons = int(min(origins.min(), max(3 * season, encoded.lookback)))
    past = encoded.before(series, origins, seasons)
    found = {"naive": naive(past, horizon)}
    if season > 1:
        found["seasonal naive"] = seasonal_naive(past, horizon, season)
    if linear is not None:
        batch = encoded.batch(series, origins, 1, targets=False)
        targets = past.shape[2]
        scaled = linear.predict(batch.values[..., :targets].numpy().astype(np.float64))[:, :horizon]
        nothing = np.zeros((*scaled.shape, 0))
        found["linear"], _ = encoded.inverse(series, origins, scaled, nothing)
    return found

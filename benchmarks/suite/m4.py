"""The M4 competition: its series, its Naive2 and its scores (Makridakis et al. 2020)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common import data_file

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Competition:
    """The series of one frequency.

    Attributes:
        train: The past of each series, `[steps]` float64.
        test: What followed, `[series, horizon]`.
        season: Steps of a season, as the competition counts them.
    """

    train: list[Array]
    test: Array
    season: int

    @property
    def horizon(self) -> int:
        """Steps to forecast."""
        return int(self.test.shape[1])

    def held_out(self) -> Competition:
        """The same series one horizon earlier: what settings may be chosen by."""
        past = [series[: -self.horizon] for series in self.train]
        return Competition(
            past, np.stack([series[-self.horizon :] for series in self.train]), self.season
        )


def read(frequency: str, folder: str | None) -> Competition:
    """Read the "hourly" or the "weekly" series."""
    train, test = (
        pd.read_csv(data_file(f"m4_{frequency}_{part}.csv.gz", folder), index_col=0)
        for part in ("train", "test")
    )
    series = [row[~np.isnan(row)] for row in train.to_numpy(np.float64)]
    return Competition(series, test.to_numpy(np.float64), 24 if frequency == "hourly" else 1)


def scores(answers: Array, data: Competition) -> dict[str, float]:
    """Score forecasts `[series, horizon]`: sMAPE in %, MASE and OWA."""
    smape, mase = _scores(answers, data)
    naive = np.stack([naive2(past, data.horizon, data.season) for past in data.train])
    smape2, mase2 = _scores(naive, data)
    return {"smape": smape, "mase": mase, "owa": (smape / smape2 + mase / mase2) / 2}


def _scores(answers: Array, data: Competition) -> tuple[float, float]:
    """sMAPE of all values, and the mean of the series' MASE, as the competition counts."""
    distance = np.abs(data.test - answers)
    smape = 200 * distance / (np.abs(data.test) + np.abs(answers))
    season = data.season
    scale = [np.abs(past[season:] - past[:-season]).mean() for past in data.train]
    return float(smape.mean()), float((distance.mean(1) / scale).mean())


def naive2(past: Array, horizon: int, season: int) -> Array:
    """Forecast the last value, seasonally adjusted where a test finds a season, `[horizon]`."""
    if not _seasonal(past, season):
        return np.full(horizon, past[-1])
    indices = _indices(past, season)
    steps = np.arange(len(past), len(past) + horizon)
    answers: Array = past[-1] / indices[(len(past) - 1) % season] * indices[steps % season]
    return answers


def seasonal_naive(past: Array, horizon: int, season: int) -> Array:
    """Repeat the last season, `[horizon]`."""
    return np.tile(past[-season:], math.ceil(horizon / season))[:horizon]


def _seasonal(past: Array, season: int) -> bool:
    """Whether the autocorrelation at the season is beyond its 90 % bound."""
    if season < 2 or len(past) < 3 * season:
        return False
    centred = past - past.mean()
    lagged = [centred[lag:] @ centred[: len(past) - lag] for lag in range(1, season + 1)]
    correlation = np.array(lagged) / (centred @ centred)
    before = 1 + 2 * (correlation[:-1] ** 2).sum()
    return bool(abs(correlation[-1]) > 1.645 * math.sqrt(before / len(past)))


def _indices(past: Array, season: int) -> Array:
    """Multiplicative seasonal indices by classical decomposition, of mean 1, `[season]`."""
    weights = np.full(season + 1, 1 / season)
    weights[[0, -1]] /= 2
    trend = np.convolve(past, weights, "valid")
    half = season // 2
    ratio = np.full(len(past), np.nan)
    ratio[half : len(past) - half] = past[half : len(past) - half] / trend
    padded = np.append(ratio, np.full(-len(past) % season, np.nan)).reshape(-1, season)
    means = np.nanmean(padded, 0)
    indices: Array = means / means.mean()
    return indices

"""Baselines: what a loop would forecast, and the least squares of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.series.panel import Panel
from tidegate.data.windows.encoder import SeriesEncoder
from tidegate.data.windows.windows import Windows
from tidegate.tasks.forecast.line.baselines import forecast_all, naive, seasonal_naive
from tidegate.tasks.forecast.line.linear import LinearBaseline


def windows(panel: Panel, lookback: int = 6, horizon: int = 4) -> Windows:
    encoder = SeriesEncoder(lookback=lookback).fit(panel, panel.lengths)
    return Windows(encoder.encode(panel), np.zeros(len(panel), int), panel.lengths, horizon,
                   batch_size=8, seed=0)  # fmt: skip


@pytest.mark.parametrize("season", [1, 2, 3, 7])
@pytest.mark.parametrize("horizon", [1, 5])
def test_the_seasonal_naive_forecast_is_that_of_a_loop(season, horizon, rng):
    past = rng.normal(size=(3, 7, 2))
    expected = np.empty((3, horizon, 2))
    for step in range(horizon):
        back = step
        while back >= 0:
            back -= season
        expected[:, step] = past[:, 7 + back]
    np.testing.assert_array_equal(seasonal_naive(past, horizon, season), expected)


def test_missing_values_are_taken_from_the_season_before():
    past = np.array([1.0, 2.0, 3.0, 4.0, np.nan, 6.0]).reshape(1, 6, 1)
    assert seasonal_naive(past, 3, 3).ravel().tolist() == [4, 2, 6]
    assert naive(past[:, :5], 2).ravel().tolist() == [4, 4]
    assert seasonal_naive(past, 2, 9).ravel().tolist() == [6, 6]  # no season fits


def test_a_line_goes_on():
    panel = Panel.from_arrays([np.arange(100.0), 5 - 3 * np.arange(80.0)])
    found = windows(panel)
    series, origins = np.array([0, 1]), np.array([100, 80])
    forecasts = forecast_all(found.encoded, series, origins, 4, 1, LinearBaseline.fit(found))
    assert set(forecasts) == {"naive", "linear"}
    np.testing.assert_allclose(forecasts["linear"][0, :, 0], [100, 101, 102, 103], atol=0.2)
    np.testing.assert_allclose(forecasts["linear"][1, :, 0], [-235, -238, -241, -244], atol=0.6)
    assert forecasts["naive"][:, 0, 0].tolist() == [99, -232]


def test_a_seasonal_baseline_comes_with_a_season():
    values = np.tile([1.0, 5.0, 2.0], 30)
    found = windows(Panel.from_arrays([values]))
    rows = np.arange(len(found))
    forecasts = forecast_all(found.encoded, *found.locate(rows), 4, 3, None)
    assert set(forecasts) == {"naive", "seasonal naive"}
    truth = found.encoded.truth(*found.locate(rows), 4)
    np.testing.assert_array_equal(forecasts["seasonal naive"], truth)

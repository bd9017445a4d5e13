"""WindowForecasts: the network's answers in the units of the data, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate import Forecaster
from tidegate.tasks.forecast.examples import SeriesExamples
from tidegate.tasks.forecast.intervals import Bounds
from tidegate.tasks.forecast.window_forecasts import forecast_windows

SERIES = [1000 + 50 * np.random.default_rng(0).normal(size=90).cumsum(),
          np.random.default_rng(1).normal(size=70).cumsum()]  # fmt: skip


FREE = Bounds(np.full(1, -np.inf), np.full(1, np.inf))


@pytest.fixture(scope="module")
def model() -> Forecaster:
    options = {"lookback": 8, "horizon": 3, "segment": 1, "hidden_size": 4, "epochs": 1}
    return Forecaster(**options, output="normal", conformal=False, verbose=False).fit(SERIES)


def windows(model: Forecaster, batch_size: int = 64):
    panel = model._panel(SERIES)
    found = model._windows(SeriesExamples(panel).within(0, most=None), horizon=3)
    found.batch_size = batch_size
    return found


def test_every_window_is_answered_in_its_own_units(model):
    found = forecast_windows(model.network_, windows(model), (0.8,), point=False, bounds=FREE)
    assert found.mean.shape == (90 - 10 + 70 - 10, 3, 1)
    assert found.series.tolist() == [0] * 80 + [1] * 60
    assert found.origins[[0, 79, 80]].tolist() == [8, 87, 8]
    np.testing.assert_array_equal(found.truth[5, :, 0], SERIES[0][13:16])
    assert np.abs(found.mean[:80] - found.truth[:80]).mean() < 500
    assert np.abs(found.mean[80:] - found.truth[80:]).mean() < 10
    assert (found.lower[..., 0] < found.mean).all()
    assert (found.mean < found.upper[..., 0]).all()


def test_the_unit_is_the_deviation_of_the_lookback_and_a_little_of_the_series(model):
    found = forecast_windows(model.network_, windows(model), (0.8,), point=False, bounds=FREE)
    spread = found.windows.encoded.spread[1, 0]
    expected = SERIES[1][10:18].std() + 0.05 * spread
    np.testing.assert_allclose(found.unit[80 + 10, 0], expected)


def test_a_point_is_an_interval_of_no_width(model):
    found = forecast_windows(model.network_, windows(model), (0.8, 0.95), point=True, bounds=FREE)
    assert found.lower.shape == found.upper.shape == (*found.mean.shape, 2)
    np.testing.assert_array_equal(found.lower[..., 1], found.mean)


def test_calibrated_margins_cover_the_windows_they_were_made_of(model):
    found = forecast_windows(model.network_, windows(model), (0.8,), point=False, bounds=FREE)
    lower, upper = found.widened(found.calibrated())
    inside = (lower[..., 0] <= found.truth) & (found.truth <= upper[..., 0])
    np.testing.assert_allclose(inside.mean(0), 0.8, atol=0.02)
    np.testing.assert_array_equal(found.widened(None), (found.lower, found.upper))


def test_windows_in_any_order_are_calibrated_by_time(model):
    found = forecast_windows(model.network_, windows(model), (0.8,), point=False, bounds=FREE)
    start = found.calibrated()
    lower, _ = found.rolled(start)
    fixed, _ = found.widened(start)
    early = found.origins < 40  # too little was known by then
    np.testing.assert_allclose(lower[early], fixed[early])
    assert np.isnan(found.rolled(None)[0][early]).all()


def test_neither_forecasts_nor_intervals_are_beyond_the_bounds(model):
    free = forecast_windows(model.network_, windows(model), (0.8,), point=False, bounds=FREE)
    middle = float(np.median(free.mean))
    bounds = Bounds(np.full(1, middle), np.full(1, middle + 1))
    found = forecast_windows(model.network_, windows(model), (0.8,), point=False, bounds=bounds)
    margins = free.calibrated()
    ends = (*found.widened(margins), *found.rolled(margins))
    told = (*free.widened(margins), *free.rolled(margins))
    for kept, given in zip((found.mean, *ends), (free.mean, *told), strict=True):
        np.testing.assert_array_equal(kept, given.clip(middle, middle + 1))

"""Forecast metrics: numbers worked by hand, and the formulas of others."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss

from tidegate.tasks.forecast.past import metrics

TRUTH = np.array([[[1.0], [4.0]], [[np.nan], [10.0]]])
FORECAST = np.array([[[2.0], [2.0]], [[5.0], [10.0]]])


def test_errors_by_hand_leave_out_what_nobody_knows():
    # Errors 1, 2 and 0.
    assert metrics.mae(TRUTH, FORECAST) == 1
    assert metrics.mse(TRUTH, FORECAST) == pytest.approx(5 / 3)
    assert metrics.rmse(TRUTH, FORECAST) == pytest.approx((5 / 3) ** 0.5)
    # 200 * (1 / 3 + 2 / 6 + 0) / 3.
    assert metrics.smape(TRUTH, FORECAST) == pytest.approx(400 / 9)
    assert metrics.smape(np.zeros(2), np.zeros(2)) == 0
    assert np.isnan(metrics.mae(np.full(2, np.nan), np.ones(2)))


def test_mase_divides_by_the_naive_error_of_each_series():
    unit = np.array([[2.0], [4.0]])
    assert metrics.mase(TRUTH, FORECAST, unit) == pytest.approx((0.5 + 1 + 0) / 3)
    flat = np.array([[2.0], [0.0]])  # nothing to compare the second series with
    assert metrics.mase(TRUTH, FORECAST, flat) == pytest.approx(0.75)


def test_the_naive_error_of_a_season():
    values = np.array([[1.0, 0.0], [2.0, 0.0], [4.0, np.nan], [2.0, 3.0]])
    assert metrics.naive_error(values, 1).tolist() == [5 / 3, 0]
    assert metrics.naive_error(values, 2).tolist() == [1.5, 3]
    assert np.isnan(metrics.naive_error(values, 4)).all()


def test_the_pinball_loss_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, quantiles = rng.normal(size=50), rng.normal(size=(50, 3))
    levels = [0.1, 0.5, 0.9]
    expected = [mean_pinball_loss(truth, quantiles[:, n], alpha=q) for n, q in enumerate(levels)]
    np.testing.assert_allclose(metrics.pinball(truth, quantiles, levels), expected)


def test_crps_of_many_quantiles_is_that_of_the_normal_distribution():
    from statistics import NormalDist

    normal = NormalDist()
    levels = np.linspace(0, 1, 2001)[1:-1]
    quantiles = np.array([normal.inv_cdf(level) for level in levels])
    y = 0.7
    # Gneiting & Raftery 2007, equation 21.
    expected = y * (2 * normal.cdf(y) - 1) + 2 * normal.pdf(y) - 1 / np.pi**0.5
    found = metrics.crps(np.array([y]), quantiles[None], levels)
    assert found == pytest.approx(expected, rel=1e-3)


def test_coverage_and_width_leave_out_missing_intervals():
    truth = np.array([1.0, 2.0, 3.0, np.nan])
    lower, upper = np.array([0.0, 2.5, np.nan, 0.0]), np.array([1.0, 3.5, np.nan, 1.0])
    assert metrics.coverage(truth, lower, upper) == 0.5
    assert metrics.mean_width(lower, upper) == 1


def test_owa_is_the_mean_of_two_ratios():
    assert metrics.owa(9.0, 0.9, 12.0, 1.2) == 0.75

"""Logarithms and differences: fitted on what is known, undone exactly."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.series.panel import Panel
from tidegate.data.windows.log_difference import LogDifference
from tidegate.errors import InputError


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("lag", [0, 1, 3])
def test_a_change_is_undone(log, lag):
    series = np.exp(np.random.default_rng(0).normal(1, 0.5, (30, 2)))
    change = LogDifference.fit(series, log=log, lag=lag)
    changed = change.forward(series)
    assert np.isnan(changed[:lag]).all()
    origin, horizon = 20, 8
    mean = changed[None, origin : origin + horizon]
    before = series[None, origin - lag : origin]
    found, quantiles = change.inverse(mean, np.zeros((*mean.shape, 2)), before)
    np.testing.assert_allclose(found[0], series[origin : origin + horizon])
    np.testing.assert_allclose(quantiles[0, ..., 1], series[origin : origin + horizon])


def test_deviations_of_differences_add_up_as_roots_of_squares():
    change = LogDifference(log=False, lag=1, offset=np.zeros(1))
    spreads = np.tile(np.array([-1.0, 1.0]), (1, 4, 1, 1))
    mean, quantiles = change.inverse(np.zeros((1, 4, 1)), spreads, np.full((1, 1, 1), 5.0))
    np.testing.assert_allclose(mean.ravel(), 5)
    np.testing.assert_allclose(quantiles[0, :, 0, 1] - 5, np.sqrt([1, 2, 3, 4]))
    np.testing.assert_allclose(quantiles[0, :, 0, 0] - 5, -np.sqrt([1, 2, 3, 4]))


def test_zeros_get_an_offset_and_less_has_no_logarithm():
    assert LogDifference.fit(np.array([[0.0], [5.0]]), log=True, lag=0).offset.tolist() == [1]
    change = LogDifference.fit(np.array([[2.0], [5.0]]), log=True, lag=0)
    assert change.offset.tolist() == [0]
    with pytest.raises(InputError, match=r"`target` must be greater than 0 when log=True; got -3"):
        change.check(Panel.from_arrays([[2.0, -3.0]]), "Forecaster")

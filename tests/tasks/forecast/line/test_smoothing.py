"""Smoothing: the recursion it stands for, what it goes on with, and that it is linear."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.tasks.forecast.line.smoothing import smooth, smoothers


@pytest.mark.parametrize("alpha", [1.0, 0.5, 0.1])
def test_the_level_is_that_of_the_recursion(alpha, rng):
    past = rng.normal(size=(3, 200))
    level = past[:, 0]
    for step in range(1, 200):
        level = alpha * past[:, step] + (1 - alpha) * level
    found = smooth(past, 4, 1, alpha=alpha, drift=0, fading=0)
    np.testing.assert_allclose(found, np.repeat(level[:, None], 4, axis=1), atol=1e-8)


@pytest.mark.parametrize("drift", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_a_trend_goes_on_in_part(alpha, drift):
    past = np.stack([np.arange(30.0), 5 - 2 * np.arange(30.0)])
    found = smooth(past, 3, 1, alpha=alpha, drift=drift, fading=0)
    weights = (1 - alpha) ** np.arange(30.0)
    lag = (weights * np.arange(30)).sum() / weights.sum()
    for row, slope in enumerate((1, -2)):
        expected = past[row, -1] - slope * lag + drift * slope * (lag + np.arange(1, 4))
        np.testing.assert_allclose(found[row], expected, atol=1e-9)


@pytest.mark.parametrize("fading", [0.0, 0.6])
def test_a_season_on_a_trend_goes_on_exactly(fading):
    pattern = np.array([3.0, -1.0, 0.5, -2.5])
    whole = np.tile(pattern, 7) + 0.5 * np.arange(28)
    past, ahead = whole[None, :21], whole[21:]
    found = smooth(past, 7, 4, alpha=1.0, drift=1.0, fading=fading)
    np.testing.assert_allclose(found[0], ahead, atol=1e-9)


@given(st.integers(2, 30), st.integers(1, 9), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_every_kind_is_linear_and_keeps_the_level(lookback, horizon, season, seed):
    rng = np.random.default_rng(seed)
    past, other = rng.normal(size=(2, 3, lookback))
    kinds = smoothers(lookback, season)
    for kind in kinds:
        found = kind(past, horizon)
        assert found.shape == (3, horizon)
        np.testing.assert_allclose(
            kind(2 * past - other + 7, horizon), 2 * found - kind(other, horizon) + 7, atol=1e-8
        )
        weights = kind(np.eye(lookback), horizon)
        np.testing.assert_allclose(past @ weights, found, atol=1e-8)
    np.testing.assert_array_equal(kinds[0](past, horizon), past[:, [-1] * horizon])
    if 1 < season <= lookback:
        again = past[:, lookback - season + np.arange(horizon) % season]
        np.testing.assert_array_equal(kinds[-1](past, horizon), again)


def test_there_is_no_season_without_two_of_them():
    assert len(smoothers(24, 12)) > len(smoothers(23, 12)) > len(smoothers(11, 12))
    assert len(smoothers(11, 12)) == len(smoothers(11, 1))

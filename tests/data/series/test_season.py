"""Seasons: found where they were put, and nowhere else; the correlations are those of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.series.season import _correlations, find_season, has_season, long_season


def wave(season: int, count: int, noise: float, rng) -> np.ndarray:
    return np.tile(rng.normal(size=season), count) + noise * rng.normal(size=season * count)


@pytest.mark.parametrize("season", [3, 4, 7, 12, 24, 52])
@pytest.mark.parametrize("trend", [0.0, 0.05])
def test_a_season_is_found_with_noise_and_a_trend(season, trend, rng):
    count = max(6, 84 // season)
    values = wave(season, count, 0.3, rng) + trend * np.arange(count * season)
    assert find_season([values]) == season
    assert has_season([values], season)
    assert not has_season([values], season + 1 if season > 4 else 5)


def test_noise_and_walks_have_none(rng):
    series = [[rng.normal(size=150)] for _ in range(100)]
    series += [[rng.normal(size=150).cumsum()] for _ in range(100)]
    assert sum(find_season(one) > 1 for one in series) <= 6
    assert sum(has_season(one, 12) for one in series) <= 6


def test_several_series_of_other_sizes_speak_together(rng):
    pattern = rng.normal(size=6)
    weak = [10.0**size * (np.tile(pattern, 8) + 0.5 * rng.normal(size=48)) for size in range(-6, 6)]
    assert find_season(weak) == 6


def test_what_is_missing_counts_nothing(rng):
    values = np.tile([3.0, 2.0, 0.0, -3.0, -2.0, 0.5], 20) + 0.1 * rng.normal(size=120)
    values[rng.random(len(values)) < 0.2] = np.nan
    assert find_season([values]) == 6
    assert find_season([np.full(50, np.nan)]) == 1
    assert find_season([np.ones(50)]) == 1
    assert find_season([]) == 1
    assert not has_season([values[:5]], 6)
    assert not has_season([values], 1)


def test_a_week_of_days(rng):
    days = rng.normal(size=24)
    week = np.concatenate([days] * 5 + [0.2 * days - 2] * 2)
    values = np.tile(week, 6) + 0.1 * rng.normal(size=6 * 168)
    assert long_season([values], 24) == 168
    assert long_season([values[: 3 * 168]], 24) == 24  # not there four times
    assert long_season([wave(24, 40, 0.3, rng)], 24) == 24
    assert long_season([values], 1) == 1


def test_the_correlations_are_those_of_numpy(rng):
    values = rng.normal(size=200).cumsum()
    steps = np.diff(values) - np.diff(values).mean()
    expected = [(steps[lag:] * steps[: len(steps) - lag]).sum() for lag in range(9)]
    found, count = _correlations([values], 8)
    np.testing.assert_allclose(found, np.array(expected) / expected[0], atol=1e-9)
    assert count == 199

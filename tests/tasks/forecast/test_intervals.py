"""Intervals: quantiles by counting, coverage by drawing, and nothing taken from the future."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.errors import InputError
from tidegate.tasks.forecast.intervals import (
    FEWEST,
    HORIZONS,
    LATEST,
    Margins,
    ends,
    enough,
    oldest,
    rolling,
    score,
    upper_quantile,
)  # fmt: skip


@pytest.mark.parametrize("count", [1, 4, 9, 100])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_quantile_is_the_smallest_score_with_enough_below_it(count, level, rng):
    scores = rng.normal(size=count)
    found = upper_quantile(scores, level)
    needed = np.ceil(round((count + 1) * level, 9))
    enough = [s for s in sorted(scores) if (scores <= s).sum() >= needed]
    assert found == (enough[0] if enough else scores.max())


def test_unknown_scores_count_nothing():
    scores = np.array([3.0, np.nan, 1.0, 2.0])
    assert upper_quantile(scores, 0.5) == 2
    assert upper_quantile(np.full((3, 2), np.nan), 0.5).tolist() == [0, 0]
    assert upper_quantile(np.zeros((0, 2)), 0.5).tolist() == [0, 0]


def test_calibrated_intervals_cover_what_they_say(rng):
    levels = (0.8, 0.95)
    covered = np.zeros(2)
    for _ in range(60):
        truth = rng.standard_t(4, size=(600, 2, 1)) * [[1.0], [3.0]]
        nothing = np.zeros((600, 2, 1, 2))
        unit = np.ones((600, 1))
        margins = Margins.fit(score(truth, nothing, nothing, unit)[:300], levels)
        lower, upper = margins.widen(nothing[300:], nothing[300:], unit[300:])
        held = truth[300:, ..., None]
        covered += ((held >= lower) & (held <= upper)).mean((0, 1, 2))
    np.testing.assert_allclose(covered / 60, levels, atol=0.01)


def test_scores_are_in_units_of_each_window():
    truth = np.array([[[5.0]], [[-40.0]]])
    lower, upper = np.full((2, 1, 1, 1), -1.0), np.full((2, 1, 1, 1), 1.0)
    found = score(truth, lower, upper, np.array([[2.0], [10.0]]))
    assert found.ravel().tolist() == [2.0, 3.9]
    margins = Margins((0.9,), np.full((1, 1, 1), 0.5))
    low, high = margins.widen(lower, upper, np.array([[2.0], [10.0]]))
    assert low.ravel().tolist() == [-2, -6]
    assert high.ravel().tolist() == [2, 6]


def test_intervals_may_shrink_but_not_beyond_their_middle():
    margins = Margins((0.9,), np.full((1, 1, 1), -5.0))
    low, high = margins.widen(
        np.full((1, 1, 1, 1), 0.0), np.full((1, 1, 1, 1), 2.0), np.ones((1, 1))
    )
    assert (low.item(), high.item()) == (1, 1)


def test_steps_beyond_training_get_wider_like_a_random_walk():
    margins = Margins((0.9,), np.full((4, 1, 1), 1.0))
    nothing = np.zeros((1, 16, 1, 1))
    _, high = margins.widen(nothing, nothing, np.ones((1, 1)))
    np.testing.assert_allclose(high.ravel()[[0, 3, 15]], [1, 1, 2])


def test_few_windows_share_the_scores_of_neighbouring_steps(rng):
    scores = rng.normal(size=(20, 30, 1, 1))
    apart = Margins.fit(np.repeat(scores, 50, axis=0), (0.8,)).values
    shared = Margins.fit(scores, (0.8,)).values
    assert shared.std() < apart.std() / 2


def test_rolling_margins_use_nothing_that_was_not_known(rng):
    times, lag, levels = np.arange(400), 7, (0.8,)  # 100 forecasts are more than 5 horizons
    scores = rng.normal(size=(400, 2, 1, 1))
    before = list(rolling(scores, times, lag, levels))
    assert np.isnan(before[FEWEST + lag - 2].values).all()
    assert np.isfinite(before[FEWEST + lag].values).all()
    changed = scores.copy()
    changed[300:] = 1e9
    after = list(rolling(changed, times, lag, levels))
    for row in range(301):  # the first step of forecast 300 is known when forecast 301 is made
        np.testing.assert_array_equal(before[row].values, after[row].values)
    assert after[-1].values.max() > before[-1].values.max()


def test_forecasts_that_overlap_must_be_spread_over_several_horizons():
    daily = np.arange(1_000)
    assert not enough(daily[: FEWEST - 1], 1)
    assert enough(daily[:FEWEST], 10)
    assert not enough(daily[: HORIZONS * 50], 50)
    assert enough(daily[: HORIZONS * 50 + 1], 50)
    assert not enough(np.repeat(daily[:10], 1_000), 5)  # a thousand series of ten days
    assert oldest(daily, 10) == len(daily) - LATEST
    assert oldest(daily, 150) == len(daily) - 1 - HORIZONS * 150
    assert oldest(daily[:50], 300) == 0


def test_rolling_margins_use_each_step_as_soon_as_it_is_known(rng):
    times, horizon, changed = np.arange(400), 40, 300
    scores = rng.normal(size=(400, horizon, 1, 1))
    far = scores.copy()
    far[changed:] = 1e9  # from now on the forecasts are far off
    before, after = (list(rolling(part, times, horizon, (0.5,))) for part in (scores, far))
    differs = np.array(
        [(a.values != b.values)[:, 0, 0] for a, b in zip(before, after, strict=True)]
    )
    ready = (HORIZONS + 1) * horizon + 1
    assert not np.isnan(before[ready].values).any()
    first = differs[ready:].argmax(axis=0) + ready
    # Step k of forecast 300 is known at 301 + k; margins are renewed every 15 forecasts or so.
    assert (first >= changed + 1 + np.arange(horizon)).all()
    assert first[0] < changed + 20
    assert first[-1] < changed + horizon + 40


def test_ends_of_intervals():
    assert ends([0.8, 0.95]) == [0.1, 0.025, 0.9, 0.975]


def test_margins_come_back_from_json_and_damaged_ones_do_not(rng):
    margins = Margins((0.8, 0.95), rng.normal(size=(3, 2, 2)))
    again = Margins.from_json(margins.to_json(), (3, 2, 2))
    assert again.levels == margins.levels
    np.testing.assert_array_equal(again.values, margins.values)
    with pytest.raises(InputError, match=r"^margins\.json: `levels` must be numbers of shape"):
        Margins.from_json(margins.to_json() | {"levels": [0.8]}, (3, 2, 2))

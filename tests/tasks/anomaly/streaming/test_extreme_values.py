"""ExtremeValues: rarity against the true distribution, and forgetting."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from tidegate.tasks.anomaly.streaming.extreme_values import MOST_SURPRISING, ExtremeValues


def fed(values: np.ndarray) -> ExtremeValues:
    tails = ExtremeValues(1)
    for value in values.tolist():
        tails.update([value])
    return tails


@pytest.mark.parametrize(
    "law",
    [stats.norm(), stats.expon(scale=3), stats.gumbel_r(), stats.t(4)],
    ids=["normal", "exponential", "gumbel", "t"],
)
def test_surprise_is_the_logarithm_of_the_true_probability(law):
    tails = fed(law.rvs(20_000, random_state=1))
    for probability in (1e-2, 1e-3, 1e-4):
        # One value changes little: each is asked as the next one.
        (found,) = tails.update([float(law.isf(probability))])
        assert found == pytest.approx(-np.log10(probability), abs=0.45)


def test_how_often_a_surprise_comes_is_what_it_says():
    values = np.random.default_rng(0).normal(size=30_000)
    tails = ExtremeValues(1)
    surprise = np.array([tails.update([value])[0] for value in values.tolist()])
    for level in (2.0, 3.0):
        share = (surprise[1000:] >= level).mean()
        assert share == pytest.approx(10**-level, rel=0.5)


def test_a_shape_fitted_to_pareto_values_is_theirs():
    tails = ExtremeValues(1)
    excess = stats.genpareto(0.3, scale=2.0).rvs(400, random_state=0)
    for over in excess:
        tails._learn(0, float(over))
    assert tails._shape[0] == pytest.approx(0.3, abs=0.15)
    assert tails._scale[0] == pytest.approx(2.0, rel=0.2)
    # P(x > u + y) = 0.02 (1 + xi y / sigma)^(-1/xi)
    tails._shape[0], tails._scale[0] = 0.5, 2.0
    assert tails._rarity(0, 4.0) == pytest.approx(-np.log10(0.02 * 2.0**-2))
    tails._shape[0] = 0.0
    assert tails._rarity(0, 4.0) == pytest.approx(-np.log10(0.02 * np.exp(-2)))
    tails._shape[0] = -0.2
    assert tails._rarity(0, 10.0) == MOST_SURPRISING


def test_nothing_is_said_before_enough_was_seen_and_nothing_of_a_constant():
    tails = ExtremeValues(2)
    for _ in range(100):
        assert not tails.ready
        assert tails.update([5.0, 5.0]) == [0.0, 0.0]
    assert tails.ready
    for _ in range(300):
        assert tails.update([5.0, 5.0]) == [0.0, 0.0]
    first, second = tails.update([9.0, 5.0])
    assert first > 3
    assert second == 0.0


def test_what_has_become_usual_surprises_no_more():
    random = np.random.default_rng(0)
    tails = fed(random.normal(size=2000))
    assert tails.update([12.0])[0] > 3.5
    later = [tails.update([value])[0] for value in (12 + random.normal(size=3000)).tolist()]
    assert np.mean(np.array(later[-500:]) > 3) < 0.02


def test_each_number_has_its_own_past_and_it_comes_back_from_json():
    values = np.random.default_rng(0).normal(size=(400, 2)) * [1, 100]
    both, alone = ExtremeValues(2), ExtremeValues(1)
    for row in values.tolist():
        found, single = both.update(row), alone.update(row[1:])
        assert found[1] == single[0]
    again = ExtremeValues(2)
    again.load(json.loads(json.dumps(both.state())))
    for row in (values * 2).tolist():
        assert again.update(row) == both.update(row)
    with pytest.raises(ValueError, match="reshape"):
        ExtremeValues(3).load(both.state())

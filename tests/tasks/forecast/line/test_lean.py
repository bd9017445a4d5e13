"""How much of a network is kept: what is a gain, what is chance, what is too little to tell."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.tasks.forecast.line.lean import share_worth, spans


def worth(gain: float, count: int, rng, noise: float = 1.0, windows: int = 4) -> float:
    """The share of a network that brings forecasts nearer to the truth by a part of the way."""
    truth = rng.normal(size=(count * windows, 3, 2))
    line = truth + noise * rng.normal(size=truth.shape)
    network = line + gain * (truth - line)
    return share_worth(
        truth, line, network, np.ones((len(truth), 2)), np.repeat(np.arange(count), windows)
    )


def test_stretches_are_of_one_series_and_a_horizon_long():
    series, origins = np.array([0, 0, 0, 1, 1]), np.array([5, 7, 8, 5, 20])
    assert spans(series, origins, 3).tolist() == [0, 0, 1, 2, 3]
    assert spans(np.zeros(0, int), np.zeros(0, int), 3).tolist() == []


def test_a_network_that_always_gains_is_kept(rng):
    assert worth(0.5, 20, rng) == 1.0
    assert worth(0.5, 3, rng) == 1.0


def test_one_that_goes_too_far_is_kept_in_part(rng):
    assert worth(3.0, 30, rng) in (0.25, 0.5)


def test_one_that_harms_is_left_out(rng):
    assert worth(-0.5, 20, rng) == 0.0


def test_two_stretches_prove_nothing(rng):
    assert worth(0.5, 2, rng) == 0.0
    assert worth(0.5, 1, rng, windows=100) == 0.0


def test_chance_is_seldom_taken_for_a_gain(rng):
    kept = 0
    for _ in range(100):
        truth, line = rng.normal(size=(2, 40, 3, 1))
        network = line + 0.3 * rng.normal(size=line.shape)
        kept += share_worth(truth, line, network, np.ones((40, 1)), np.arange(40) // 4) > 0
    assert kept <= 30


def test_truth_that_nobody_knows_counts_nothing(rng):
    truth = rng.normal(size=(40, 3, 1))
    line = truth + rng.normal(size=truth.shape)
    network = (truth + line) / 2
    truth[rng.random(truth.shape) < 0.3] = np.nan
    truth[:7] = np.nan
    with np.errstate(all="raise"):
        assert share_worth(truth, line, network, np.ones((40, 1)), np.arange(40) // 4) == 1.0


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_units_do_not_matter(scale, rng):
    truth = rng.normal(size=(40, 3, 1)) * scale
    line = truth + rng.normal(size=truth.shape) * scale
    unit = np.full((40, 1), scale)
    assert share_worth(truth, line, (truth + line) / 2, unit, np.arange(40) // 4) == 1.0

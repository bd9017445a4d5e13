"""Alarms: their rate is the expected one, whatever the evidence is like."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tidegate.tasks.anomaly.streaming.alarms import Alarms


@pytest.mark.parametrize("stretch", [0.85, 1.0, 1.3])
@pytest.mark.parametrize("rate", [1e-2, 1e-3])
def test_the_rate_of_alarms_settles_near_the_expected_one(stretch, rate):
    # -log10 of a uniform number, stretched: not quite on the scale of a probability.
    evidence = -np.log10(np.random.default_rng(0).random(200_000)) * stretch
    alarms = Alarms(rate, silence=5)
    raised = [alarms.update(value)[1] for value in evidence.tolist()]
    # The threshold moves by 0.1 (alarm - rate) in each step and stays within 1 of where it began,
    # so that is how far the two can be apart in all: 5 % of the smaller rate.
    assert abs(alarms.state()["offset"]) <= 1
    assert np.mean(raised) == pytest.approx(rate, abs=1 / (0.1 * len(evidence)))


def test_after_an_alarm_it_is_quiet_and_the_threshold_stands_higher():
    alarms = Alarms(1e-3, silence=3)
    raised = [alarms.update(9.0)[1] for _ in range(9)]
    assert raised == [True, False, False, False, True, False, False, False, True]
    first, _ = Alarms(1e-3, silence=3).update(5.0)
    later, _ = alarms.update(5.0)
    assert later == pytest.approx(first - 3 * 0.1, abs=0.01)


def test_scores_are_never_negative_and_the_state_comes_back():
    alarms = Alarms(1e-2, silence=4)
    assert alarms.update(0.0) == (0.0, False)
    alarms.update(8.0)
    again = Alarms(1e-2, silence=4)
    again.load(json.loads(json.dumps(alarms.state())))
    for value in (3.0, 8.0, 0.0, 9.0, 9.0, 9.0):
        assert again.update(value) == alarms.update(value)

"""Rest: how long a value may stay the same is learned from how long it did."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tidegate.tasks.anomaly.streaming.rest import Rest


def moves(values):
    return np.abs(np.diff(values)).tolist()


def test_values_that_often_stay_the_same_must_rest_for_longer():
    rest = Rest(0.0)
    for move in moves(np.repeat(np.arange(60.0), 6)):
        rest.update(move, learned=False)
        assert rest.steps <= 5
    assert not rest.too_long  # five steps at rest were usual, and five have passed
    for _ in range(20):
        rest.update(0.0, learned=True)
        assert rest.too_long


def test_what_rests_too_long_again_and_again_becomes_usual():
    rest = Rest(0.1)
    told = []
    for _ in range(8):
        for _ in range(30):
            rest.update(0.05, learned=True)
        told.append(rest.too_long)
        rest.update(9.0, learned=True)
    assert told[0]
    assert not told[-1]


def test_it_comes_back_from_json():
    rest, again = Rest(0.1), Rest(0.1)
    for move in (1, 0, 0, 0, 1, 0):
        rest.update(move, learned=False)
    again.load(json.loads(json.dumps(rest.state())))
    assert again.state() == rest.state() == {"steps": 1, "longest": 3}
    with pytest.raises(KeyError):
        again.load({})

"""What `fit` checks of its arguments, and what a checkpoint must agree with."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tidegate.errors import InputError
from tidegate.tasks.core.fitting import as_fitted, checked_share, identity
from tidegate.tasks.forecast.settings import ForecasterSettings
from tidegate.tasks.text.settings import TextClassifierSettings

SETTINGS = TextClassifierSettings(hidden_size=4)


@pytest.mark.parametrize("share", [0.1, 0.999, np.float64(0.5)])
def test_a_share_is_a_number_between_0_and_1(share):
    assert checked_share(share, "Task") == share


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_of_nothing_or_of_all_is_refused(share):
    with pytest.raises(
        InputError, match="Task: `validation` must be greater than 0 and less than 1"
    ):
        checked_share(share, "Task")


@pytest.mark.parametrize("share", [True, "0.1", [0.1], None])
def test_what_is_no_share_is_told_what_else_it_may_be(share):
    with pytest.raises(InputError, match=r"must be a share of the rows, a pair \(X, y\), or None"):
        checked_share(share, "Task")


def test_a_fitted_network_goes_on_under_other_settings_but_those_of_its_shape():
    now = replace(SETTINGS, learning_rate=0.5, epochs=9, dropout=0.1)
    assert as_fitted(SETTINGS, now) == now
    rule = r"`hidden_size` must be as it was fitted, 4, .*; got 5.*warm_start=False"
    with pytest.raises(InputError, match=rule):
        as_fitted(SETTINGS, replace(SETTINGS, hidden_size=5))


def test_what_was_left_to_the_data_stays_as_it_was_found():
    told = {"lookback": 24, "segment": 3, "season": 12, "epochs": 30}
    fitted, left = ForecasterSettings(**told), ForecasterSettings(learning_rate=0.5)
    found = as_fitted(fitted, left, tuple(told))
    assert found == ForecasterSettings(learning_rate=0.5, **told)
    assert as_fitted(fitted, replace(left, epochs=3), tuple(told)).epochs == 3
    with pytest.raises(InputError, match="`lookback` must be as it was fitted, 24"):
        as_fitted(fitted, replace(left, lookback=12), tuple(told))


def test_a_run_is_resumed_under_settings_that_give_the_same_result():
    first = identity("text-classifier", SETTINGS)
    assert first["task"] == "text-classifier"
    assert json.loads(json.dumps(first)) == first
    free = {"verbose": not SETTINGS.verbose, "checkpoint_minutes": 3.0}
    assert identity("text-classifier", replace(SETTINGS, **free)) == first
    for change in ({"learning_rate": 0.5}, {"random_state": 7}, {"hidden_size": 5}):
        assert identity("text-classifier", replace(SETTINGS, **change)) != first
    assert identity("tagger", SETTINGS) != first

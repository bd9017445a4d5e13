"""Calendar features: the cycles that a clock can tell, at the right phase."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.calendar import calendar_features, calendar_names
from tidegate.data.series.clock import Clock, infer_clock


@pytest.mark.parametrize(
    ("frequency", "cycles"),
    [("h", {"day", "week", "year"}), ("D", {"week", "year"}), ("B", {"week", "year"}),
     ("W", {"year"}), ("MS", {"year"}), ("YS", set())],
)  # fmt: skip
def test_only_cycles_longer_than_a_step_are_told(frequency, cycles):
    index = pd.date_range("2024-01-01", periods=40, freq=frequency)
    clock = infer_clock(np.asarray(index.as_unit("us").asi8), dated=True, owner="t")
    assert {name.split("_")[0] for name in calendar_names(clock)} == cycles
    assert calendar_features(clock, range(5)).shape == (5, 2 * len(cycles))


def test_phases_are_those_of_the_day_and_the_week():
    monday = int(pd.Timestamp("2024-01-01").as_unit("us").value)
    clock = Clock("duration", 3_600_000_000, monday)
    features = calendar_features(clock, [0, 6, 24 * 7])
    names = calendar_names(clock)
    sine, cosine = names.index("day_sin"), names.index("day_cos")
    np.testing.assert_allclose(features[0, [sine, cosine]], [0, 1], atol=1e-6)
    np.testing.assert_allclose(features[1, [sine, cosine]], [1, 0], atol=1e-6)
    week = [names.index("week_sin"), names.index("week_cos")]
    np.testing.assert_allclose(features[2, week], features[0, week], atol=1e-6)


def test_numbers_have_no_calendar():
    assert calendar_features(Clock(), [0, 1]).shape == (2, 0)

"""A known column that is made of the target is told of; one that only helps is not."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from tidegate.data.series.leak import LeakWarning, warn_of_leaks
from tidegate.data.series.panel import Panel


def panel(known: np.ndarray, target: np.ndarray) -> Panel:
    found = Panel.from_arrays([np.stack([target, known], axis=1)], targets=["sales", "other"])
    return replace(found, targets=("sales",), known=("other",))


def test_a_column_made_of_the_target_is_told_of(rng):
    sales = rng.normal(50, 9, 200)
    leaky = panel(-1.19 * sales + 0.05 * rng.normal(size=200), sales)
    with pytest.warns(LeakWarning, match=r"'other' goes with the target 'sales' .*correlation 1"):
        warn_of_leaks(leaky, np.array([150]))


@pytest.mark.parametrize("noise", [0.5, 20.0])
def test_a_column_that_only_helps_is_not(noise, rng):
    sales = rng.normal(50, 9, 200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_leaks(panel(sales + noise * rng.normal(size=200), sales), np.array([150]))


def test_only_the_training_span_is_looked_at(rng):
    sales, other = rng.normal(size=200), rng.normal(size=200)
    other[100:] = sales[100:]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_leaks(panel(other, sales), np.array([100]))
        warn_of_leaks(panel(sales, sales), np.array([20]))  # too few to say
        warn_of_leaks(panel(np.ones(200), sales), np.array([150]))


def test_different_levels_of_many_series_are_no_leak(rng):
    parts = [np.stack([level + rng.normal(size=60), level + rng.normal(size=60)], axis=1)
             for level in (0.0, 1e3, 1e6)]  # fmt: skip
    found = Panel.from_arrays(parts, targets=["sales", "other"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_leaks(replace(found, targets=("sales",), known=("other",)), found.lengths)

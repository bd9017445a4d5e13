"""SeriesExamples: which steps of which series are to be forecast, and whether there are enough."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.series.panel import Panel
from tidegate.errors import InputError
from tidegate.tasks.forecast.examples import SeriesExamples


@pytest.fixture
def examples() -> SeriesExamples:
    return SeriesExamples(Panel.from_arrays([np.arange(20.0), np.arange(9.0)]))


def test_steps_end_with_their_series(examples):
    found = examples.within(12, np.array([15, 15]), most=3)
    assert found.first.tolist() == [12, 9]
    assert found.last.tolist() == [15, 9]
    assert (found.most, found.panel) == (3, examples.panel)
    second = found.take(np.array([1]))
    assert (second.first.tolist(), second.last.tolist(), len(second.panel)) == ([9], [9], 1)
    assert found.normalised() is found


def test_one_window_is_enough(examples):
    found = examples.within(0, most=None)
    found.check_enough(14, 6, "Test", part="training", held=False)
    rule = r"at least lookback \+ horizon = 15 \+ 6 steps long for training; got 20 steps\. "
    with pytest.raises(InputError, match=f"{rule}Lower lookback or horizon, or hold out less"):
        found.check_enough(15, 6, "Test", part="training", held=True)

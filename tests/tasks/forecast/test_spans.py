"""Spans: where series are cut in time, and how a later part finds its beginning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.inputs import as_panel
from tidegate.data.series.panel import Panel
from tidegate.errors import InputError
from tidegate.tasks.forecast.spans import Spans, check_enough, continued, known_ends, split_by_time


def dated(*spans: tuple[str, int]) -> Panel:
    """Series of days: their starts and lengths."""
    return as_panel({
        f"s{n}": pd.Series(np.arange(float(days)), pd.date_range(start, periods=days, freq="D"))
        for n, (start, days) in enumerate(spans)
    })  # fmt: skip


def test_dated_series_are_cut_at_one_time():
    panel = dated(("2024-01-01", 100), ("2024-03-01", 40), ("2023-12-01", 20))
    cut = split_by_time(panel, 0.25, 5)
    after = panel.lengths - cut
    assert 0.25 * 160 <= after.sum() <= 0.25 * 160 + 3
    positions = panel.starts + cut
    assert positions[0] == positions[1]
    assert after[2] == 0  # it had ended before


def test_series_without_dates_are_cut_each_at_its_share():
    panel = Panel.from_arrays([np.arange(100.0), np.arange(40.0), np.arange(6.0)])
    assert split_by_time(panel, 0.1, 8).tolist() == [90, 32, 0]


def test_a_part_that_goes_on_gets_what_was_before():
    whole = dated(("2024-01-01", 30))
    first = whole.cut(np.array([0]), np.array([20]))
    later = whole.cut(np.array([20]), np.array([30]))
    found, added = continued(later, first)
    assert added.tolist() == [20]
    np.testing.assert_array_equal(found.values, whole.values)
    assert found.starts.tolist() == whole.starts.tolist()
    assert str(found.times(0, 20, 1)[0].date()) == "2024-01-21"


def test_series_that_do_not_go_on_stay_as_they_are():
    whole = dated(("2024-01-01", 30))
    first = whole.cut(np.array([0]), np.array([20]))
    for other in (
        whole.cut(np.array([21]), np.array([30])),  # a gap
        replace(whole.cut(np.array([20]), np.array([30])), names=("stranger",)),
        replace(whole.cut(np.array([20]), np.array([30])), targets=("other",)),
        Panel.from_arrays([np.arange(9.0)]),  # no dates
    ):
        found, added = continued(other, first)
        assert found is other
        assert not added.any()


def test_series_are_matched_by_name_whatever_their_order():
    whole = dated(("2024-01-01", 30), ("2024-01-05", 26))
    cut = np.array([20, 16])
    first, later = whole.cut(np.zeros(2, int), cut), whole.cut(cut, whole.lengths).take([1, 0])
    found, added = continued(later, first)
    assert added.tolist() == [16, 20]
    np.testing.assert_array_equal(found.series(0), whole.series(1))
    assert known_ends(later, first) == [20, 20]


def test_clocks_with_another_origin_agree():
    first = dated(("2024-01-01", 20))
    later = dated(("2024-01-21", 10))
    assert first.clock != later.clock
    assert continued(later, first)[1].tolist() == [20]
    assert known_ends(later, first) == [0]


def test_too_short_series_are_refused():
    spans = Spans(Panel.from_arrays([np.arange(30.0)])).within(0, np.array([25]), most=None)
    check_enough(spans, 20, 5, "Forecaster", part="training", held=False)
    with pytest.raises(InputError, match=r"lookback \+ horizon = 20 \+ 6 steps long for training; "
                       r"got 25 steps\. Lower lookback or horizon, or hold out less"):  # fmt: skip
        check_enough(spans, 20, 6, "Forecaster", part="training", held=True)

"""Series that go on: how a later part finds its beginning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from tidegate.data.series.continuation import continued, known_ends
from tidegate.data.series.inputs import as_panel
from tidegate.data.series.panel import Panel
from tidegate.data.series.table import read_series


def dated(*spans: tuple[str, int]) -> Panel:
    """Series of days: their starts and lengths."""
    return as_panel({
        f"s{n}": pd.Series(np.arange(float(days)), pd.date_range(start, periods=days, freq="D"))
        for n, (start, days) in enumerate(spans)
    })  # fmt: skip


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


def test_steps_that_training_had_too_are_no_hindrance():
    whole = dated(("2024-01-01", 30))
    first = whole.cut(np.array([0]), np.array([20]))
    later = whole.cut(np.array([15]), np.array([30]))
    found, added = continued(later, first)
    assert added.tolist() == [15]
    np.testing.assert_array_equal(found.values, whole.values)
    other = replace(later, values=later.values + 1)
    assert continued(other, first)[0] is other


def test_rows_of_the_future_alone_go_on():
    days = pd.date_range("2024-01-01", periods=33).strftime("%Y-%m-%d")
    sales = [*map(float, range(30)), None, None, None]
    frame = pd.DataFrame({"day": days, "sales": sales, "promo": [1.0, 0.0, 0.0] * 11})
    roles = {"time": "day", "target": "sales", "known": "promo"}
    first = read_series(frame[:30], **roles)
    ahead = read_series(frame[30:], clock=first.clock, **roles)
    found, added = continued(ahead, first)
    assert added.tolist() == [30]
    assert found.ahead.tolist() == [3]
    assert found.values[30:, 1].tolist() == [1.0, 0.0, 0.0]

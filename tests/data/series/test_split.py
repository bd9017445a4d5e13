"""Splits by time: dated series at one time, others each at its own share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tidegate.data.series.inputs import as_panel
from tidegate.data.series.panel import Panel
from tidegate.data.series.split import split_by_time


def test_dated_series_are_cut_at_one_time():
    panel = as_panel({
        start: pd.Series(np.arange(float(days)), pd.date_range(start, periods=days, freq="D"))
        for start, days in (("2024-01-01", 100), ("2024-03-01", 40), ("2023-12-01", 20))
    })  # fmt: skip
    cut = split_by_time(panel, 0.25, 5)
    after = panel.lengths - cut
    assert 0.25 * 160 <= after.sum() <= 0.25 * 160 + 3
    positions = panel.starts + cut
    assert positions[0] == positions[1]
    assert after[2] == 0  # it had ended before


def test_series_without_dates_are_cut_each_at_its_share():
    panel = Panel.from_arrays([np.arange(100.0), np.arange(40.0), np.arange(6.0)])
    assert split_by_time(panel, 0.1, 8).tolist() == [90, 32, 0]

"""Numbered dates: whole numbers that are dates, and those that count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.clock import infer_clock
from tidegate.data.series.dates.numbered import read_numbered, slashed


@pytest.mark.parametrize(
    ("form", "freq"),
    [
        ("%Y%m", "MS"),
        ("%Y%m%d", "D"),
        ("%Y%m%d%H", "h"),
        ("%Y%m%d%H%M", "15min"),
        ("%y%m%d%H", "h"),
        ("%y%m%d%H%M", "15min"),
        ("%G%V", "W-MON"),
        ("%Y%j", "D"),
        ("%y%m%d", "D"),
    ],
)
def test_dates_come_back(form, freq):
    dates = pd.date_range("2019-12-02" if form == "%G%V" else "2019-12-01", periods=60, freq=freq)
    numbers = np.array([int(text) for text in dates.strftime(form)])
    assert read_numbered(numbers).tolist() == dates.tolist()


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 2, 3],
        [1990, 1991],
        [100, 1000],
        [201600, 201601],
        [*range(150101, 150120)],
        [500000, 500001],
        [20195, 20196],
        [1700000000, 1700003600],
    ],
)
def test_numbers_that_count_are_left_alone(numbers):
    assert read_numbered(np.array(numbers)) is None


def test_the_clock_of_the_fit_tells_weeks_from_months():
    weeks = read_numbered(np.arange(201610, 201640))
    instants = np.asarray(pd.DatetimeIndex(weeks).as_unit("us").asi8)
    clock = infer_clock(instants, dated=True, owner="t")
    assert read_numbered(np.array([201904]), clock)[0] == pd.Timestamp("2019-01-21")
    assert read_numbered(np.array([201904]))[0] == pd.Timestamp("2019-04-01")


def test_days_and_months_before_the_year_are_written_with_strokes():
    days = pd.date_range("2023-12-25", periods=20)
    for form in ("%d%m%Y", "%m%d%Y"):
        numbers = np.array([int(text) for text in days.strftime(form)])
        wanted = days.strftime("%d/%m/%Y" if form == "%d%m%Y" else "%m/%d/%Y")
        assert slashed(numbers).tolist() == slashed(numbers * 1.0).tolist() == wanted.tolist()


@pytest.mark.parametrize(
    "numbers",
    [[20240101, 20240102], [1012024, 1012025], [1012024.5], [99122024], [13132024], [1010999], []],
)
def test_other_numbers_are_no_days_of_months(numbers):
    assert slashed(np.array(numbers)) is None

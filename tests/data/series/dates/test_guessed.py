"""Guessed dates: the reading with fewer gaps is taken, and a tie is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.series.dates.guessed import read_guessed
from tidegate.errors import InputError


@given(
    st.sampled_from(["D", "MS", "QS", "W-MON", "B"]),
    st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m-%d-%Y"]),
    st.integers(0, 400),
)
def test_regular_dates_are_read_as_they_were_written(freq, form, shift):
    first = pd.Timestamp("2014-01-01") + pd.Timedelta(days=shift)
    dates = pd.date_range(first, periods=40, freq=freq)
    texts = pd.Series(dates.strftime(form))
    found, dayfirst = read_guessed(texts, np.arange(1, 41), "t", None, utc=False)
    assert found.tolist() == dates.tolist()
    assert dayfirst in (form.startswith("%d"), None)


def test_a_tie_is_refused_with_both_readings():
    with pytest.raises(InputError, match=r"'03/04/2015' in row 7, which may be 04 March or 03 Apr"):
        read_guessed(pd.Series(["03/04/2015"]), np.array([7]), "t", None, utc=False)


def test_what_makes_no_difference_is_no_question():
    texts = pd.Series(["01/01/2015", "02/02/2015"])
    assert read_guessed(texts, np.arange(2), "t", None, utc=False)[1] is None


def test_jan_16_is_a_month_of_a_year():
    dates = pd.date_range("2015-01-01", periods=20, freq="MS")
    texts = pd.Series(dates.strftime("%b-%y"))
    found, _ = read_guessed(texts, np.arange(20), "t", None, utc=False)
    assert found.tolist() == dates.tolist()


@pytest.mark.parametrize("text", ["16-Jan", "09:00", "9:00:30", "Jan 16 10:30", "5/6"])
def test_a_date_without_a_year_is_none(text):
    found, _ = read_guessed(pd.Series([text]), np.arange(1), "t", None, utc=False)
    assert found.isna().all()


@pytest.mark.parametrize("text", ["1 Feb 16", "1-Feb-16 10:30", "Feb 1, 2016", "13.2.16"])
def test_a_year_of_two_digits_is_one(text):
    found, _ = read_guessed(pd.Series([text]), np.arange(1), "t", None, utc=False)
    assert found.dt.year.tolist() == [2016]

"""Spelled dates: weeks, months and quarters in the ways of many countries."""

from __future__ import annotations

import pandas as pd
import pytest

from tidegate.data.series.dates.spelled import spelled


@pytest.mark.parametrize(
    ("day", "texts"),
    [
        (
            "2015-04-01",
            [
                *("2015Q2", "2015-Q2", "2015 Q2", "2015.Q2", "2015/q2", "Q2 2015", "Q2-2015"),
                *("Q2/2015", "Q2'15", "2Q2015", "2Q15", "2q 2015", "2015 Quarter 2", "2015M04"),
                *("2015-M4", "2015m04"),
            ],
        ),
        (
            "2014-12-29",
            [
                *("2015-W01", "2015W01", "2015-W01-1", "2015W011", "2015 W1", "2015-w01"),
                *("W01 2015", "W1-2015", "2015 Week 1", "KW 1/2015"),
            ],
        ),
        ("2015-01-04", ["2015-W01-7", "2015W017"]),
    ],
)
def test_they_become_their_first_day(day, texts):
    assert spelled(pd.Series(texts)).tolist() == [day] * len(texts)


def test_what_is_none_of_these_stays():
    texts = ["2015-W54", "2015Q5", "2015M13", "2015-01-01", "q", "Jan-15", "2015", "W1"]
    assert spelled(pd.Series(texts)).tolist() == texts

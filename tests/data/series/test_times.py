"""Times of tables: every way people write them, and rows that are wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.times import read_times
from tidegate.errors import InputError


def read(values, **options):
    column = pd.Series(values, **options)
    return read_times(column, np.arange(1, len(column) + 1), "t")


def days(times) -> list[str]:
    return pd.to_datetime(times.instants, unit="us").strftime("%Y-%m-%d").tolist()


@pytest.mark.parametrize(
    "texts",
    [
        ["2024-01-12", "2024-02-13"],
        ["2024-01-12 00:00:00", "2024-02-13 00:00:00"],
        ["01/12/2024", "02/13/2024"],
        ["12/01/2024", "13/02/2024"],
        ["20240112", "20240213"],
        ["12 Jan 2024", "13 Feb 2024"],
    ],
)
def test_dates_are_read_however_they_are_written(texts):
    found = read(texts)
    assert found.dated
    assert days(found) == ["2024-01-12", "2024-02-13"]


def test_days_first_where_that_makes_regular_steps():
    assert days(read(["01/02/2024", "02/02/2024", "03/02/2024"])) == [
        "2024-02-01", "2024-02-02", "2024-02-03",
    ]  # fmt: skip
    assert days(read(["01/02/2024", "01/03/2024", "01/04/2024"]))[0] == "2024-01-02"


def test_months_and_quarters():
    assert days(read(["1949-01", "1949-02"])) == ["1949-01-01", "1949-02-01"]
    assert days(read(["1970 Q1", "1970 Q2"])) == ["1970-01-01", "1970-04-01"]
    assert days(read(pd.period_range("2020-01", periods=2, freq="M"))) == [
        "2020-01-01", "2020-02-01",
    ]  # fmt: skip


def test_numbers_stay_numbers():
    for column in (["1821", "1822"], [1821, 1822], [1821.0, 1822.0]):
        found = read(column)
        assert not found.dated
        assert found.instants.tolist() == [1821, 1822]
    with pytest.raises(InputError, match=r"dates or whole numbers; got 1949.5 in row 2"):
        read([1949.0, 1949.5])


def test_one_offset_is_kept_and_two_are_refused():
    found = read(["2024-01-01T10:00:00+01:00", "2024-01-01T11:00:00+01:00"])
    assert found.zone == "+01:00"
    assert pd.to_datetime(found.instants, unit="us")[0].hour == 9
    assert read(["2024-01-01T10:00Z", "2024-01-01T11:00Z"]).zone == "UTC"
    wrong = r"`time` must be of one time zone; got '2024-03-31T03:00\+02:00' in row 2, after "
    with pytest.raises(InputError, match=wrong):
        read(["2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00"])
    with pytest.raises(InputError, match="in row 2"):
        read(["2024-03-31T01:00+01:00", "2024-03-31T02:00"])


def test_midnights_of_a_zone_follow_its_wall_clock():
    index = pd.date_range("2024-03-29", periods=4, freq="D", tz="Europe/Paris")
    found = read(index)
    assert found.wall
    assert (np.diff(found.instants) == 86_400_000_000).all()
    hourly = read(pd.date_range("2024-03-31", periods=5, freq="h", tz="Europe/Paris"))
    assert not hourly.wall
    assert (np.diff(hourly.instants) == 3_600_000_000).all()


def test_what_is_no_date_is_named_with_its_row():
    with pytest.raises(
        InputError, match=r"a date or a whole number; got 'soon' in row 2. Write dates"
    ):
        read(["2024-01-01", "soon"])
    with pytest.raises(InputError, match=r"given in every row; got an empty cell in row 2"):
        read(["2024-01-01", None])

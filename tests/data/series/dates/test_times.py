"""Times of tables: every way people write them, and rows that are wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tidegate.data.series.clock import Clock
from tidegate.data.series.dates.instants import OtherClockError
from tidegate.data.series.dates.times import read_times
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


def test_days_or_months_first_whichever_leaves_fewer_gaps():
    daily = [f"{day:02d}/02/2024" for day in range(1, 29)]
    assert days(read(daily))[1] == "2024-02-02"
    monthly = [f"01/{month:02d}/{year}" for year in (2014, 2015) for month in range(1, 13)]
    assert days(read(monthly))[1] == "2014-02-01"
    american = [f"{month:02d}/01/{year}" for year in (2014, 2015) for month in range(1, 13)]
    assert days(read(american))[1] == "2014-02-01"


@pytest.mark.parametrize("texts", [["01/02/2024", "02/02/2024", "03/02/2024"], ["03/04/2024"]])
def test_what_is_ambiguous_is_refused_unless_it_is_told(texts):
    with pytest.raises(InputError, match=r"told apart; got .* in row 1, which may be .*--dayfirst"):
        read(texts)
    column = pd.Series(texts)
    rows = np.arange(1, len(texts) + 1)
    found = read_times(column, rows, "t", dayfirst=True)
    assert days(found)[0] == f"2024-{texts[0][3:5]}-{texts[0][:2]}"
    clock = Clock("duration", 1, dayfirst=False)
    assert (
        days(read_times(column, rows, "t", clock=clock))[0]
        == f"2024-{texts[0][:2]}-{texts[0][3:5]}"
    )


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        ([201611, 201612, 201701], ["2016-11-01", "2016-12-01", "2017-01-01"]),
        ([201652, 201701], ["2016-12-26", "2017-01-02"]),
        ([20193, 20194, 20201], ["2019-07-01", "2019-10-01", "2020-01-01"]),
        ([20161231, 20170101], ["2016-12-31", "2017-01-01"]),
        ([2016123123, 2017010100], ["2016-12-31", "2017-01-01"]),
        ([201612312359, 201701010000], ["2016-12-31", "2017-01-01"]),
    ],
)
@pytest.mark.parametrize("kind", [int, float, str])
def test_dates_written_as_numbers(numbers, wanted, kind):
    found = read([kind(number) for number in numbers])
    assert found.dated
    assert days(found) == wanted


@pytest.mark.parametrize(
    "numbers", [[1, 2], [300001, 300002], [201600, 201601], [-201611, -201612]]
)
def test_numbers_that_are_no_dates_count(numbers):
    assert read(numbers).instants.tolist() == numbers


def test_the_clock_of_the_fit_decides():
    counting = read_times(pd.Series([201612]), np.array([1]), "t", clock=Clock())
    assert not counting.dated
    hourly = Clock("duration", 3_600_000_000, 0, zone="+09:00")
    one = read_times(pd.Series(["2024-01-01T09:00+09:00"]), np.array([1]), "t", clock=hourly)
    other = read_times(pd.Series(["2024-01-01T00:00Z"]), np.array([1]), "t", clock=hourly)
    assert one.instants.tolist() == other.instants.tolist()
    assert not one.wall


@pytest.mark.parametrize(("freq", "at"), [("6h", "00:00"), ("D", "02:30")])
@pytest.mark.parametrize("kind", ["datetime", "arrow", "object"])
def test_local_times_run_on_over_a_change_of_the_clock(freq, at, kind):
    naive = pd.date_range(f"2024-03-28 {at}", "2024-04-03", freq=freq)
    index = naive.tz_localize("Europe/Paris", nonexistent="shift_forward")
    column = pd.Series(index)
    if kind == "arrow":
        column = column.astype(pd.ArrowDtype(pa.timestamp("us", "Europe/Paris")))
    if kind == "object":
        column = column.astype(object)
    found = read_times(column, np.arange(1, len(column) + 1), "t")
    assert found.wall
    assert found.zone == "Europe/Paris"
    assert len(set(np.diff(found.instants))) == 1


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


def test_one_offset_is_kept_and_several_are_utc():
    found = read(["2024-01-01T10:00:00+01:00", "2024-01-01T11:00:00+01:00"])
    assert found.zone == "+01:00"
    assert pd.to_datetime(found.instants, unit="us")[0].hour == 9
    assert read(["2024-01-01T10:00Z", "2024-01-01T11:00Z"]).zone == "UTC"
    several = read(["2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00"])
    assert several.zone == "UTC"
    assert np.diff(several.instants).tolist() == [3_600_000_000]
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


@pytest.mark.parametrize(("freq", "zone"), [("D", "local"), ("MS", "local"), ("h", "UTC")])
def test_offsets_that_change_are_read_by_the_local_clock_or_utc(freq, zone):
    index = pd.date_range("2024-02-01", periods=150, freq=freq, tz="Europe/Paris")
    shifted = index + pd.Timedelta(days=58) if freq == "h" else index  # over the end of March
    texts = pd.Series([time.isoformat() for time in shifted])
    found = read(texts)
    assert found.zone == zone
    again = read_times(texts[-1:], np.array([1]), "t", clock=Clock("duration", zone=zone))
    assert again.instants.tolist() == found.instants[-1:].tolist()


def test_dates_with_the_year_first_have_the_month_before_the_day():
    texts = ["2024/05/01", "2024/05/02", "2024/05/03"]
    wanted = ["2024-05-01", "2024-05-02", "2024-05-03"]
    assert days(read(texts)) == days(read([text.replace("/", ".") for text in texts])) == wanted
    for end in (" 3:00 PM", " 03:00 UTC", " 3:00", "T3:00Z"):
        assert days(read([text.replace("/0", "-") + end for text in texts])) == wanted
    assert days(read(["2024/05/01 5:00 PM"])) == ["2024-05-01"]
    assert days(read_times(pd.Series(["2024/05/01"]), np.array([1]), "t", dayfirst=True)) == [
        "2024-05-01"
    ]


def test_unix_time_is_dates_in_utc_and_follows_the_clock_of_the_fit():
    numbers = [1_700_000_000, 1_700_003_600]
    for unit in (1, 1000, 10**6, 10**9):
        for found in (read([unit * n for n in numbers]), read([str(unit * n) for n in numbers])):
            assert (found.zone, found.dated) == ("UTC", True)
            assert found.instants.tolist() == [10**6 * n for n in numbers]
    counting = read_times(pd.Series(numbers), np.array([1, 2]), "t", clock=Clock())
    assert counting.instants.tolist() == numbers
    hours = [
        int(text) for text in pd.date_range("1990-01-01", periods=48, freq="h").strftime("%Y%m%d%H")
    ]
    assert days(read(hours))[::24] == ["1990-01-01", "1990-01-02"]


def test_times_that_tell_something_else_than_those_of_the_fit_are_refused():
    zoned, naive = pd.Series(["2024-01-01T09:00+09:00"]), pd.Series(["2024-01-01 09:00"])
    for column, clock in ((zoned, Clock("duration")), (naive, Clock("duration", zone="UTC")),
                          (naive, Clock()), (pd.Series([7]), Clock("month"))):  # fmt: skip
        with pytest.raises(OtherClockError, match="`time` must be as in training, "):
            read_times(column, np.array([1]), "t", clock=clock)


def test_what_is_no_date_is_named_with_its_row():
    with pytest.raises(
        InputError, match=r"a date or a whole number; got 'soon' in row 2. Write dates"
    ):
        read(["2024-01-01", "soon"])
    with pytest.raises(InputError, match=r"given in every row; got an empty cell in row 2"):
        read(["2024-01-01", None])


def test_numbers_with_the_day_first_are_dates():
    index = pd.date_range("2024-01-20", periods=40)
    for numbers in (index.strftime("%d%m%Y").astype(int), index.strftime("%d%m%Y")):
        found = read(list(numbers))
        assert days(found) == index.strftime("%Y-%m-%d").tolist()
        assert found.dayfirst
    with pytest.raises(InputError, match="whose day and month can be told apart; got '01/02/2024'"):
        read([1022024, 2022024, 3022024])
    counting = read_times(pd.Series([31122024]), np.array([1]), "t", clock=Clock())
    assert not counting.dated


def test_years_of_two_digits_in_numbers_are_no_unix_time():
    index = pd.date_range("2024-01-01", periods=60, freq="15min")
    found = read([int(text) for text in index.strftime("%y%m%d%H%M")])
    assert found.instants.tolist() == index.as_unit("us").asi8.tolist()
    thousandths = [int(f"{text}250") for text in index.strftime("%Y%m%d%H%M%S")]
    assert read(thousandths).instants[0] == index.as_unit("us").asi8[0] + 250_000
    with pytest.raises(InputError, match="got '240101 05:00' in row 1"):
        read(["240101 05:00", "240101 06:00"])

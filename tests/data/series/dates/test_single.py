"""Single times: read as a table of the fit's times is, whatever they come as."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.clock import LOCAL, Clock
from tidegate.data.series.dates.instants import OtherClockError, learned_clock
from tidegate.data.series.dates.single import clock_of, read_time
from tidegate.data.series.dates.times import read_times
from tidegate.errors import InputError

NAIVE, TOKYO, PARIS = (Clock("duration", zone=zone) for zone in (None, "+09:00", "Europe/Paris"))


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("clock", [None, NAIVE])
@pytest.mark.parametrize(
    "time",
    [
        datetime(2024, 5, 1, 12),
        pd.Timestamp("2024-05-01 12:00"),
        np.datetime64("2024-05-01T12"),
        pd.Period("2024-05-01 12:00", "h"),
        "2024-05-01 12:00",
        " 2024-05-01T12:00:00.000 ",
        "20240501T120000",
        "May 1, 2024 12:00",
        2024050112,
        "2024050112",
        2024050112.0,
        np.int64(202405011200),
        seconds("2024-05-01 12:00"),
        int(seconds("2024-05-01 12:00")),
        str(seconds("2024-05-01 12:00")),
        int(seconds("2024-05-01 12:00")) * 1000,
    ],
    ids=repr,
)
def test_every_form_is_the_same_time(time, clock):
    assert read_time(time, "test", clock) == seconds("2024-05-01 12:00")


@pytest.mark.parametrize(
    "time",
    [
        "2024-05-01T12:00:00+09:00",
        "2024-05-01 03:00Z",
        "2024-05-01 03:00 UTC",
        "2024-05-01T05:00:00+0200",
        datetime(2024, 5, 1, 3, tzinfo=UTC),
        datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=9))),
        pd.Timestamp("2024-05-01 05:00", tz="Europe/Paris"),
        seconds("2024-05-01 03:00"),
        int(seconds("2024-05-01 03:00")) * 1000,
    ],
    ids=repr,
)
def test_the_time_zone_of_the_fit_decides(time):
    assert read_time(time, "test", TOKYO) == seconds("2024-05-01 12:00")
    assert read_time(time, "test", PARIS) == seconds("2024-05-01 05:00")
    if not isinstance(time, float | int):
        with pytest.raises(OtherClockError, match="as in training, dates without a time zone; got"):
            read_time(time, "test", NAIVE)


@pytest.mark.parametrize(
    "time", ["2024-05-01 12:00", datetime(2024, 5, 1), "1 May 2024", 2024050112]
)
def test_a_time_without_a_zone_is_refused_after_times_with_one(time):
    with pytest.raises(OtherClockError, match=r"test: `time` must be as in training, dates in"):
        read_time(time, "test", TOKYO)


def test_models_that_kept_no_clock_and_wall_clocks_read_times_as_they_are_written():
    for clock in (None, Clock("duration", zone=LOCAL)):
        assert read_time("2024-05-01T12:00:00+02:00", "t", clock) == seconds("2024-05-01 12:00")
        assert read_time("2024-05-01 12:00", "t", clock) == seconds("2024-05-01 12:00")


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset():
    first, second = (read_time(f"2024-10-27T02:30{o}", "t", PARIS) for o in ("+02:00", "+01:00"))
    assert first == second == seconds("2024-10-27 02:30")
    assert read_time("2024-10-27T00:30Z", "t", PARIS) == first


def test_days_and_months_are_told_apart_as_in_the_fit():
    for first, wanted in ((True, "2024-02-01"), (False, "2024-01-02")):
        clock = Clock("duration", dayfirst=first)
        for time in ("01/02/2024", 1022024, "01022024"):
            assert read_time(time, "t", clock) == seconds(wanted)
    with pytest.raises(InputError, match=r"a date or a whole number; got '01/02/2024'. Write it"):
        read_time("01/02/2024", "t", NAIVE)


@pytest.mark.parametrize("form", ["%Y%m", "%G%V", "%Y%j"])
def test_numbers_are_read_as_the_dates_of_the_fit(form):
    freq = {"%Y%m": "MS", "%G%V": "W-MON", "%Y%j": "D"}[form]
    dates = pd.date_range("2019-12-30" if form == "%G%V" else "2020-01-01", periods=40, freq=freq)
    numbers = [int(text) for text in dates.strftime(form)]
    learned = read_times(pd.Series(numbers), np.arange(1, 41), "t")
    clock = learned_clock(learned)
    found = [read_time(number, "t", clock) for number in numbers]
    assert found == (learned.instants / 1e6).tolist() == [date.timestamp() for date in dates]


def test_of_two_readings_the_nearer_to_the_times_of_the_fit_is_meant():
    late = Clock("duration", origin=int(seconds("2030-01-01") * 1e6))
    early = Clock("duration", origin=int(seconds("1989-01-01") * 1e6))
    assert read_time(1990010105, "t", late) == 1990010105
    assert read_time(1990010105, "t", early) == seconds("1990-01-01 05:00")
    monthly = Clock("month", origin=int(seconds("1970-01-01") * 1e6))
    assert read_time(202301, "t", monthly) == seconds("2023-01-01")


def test_every_day_of_a_year_with_the_day_first_is_read_alone_as_in_a_table():
    days = pd.date_range("2020-01-01", periods=400)
    texts = days.strftime("%d%m%Y").tolist()
    clock = learned_clock(read_times(pd.Series(texts), np.arange(1, 401), "t"))
    for kind in (str, int):
        found = [read_time(kind(text), "t", clock) for text in texts[::7]]
        assert found == [day.timestamp() for day in days[::7]]


@pytest.mark.parametrize(
    "wrong", ["noon", None, float("nan"), pd.NaT, "", [], True, "inf", "31-31-2024", object]
)
def test_what_is_no_time_is_refused(wrong):
    for clock in (None, NAIVE, TOKYO):
        with pytest.raises(InputError, match=r"test: `time` must be a date or a whole number"):
            read_time(wrong, "test", clock)


def test_the_first_time_of_a_stream_says_what_the_others_are():
    assert clock_of("2024-01-01T12:00+09:00", "t").zone == "UTC+09:00"
    assert clock_of(pd.Timestamp("2024-01-01", tz="Europe/Paris"), "t").zone == "Europe/Paris"
    assert clock_of(date(2024, 1, 1), "t").zone is None
    assert clock_of(2024010105, "t").dated
    assert read_time(200101, "t", clock_of(0.0, "t")) == 200101  # seconds that count from the start
    with pytest.raises(InputError, match="a date or a whole number"):
        clock_of("noon", "t")

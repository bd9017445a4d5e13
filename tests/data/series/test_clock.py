"""Clocks: found from times with gaps, and refused where the frequency changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.clock import Clock, check_regular, infer_clock
from tidegate.errors import InputError


def instants(index) -> np.ndarray:
    return np.asarray(pd.DatetimeIndex(index).as_unit("us").asi8)


# What pandas calls a frequency, and what the clock finds.
FREQUENCIES = [
    ("15min", "15 minutes", 96),
    ("h", "1 hour", 24),
    ("D", "1 day", 7),
    ("W-SAT", "7 days", 52),
    ("B", "1 business day", 5),
    ("MS", "1 month", 12),
    ("ME", "1 month", 12),
    ("QS", "3 months", 4),
    ("YS", "12 months", 1),
]


@pytest.mark.parametrize(("frequency", "name", "season"), FREQUENCIES)
def test_a_clock_is_found_and_gives_the_times_back(frequency, name, season):
    index = pd.date_range("2019-11-30 06:00", periods=60, freq=frequency)
    clock = infer_clock(instants(index), dated=True, owner="t")
    assert (clock.name, clock.season) == (name, season)
    positions, exact = clock.positions(instants(index))
    assert exact.all()
    assert positions.tolist() == list(range(60))
    assert (clock.times(range(60)) == index).all()
    longer = pd.date_range("2019-11-30 06:00", periods=70, freq=frequency)
    assert (clock.times(range(60, 70)) == longer[60:]).all()


@pytest.mark.parametrize("frequency", ["h", "D", "MS", "B"])
def test_gaps_do_not_hide_the_clock(frequency):
    index = pd.date_range("2020-01-01", periods=90, freq=frequency)
    kept = np.delete(np.arange(90), [4, 5, 33, 60, 61, 62])
    clock = infer_clock(instants(index[kept]), dated=True, owner="t")
    positions, exact = clock.positions(instants(index[kept]))
    assert exact.all()
    assert positions.tolist() == kept.tolist()


def test_the_31st_becomes_the_last_day_of_shorter_months():
    index = pd.to_datetime(["2021-01-31", "2021-02-28", "2021-03-31", "2021-04-30"])
    clock = infer_clock(instants(index), dated=True, owner="t")
    assert clock.month_end
    assert str(clock.times([13])[0].date()) == "2022-02-28"


@pytest.mark.parametrize("first", ["2015-01-30", "2015-02-28", "2015-04-30"])
def test_the_30th_is_the_last_day_of_february(first):
    months = pd.date_range(first[:7], periods=30, freq="MS")
    index = pd.DatetimeIndex([day.replace(day=min(30, day.days_in_month)) for day in months])
    clock = infer_clock(instants(index), dated=True, owner="t")
    positions, exact = clock.positions(instants(index))
    assert exact.all()
    assert np.diff(positions).tolist() == [1] * 29
    assert (clock.times(positions) == index).all()


def test_numbers_have_a_clock_too():
    clock = infer_clock(np.array([1821, 1823, 1825, 1829]), dated=False, owner="t")
    assert clock.name == "2 steps"
    assert clock.times([0, 5]).tolist() == [1821, 1831]
    assert not clock.dated


def test_times_at_random_have_no_frequency():
    times = np.cumsum(np.random.default_rng(0).integers(1, 10**9, 50))
    with pytest.raises(InputError, match=r"`time` must be at a regular frequency; got steps of "):
        infer_clock(times, dated=True, owner="t")
    with pytest.raises(InputError, match="at two rows or more"):
        infer_clock(times[:1], dated=True, owner="t")


def regular(positions, exact=None):
    positions = np.asarray(positions)
    exact = np.ones(len(positions), bool) if exact is None else exact
    rows = np.arange(1, len(positions) + 1)
    check_regular(Clock("duration", 3_600_000_000), positions, exact, np.zeros(1, int), rows, "t")


def test_a_frequency_that_changes_is_named_by_its_row():
    regular([0, 1, 2, 5, 6, 9, 11, 12])  # gaps
    hourly_then_daily = [*range(10), *range(33, 33 + 24 * 12, 24)]
    with pytest.raises(InputError, match=r"here 1 hour; got 24 times that step from row 11 on"):
        regular(hourly_then_daily)
    exact = np.array([True, True, False])
    with pytest.raises(InputError, match=r"a time between steps in row 3"):
        regular([0, 1, 1], exact)


def test_a_wall_clock_counts_days_of_23_hours_as_one():
    clock = Clock("duration", 86_400_000_000, int(instants(["2024-03-30"])[0]),
                  zone="Europe/Paris", wall=True)  # fmt: skip
    times = clock.times([0, 1, 2])
    assert [time.hour for time in times] == [0, 0, 0]
    assert (times[2] - times[1]).total_seconds() == 23 * 3600


@pytest.mark.parametrize(
    ("dates", "following"),
    [
        (["2024-01-30", "2024-02-29", "2024-03-30", "2024-04-30"], "2024-05-30"),
        (["2023-02-28", "2023-03-30", "2023-04-30", "2023-05-30"], "2023-06-30"),
        (["2023-01-29", "2023-02-28", "2023-03-29"], "2023-04-29"),
        (["2024-03-29", "2024-04-30", "2024-05-31", "2024-06-28"], "2024-07-31"),
        (["2024-05-31", "2024-06-28", "2024-07-31"], "2024-08-30"),
        (["2024-02-29", "2024-05-31", "2024-08-30", "2024-11-29"], "2025-02-28"),
    ],
)
def test_months_by_their_30th_or_last_working_day(dates, following):
    instants = pd.DatetimeIndex([*dates, following]).as_unit("us").asi8
    clock = infer_clock(np.asarray(instants[:-1]), dated=True, owner="t")
    assert clock.kind == "month"
    positions, exact = clock.positions(np.asarray(instants))
    assert exact.all()
    assert set(np.diff(positions)) == {1}
    assert str(clock.times(positions)[-1].date()) == following

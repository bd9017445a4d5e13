"""Patterns: gaps that are the same each day or week are none, and others stay gaps."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.panel import Panel
from tidegate.data.series.pattern import longest_part, patterned
from tidegate.data.series.table import GapWarning, read_series
from tidegate.errors import InputError

HOURS = pd.date_range("2024-01-01", "2024-03-31 23:00", freq="h")
DAYS = pd.date_range("2024-01-01", "2024-06-30")
TRADE = HOURS[(HOURS.hour >= 9) & (HOURS.hour <= 17) & (HOURS.day_of_week < 5)]
MINUTES = pd.date_range("2024-01-01 09:30", "2024-01-31", freq="5min")


def read(index) -> Panel:
    return read_series(pd.DataFrame({"t": index, "v": np.arange(float(len(index)))}), time="t")


def found(index):
    instants = np.asarray(index.tz_localize(None).as_unit("us").asi8)
    return patterned(instants, np.zeros(1, np.int64))


@pytest.mark.parametrize(
    ("index", "name", "season", "following"),
    [
        (TRADE, "1 hour, 45 of 168 a week", 9, "2024-04-01 09:00"),
        (TRADE[:90], "1 hour, 45 of 168 a week", 9, "2024-01-15 09:00"),
        (HOURS[(HOURS.hour >= 9) & (HOURS.hour <= 17)], "1 hour, 9 of 24 a day", 9,
         "2024-04-01 09:00"),
        (HOURS[HOURS.hour != 3], "1 hour, 23 of 24 a day", 23, "2024-04-01 00:00"),
        (HOURS[HOURS.hour.isin([8, 12, 18])], "2 hours, 3 of 12 a day", 3, "2024-04-01 08:00"),
        (DAYS[DAYS.day_of_week < 6], "1 day, 6 of 7 a week", 6, "2024-07-01"),
        (DAYS[DAYS.day_of_week.isin([0, 2, 4])], "1 day, 3 of 7 a week", 3, "2024-07-01"),
        (MINUTES[(MINUTES.hour < 16) & (MINUTES.hour > 9) & (MINUTES.day_of_week < 5)],
         "5 minutes, 360 of 2016 a week", 72, "2024-01-31 10:00"),
    ],
)  # fmt: skip
def test_gaps_that_come_again_are_none(index, name, season, following):
    with warnings.catch_warnings():
        warnings.simplefilter("error", GapWarning)
        panel = read(index)
    assert (panel.clock.name, panel.clock.season) == (name, season)
    assert panel.times(0, 0, len(index)).equals(index)
    assert panel.times(0, len(index), 1)[0] == pd.Timestamp(following)
    back = panel.clock.positions(np.asarray(index.as_unit("us").asi8))
    assert back[0].tolist() == list(range(len(index)))
    assert back[1].all()


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York"])
def test_hours_of_trade_are_those_of_the_wall_clock(zone):
    panel = read(TRADE.tz_localize(zone))
    assert panel.times(0, 0, len(TRADE)).equals(TRADE.tz_localize(zone))
    assert panel.times(0, len(TRADE), 9).hour.tolist() == list(range(9, 18))
    texts = [time.isoformat() for time in TRADE.tz_localize(zone)]  # of two offsets, or of one
    assert len(read(texts).values) == len(TRADE)


def test_what_is_missing_within_a_pattern_is_missing():
    days = pd.to_datetime(["2024-02-19", "2024-02-20"])
    with pytest.warns(GapWarning, match="18 of 585 steps are missing at a frequency of 1 hour, 45"):
        panel = read(TRADE[~TRADE.normalize().isin(days)])
    assert int(np.isnan(panel.values).sum()) == 18
    with pytest.raises(InputError, match=r"a time between steps in row 1"):
        frame = pd.DataFrame({"t": ["2024-03-31 03:00"], "v": [1.0]})
        read_series(frame, time="t", clock=panel.clock)


def test_an_unusual_hour_belongs_to_the_pattern_and_a_slip_does_not():
    once = TRADE.append(pd.DatetimeIndex(["2024-02-03 12:00"])).sort_values()
    with pytest.warns(GapWarning, match="11 of 597 steps"):
        assert read(once).clock.season == 9
    slip = TRADE.to_series(index=range(len(TRADE)))
    slip[100] += pd.Timedelta("7min")
    with pytest.raises(InputError, match="a time between steps in row 101"):
        read(slip)


@pytest.mark.parametrize(
    "index",
    [
        HOURS,
        HOURS[(HOURS < "2024-01-20") | (HOURS > "2024-02-20")],
        HOURS[np.random.default_rng(0).random(len(HOURS)) < 0.7],
        HOURS[np.random.default_rng(0).random(len(HOURS)) < 0.3],
        TRADE[:18],
        HOURS[:240].append(HOURS[240 : 240 + 24 * 12 : 24]),
        DAYS[DAYS.day_of_week < 5],
        pd.date_range("2020-01-01", periods=40, freq="MS"),
    ],
)
def test_other_gaps_are_no_pattern(index):
    assert found(index) is None


def test_all_series_tell_the_pattern():
    frames = [
        pd.DataFrame({"t": index, "who": name, "v": 1.0})
        for name, index in (("a", TRADE), ("b", TRADE[20:200]), ("c", TRADE[300:301]))
    ]
    panel = read_series(pd.concat(frames, ignore_index=True), time="t", id="who")
    assert np.diff(panel.offsets).tolist() == [len(TRADE), 180, 1]
    assert panel.starts.tolist() == [0, 20, 300]
    assert longest_part(np.array([0, 2, 7]), 9) == slice(2, 7)

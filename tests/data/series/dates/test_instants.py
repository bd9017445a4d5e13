"""Instants: which clock times run by, and what a fit remembers of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.clock import LOCAL, Clock
from tidegate.data.series.dates.instants import (
    Times,
    learned_clock,
    naive_times,
    offset_times,
    other_clock,
    unix_times,
    wall_clock,
    zone_name,
    zoned_times,
)

HOUR = 3_600_000_000


def test_zones_of_every_library_are_found_again_by_name():
    for zone in ("Europe/Paris", "dateutil/Europe/Paris", "UTC", "+05:30"):
        index = pd.date_range("2024-07-01", periods=2, tz=zone)
        again = index.tz_convert("UTC").tz_convert(zone_name(index.tz))
        assert again.tz_localize(None).equals(index.tz_localize(None))


def test_the_wall_clock_of_a_zone():
    index = pd.date_range("2024-03-31", periods=4, freq="h", tz="Europe/Paris")
    times = zoned_times(index, "Europe/Paris", None)
    assert np.diff(times.instants).tolist() == [HOUR] * 3
    assert np.diff(wall_clock(times)).tolist() == [HOUR, 2 * HOUR, HOUR]
    other = zoned_times(index, "Europe/Paris", Clock("duration", zone="+00:00"))
    assert np.diff(wall_clock(other)).tolist() == [HOUR] * 3
    assert wall_clock(naive_times(index.tz_localize(None))).tolist() == wall_clock(times).tolist()


@pytest.mark.parametrize("freq", ["D", "6h", "h"])
def test_several_offsets_run_by_the_local_clock_where_that_is_regular(freq):
    index = pd.date_range("2024-03-28", "2024-04-03", freq=freq, tz="Europe/Paris")
    if freq == "6h":  # four times a day of the local clock
        index = pd.date_range("2024-03-28", "2024-04-03", freq=freq).tz_localize("Europe/Paris")
    texts = pd.Series([time.isoformat() for time in index])
    dates = pd.to_datetime(texts, utc=True)
    times = offset_times(dates, texts.str[-6:], None)
    assert times.zone == ("UTC" if freq == "h" else LOCAL)
    assert len(np.unique(np.diff(times.instants))) == 1
    one = offset_times(dates[-1:], texts[-1:].str[-6:], Clock("duration", zone=times.zone))
    assert one.instants.tolist() == times.instants[-1:].tolist()


def test_what_a_fit_remembers():
    months = np.array(["2024-01-01", "2024-02-01", "2024-03-01"], "datetime64[us]").astype(np.int64)
    assert learned_clock(Times(months, True)).kind == "month"
    odd = learned_clock(Times(np.array([5, 5, 9, 20, 100]), True, zone="UTC", dayfirst=True))
    assert (odd.kind, odd.origin, odd.zone, odd.dayfirst) == ("duration", 5, "UTC", True)


def test_unix_time_is_of_utc_unless_the_clock_has_no_zone():
    instants = np.array([0, HOUR])
    assert unix_times(instants, None).zone == "UTC"
    assert unix_times(instants, Clock("duration")).zone is None
    tokyo = unix_times(instants, Clock("duration", zone="Asia/Tokyo"))
    assert wall_clock(tokyo).tolist() == [9 * HOUR, 10 * HOUR]


def test_times_of_another_clock_are_told_in_words():
    for zone, told in ((None, "without a time zone"), (LOCAL, "with their offset from UTC")):
        assert f"dates {told}; got 'x'" in str(other_clock(Clock("month", zone=zone), "x", "t"))

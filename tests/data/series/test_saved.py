"""The clock of a saved model: what it tells, and what it cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.series.clock import Clock
from tidegate.data.series.saved import CLOCK, check_span, read_clock, saved_clock
from tidegate.errors import ArtifactError

CLOCKS = [
    Clock(),
    Clock("duration", 3_600_000_000, 1_700_000_000_000_000, "Europe/Paris", wall=True),
    Clock("month", 3, 0, month_end=True),
    Clock("business", 1, 1_700_000_000_000_000),
    Clock("duration", 3_600_000_000, 0, zone="local", period=24, slots=(0, 1, 2)),
]


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_clock_comes_back(clock):
    told = saved_clock(clock)
    assert CLOCK.fault(told) is None
    assert read_clock(told, "series.json") == clock


@pytest.mark.parametrize("slots", [[1], [0, 0], [0, 24], [2, 1]])
def test_slots_are_in_order_and_in_their_period(slots):
    with pytest.raises(ArtifactError, match=r"`clock` must be one of slots in order"):
        read_clock({"kind": "duration", "step": 60, "period": 24, "slots": slots}, "series.json")


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "lunar"}, {"step": 0}, {"step": 1.5}, {"origin": 2**63}, {"origin": None},
     {"zone": ["UTC"]}, {"wall": 1}, {"more": 1}],
)  # fmt: skip
def test_what_no_clock_is_breaks_its_schema(wrong):
    assert CLOCK.fault(saved_clock(Clock()) | wrong) is not None


@pytest.mark.parametrize("zone", ["Nowhere/Here", "../../etc/passwd", "", "a" * 999])
def test_a_zone_that_nobody_knows_is_the_files_fault(zone):
    found = saved_clock(CLOCKS[1]) | {"zone": zone}
    with pytest.raises(ArtifactError, match=r"^series\.json: `clock` must be one that tells times"):
        read_clock(found, "series.json")


@pytest.mark.parametrize("clock", CLOCKS)
def test_positions_beyond_all_calendars_are_refused(clock):
    check_span(clock, np.array([-100, 1000]), np.array([5, 5]), "recent.json")
    with pytest.raises(ArtifactError, match=r"^recent\.json: `clock`"):
        check_span(clock, np.array([2**62]), np.array([2**62]), "recent.json")

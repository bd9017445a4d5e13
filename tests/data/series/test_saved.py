"""The clock of a saved model: what it tells, and what it cannot be."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from tidegate.data.series.clock import Clock
from tidegate.data.series.saved import CLOCK, check_span, read_clock
from tidegate.errors import ArtifactError

CLOCKS = [
    Clock(),
    Clock("duration", 3_600_000_000, 1_700_000_000_000_000, "Europe/Paris", wall=True),
    Clock("month", 3, 0, month_end=True),
    Clock("business", 1, 1_700_000_000_000_000),
]


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_clock_comes_back(clock):
    assert CLOCK.fault(asdict(clock)) is None
    assert read_clock(asdict(clock), "series.json") == clock


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "lunar"}, {"step": 0}, {"step": 1.5}, {"origin": 2**63}, {"origin": None},
     {"zone": ["UTC"]}, {"wall": 1}, {"more": 1}],
)  # fmt: skip
def test_what_no_clock_is_breaks_its_schema(wrong):
    assert CLOCK.fault(asdict(Clock()) | wrong) is not None


@pytest.mark.parametrize("zone", ["Nowhere/Here", "../../etc/passwd", "", "a" * 999])
def test_a_zone_that_nobody_knows_is_the_files_fault(zone):
    found = asdict(CLOCKS[1]) | {"zone": zone}
    with pytest.raises(ArtifactError, match=r"^series\.json: `clock` must be one that tells times"):
        read_clock(found, "series.json")


@pytest.mark.parametrize("clock", CLOCKS)
def test_positions_beyond_all_calendars_are_refused(clock):
    check_span(clock, np.array([-100, 1000]), np.array([5, 5]), "recent.json")
    with pytest.raises(ArtifactError, match=r"^recent\.json: `clock`"):
        check_span(clock, np.array([2**62]), np.array([2**62]), "recent.json")

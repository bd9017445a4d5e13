"""The clock of series in a saved model, read trusting nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import pairwise
from typing import Any

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.codec import Field, damaged
from tidegate.data.schema import Numbers, Record
from tidegate.data.series.clock import Clock

_EVER = 2**62  # microseconds since 1970: the year 148,000

CLOCK = Record(
    {
        "kind": Field(str, ("duration", "month", "business", "count")),
        "step": Field(int, minimum=1, maximum=_EVER),
        "origin": Field(int, minimum=-_EVER, maximum=_EVER),
        "zone": Field(str, optional=True),
        "wall": Field(bool),
        "month_end": Field(bool),
        "working_end": Field(bool),
        "dayfirst": Field(bool, optional=True),
        "period": Field(int, minimum=0, maximum=10**6),
        "slots": Numbers(1, int, minimum=0, maximum=10**6),
    },
    absent=("working_end", "dayfirst", "period", "slots"),
)
"""What a file says of a clock."""


def read_clock(found: Mapping[str, Any], file: str) -> Clock:
    """Make the clock that `CLOCK` has checked.

    Args:
        found: Its attributes.
        file: Where they were found.

    Raises:
        ArtifactError: If it can tell no times.

    Example:
        >>> read_clock({"kind": "month", "step": 3}, "series.json").name
        '3 months'
    """
    clock = replace(Clock(), **{**found, "slots": tuple(found.get("slots", ()))})
    ordered = (*clock.slots, clock.period) if clock.slots else (0,)
    if ordered[0] or any(one >= other for one, other in pairwise(ordered)):
        raise damaged(file, "clock", "one of slots in order", list(clock.slots))
    check_span(clock, np.zeros(1, np.int64), np.ones(1, np.int64), file)
    return clock


def saved_clock(clock: Clock) -> dict[str, object]:
    """Write down a clock; what was no question of its dates is left out, as older versions did.

    Example:
        >>> "dayfirst" in saved_clock(Clock())
        False
    """
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(clock).items()
        if name not in CLOCK.absent or value != getattr(Clock(), name)
    }


def check_span(clock: Clock, starts: Array, lengths: Array, file: str) -> None:
    """Refuse positions that no time belongs to.

    Args:
        clock: The clock.
        starts: The first position of each series, `[S]`.
        lengths: Steps of each, `[S]`.
        file: Where they were found.

    Raises:
        ArtifactError: If there is one.
    """
    reach = np.abs(starts.astype(float)) + lengths
    far = float(reach.max(initial=0)) * clock.step * (2.7e12 if clock.kind == "month" else 1)
    if clock.kind == "business":
        far *= 1.3e11
    far *= max(1, clock.period)
    try:
        if far > _EVER or abs(clock.origin) > _EVER:
            raise ValueError("times beyond all calendars")
        clock.times(np.concatenate([starts, starts + lengths]))
    except Exception as error:  # a library's of time zones raises what it likes
        raise damaged(file, "clock", "one that tells times", error) from error

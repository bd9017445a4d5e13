"""Values and times of single steps: whatever a stream is given, rubbish too."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from tidegate.errors import InputError
from tidegate.tasks.anomaly.streaming.steps import as_seconds, read_number, read_step

NAN = float("nan")


@pytest.mark.parametrize(
    "rubbish", ["x", "", None, "inf", float("inf"), NAN, "1e999", [], object()]
)
def test_what_is_no_finite_number_is_missing(rubbish):
    assert math.isnan(read_number(rubbish))


def test_a_step_has_a_value_for_each_name():
    assert read_step(np.array([1, 2]), ("a", "b")) == [1.0, 2.0]
    assert read_step(True, ("a",)) == [1.0]
    with pytest.raises(InputError, match=r"`value` must be 2 numbers: a, b; got 3 of them"):
        read_step([1, 2, 3], ("a", "b"))
    named = {"more": 0, "b": 2, "a": 1}
    assert read_step(named, ("a", "b")) == read_step(pd.Series(named), ("a", "b")) == [1.0, 2.0]
    assert read_step(pd.Series([1, 2]), ("a", "b")) == [1.0, 2.0]
    assert read_step({"speed": 3}, ("value",)) == [3.0]
    with pytest.raises(InputError, match=r"got no 'a'. Did you mean 'A'"):
        read_step({"A": 1, "b": 2}, ("a", "b"))
    with pytest.raises(InputError, match=r"`value` must be one number; got 2"):
        read_step([1, 2], ("a",))


def test_times_are_read_by_their_own_clock():
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    seconds = noon.timestamp()
    for time in (noon.replace(tzinfo=None), "2024-05-01 12:00", "2024-05-01T12:00:00+02:00",
                 np.datetime64("2024-05-01T12"), seconds, str(seconds)):  # fmt: skip
        assert as_seconds(time, "test") == seconds
    for wrong in ("noon", None, float("nan"), "", []):
        with pytest.raises(InputError, match=r"test: `time` must be a date or a whole number"):
            as_seconds(wrong, "test")


@pytest.mark.parametrize("text", ["2024123105", "202412310500", "20241231050000"])
def test_a_date_written_as_a_number_is_read_as_in_training(text):
    assert as_seconds(text, "test") == as_seconds("2024-12-31 05:00", "test")
    assert as_seconds("1700003600", "test") == 1700003600

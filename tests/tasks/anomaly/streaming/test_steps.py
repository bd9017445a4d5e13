"""Values of single steps: whatever a stream is given, rubbish too."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from tidegate.errors import InputError
from tidegate.tasks.anomaly.streaming.steps import read_number, read_step

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

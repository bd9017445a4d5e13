"""Scale and the reading of single steps: back and forth, and rubbish."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from tidegate.errors import InputError
from tidegate.tasks.anomaly.scale import Scale, as_seconds, read_number, read_step

NAN = float("nan")


def test_a_normal_variable_is_brought_to_its_own_deviation():
    values = np.random.default_rng(0).normal(50, 4, size=(5000, 1))
    scale = Scale.fit(values)
    assert scale.center[0] == pytest.approx(50, abs=0.3)
    assert scale.spread[0] == pytest.approx(4, rel=0.05)
    one = scale.forward(scale.center + scale.spread)
    assert one[0] == pytest.approx(math.log(2))
    assert not scale.constant[0]


def test_a_step_is_scaled_as_an_array_and_comes_back():
    scale = Scale.fit(np.random.default_rng(0).normal(size=(50, 3)) * [1, 10, 100])
    row = [0.5, -400.0, 1e9]
    step = scale.forward_step(row, [0.0] * 3)
    np.testing.assert_allclose(step, scale.forward(np.array(row)), rtol=1e-12)
    for number, value in enumerate(row):
        assert scale.backward(step[number], number) == pytest.approx(value)
    assert scale.forward_step([NAN, 1.0, NAN], [7.0, 8.0, 9.0])[::2] == [7.0, 9.0]
    assert math.isfinite(scale.backward(1e6, 0))


def test_missing_values_do_not_count_and_a_constant_gets_a_guess():
    scale = Scale.fit(np.array([[5.0, 0.0], [NAN, 0.0], [5.0, 0.0], [5.0, NAN]]))
    assert scale.constant.tolist() == [True, True]
    assert scale.spread.tolist() == [0.05, 0.01]
    rarely = Scale.fit(np.array([0.0] * 99 + [10.0])[:, None])
    assert not rarely.constant[0]
    assert rarely.spread[0] == pytest.approx(np.std([0.0] * 99 + [10.0]))


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

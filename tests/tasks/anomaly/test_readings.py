"""Readings: every form of input, what is refused, and the stretches the net learns from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from tests.tasks.series import hours, wave
from tidegate.errors import InputError
from tidegate.tasks.anomaly.readings import Readings, Stretches, read_readings, readings_of_table
from tidegate.tasks.anomaly.scale import Scale

NAN = float("nan")


def test_all_forms_hold_the_same():
    values = wave(30, 2)
    frame = pd.DataFrame(values, columns=["heat", "load"], index=hours(30))
    found = read_readings(frame, None, "test")
    np.testing.assert_array_equal(found.values, read_readings(values.tolist(), None, "t").values)
    assert found.names == ("heat", "load")
    assert found.seconds[1] - found.seconds[0] == 3600
    assert read_readings(values, None, "test").names == ("value_1", "value_2")
    single = read_readings(frame["heat"], [0, 1] * 15, "test")
    assert single.names == ("heat",)
    assert single.targets.sum() == 15
    zoned = read_readings(frame.tz_localize("Europe/Berlin"), None, "test")
    np.testing.assert_array_equal(zoned.seconds, found.seconds)


@pytest.mark.parametrize(
    ("X", "y", "told"),
    [
        ([1.0, "x", 3.0], None, r"`X` must be made of numbers; got 'x' in row 1"),
        ([1.0, float("inf")], None, r"`X` must be finite; got an infinity in row 1"),
        (np.zeros((2, 2, 2)), None, r"`X` must be numbers of shape \[T\] or \[T, D\]"),
        ([[1.0], [1.0, 2.0]], None, r"`X` must be numbers of shape"),
        ([1.0, 2.0], [0, 2], r"`y` must be True or False for each of 2 steps"),
        ([1.0, 2.0], [0], r"`y` must be True or False for each of 2 steps; got shape \[1\]"),
    ],
)
def test_wrong_input_is_refused(X, y, told):
    with pytest.raises(InputError, match=told):
        read_readings(X, y, "test")


def test_a_text_in_a_table_is_named_with_its_row_and_column():
    frame = pd.DataFrame({"heat": [1, "broken", 3]})
    with pytest.raises(InputError, match=r"got 'broken' in row 1 of heat"):
        read_readings(frame, None, "test")


def test_tables():
    frame = pd.DataFrame(
        {
            "time": hours(4).astype(str),
            "heat": [1, 2, NAN, 4.0],
            "load": [1.0] * 4,
            "who": ["ab", "cd", "e", "f"],
            "anomaly": [0, 0, 1, 0],
        }
    )
    found, marks = readings_of_table(frame, {}, "test")
    assert found.names == ("heat", "load")
    assert marks.tolist() == [0, 0, 1, 0]
    found, _ = readings_of_table(frame, {"value": "load, heat", "time": "time"}, "test")
    assert found.names == ("load", "heat")
    with pytest.raises(InputError, match="Did you mean 'heat'"):
        readings_of_table(frame, {"value": "haet"}, "test")
    with pytest.raises(InputError, match=r"`time` must be in order; got .* in row 2, earlier"):
        readings_of_table(frame.iloc[::-1], {}, "test")
    with pytest.raises(InputError, match=r"`value` must be a column of numbers; got none"):
        readings_of_table(frame[["who"]], {}, "test")
    with pytest.raises(InputError, match=r"`X` must be made of numbers; got 'ab' in row 1 of who"):
        readings_of_table(frame, {"value": "who"}, "test")


def stretches(count: int, **sizes: int) -> tuple[Readings, Stretches]:
    readings = read_readings(pd.DataFrame(wave(count, 2), index=hours(count)), None, "test")
    options = {"length": 16, "skip": 4, "batch_size": 8, "seed": 0} | sizes
    return readings, Stretches(readings, Scale.fit(readings.values), (1, 5, -3), **options)


def test_targets_lie_ahead_and_behind():
    readings, rows = stretches(40)
    scaled = Scale.fit(readings.values).forward(readings.values)
    batch = rows.batch(np.array([0, 10]))
    assert batch.targets.shape == (2, 16, 6)
    for place, offset in enumerate((1, 5, -3)):
        for step in (3, 9):
            found = batch.targets[1, step, 2 * place : 2 * place + 2]
            np.testing.assert_allclose(found, scaled[10 + step + offset], rtol=1e-5)
    assert torch.isnan(batch.targets[0, :3, 4:]).all()
    np.testing.assert_allclose(batch.values[1, :, :2], scaled[10:26], rtol=1e-5)
    np.testing.assert_allclose(batch.values[1, :, 2:4], np.diff(scaled, axis=0)[9:25], atol=1e-5)
    # 02:30 is 37.5 degrees.
    third = 2 * np.pi * 12 / 24
    np.testing.assert_allclose(batch.values[1, 2, 4:], [np.sin(third), np.cos(third)], atol=1e-5)


@pytest.mark.parametrize("count", [5, 16, 17, 40, 53])
def test_in_order_each_step_counts_once(count):
    _, rows = stretches(count)
    seen = np.zeros(count)
    for starts in rows.in_order():
        batch = rows.batch(starts)
        for start, length in zip(starts, batch.lengths.tolist(), strict=True):
            seen[start + (4 if start else 0) : start + length] += 1
    assert (seen == 1).all()


def test_epochs_depend_on_the_seed_alone_and_the_fingerprint_on_the_values():
    _, rows = stretches(60)
    first = [part.tolist() for part in rows.epoch(3)]
    assert first == [part.tolist() for part in stretches(60)[1].epoch(3)]
    assert first != [part.tolist() for part in rows.epoch(4)]
    assert sorted(row for part in first for row in part) == list(range(45))
    assert rows.fingerprint() == stretches(60)[1].fingerprint()
    assert rows.fingerprint() != stretches(61)[1].fingerprint()


def test_a_missing_value_is_read_as_the_one_before_and_is_no_target():
    readings = read_readings([1.0, 2.0, NAN, 4.0, 5.0, 6.0], None, "test")
    scale = Scale.fit(readings.values)
    rows = Stretches(readings, scale, (1, 2, -1), length=6, skip=1, batch_size=1, seed=0)
    batch = rows.batch(np.array([0]))
    assert batch.values[0, 2, 0] == batch.values[0, 1, 0]
    assert torch.isnan(batch.targets[0, 1, 0])
    assert torch.isfinite(batch.values).all()

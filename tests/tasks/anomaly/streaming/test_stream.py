"""AnomalyStream: what single steps tell, rubbish among them, and going on elsewhere."""

from __future__ import annotations

import json
import math
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from tests.tasks.series import QUICK, hours, wave
from tidegate import AnomalyDetector
from tidegate.errors import InputError
from tidegate.tasks.anomaly.streaming.stream import Detection

NAN = float("nan")


@pytest.fixture(scope="module")
def model() -> AnomalyDetector:
    return AnomalyDetector(**QUICK).fit(wave(900))


@pytest.fixture(scope="module")
def pair() -> AnomalyDetector:
    frame = pd.DataFrame(wave(900, 2), columns=["heat", "load"], index=hours(900))
    return AnomalyDetector(**QUICK).fit(frame)


def test_a_spike_is_told_with_its_variable_and_what_was_expected(pair):
    stream = pair.stream()
    following = wave(1300, 2)[900:]
    for row in following[:300]:
        stream.update(row.tolist())
    row = following[300].copy()
    row[1] += 30
    found = stream.update(row.tolist())
    assert found.alarm
    assert found.score >= 3
    assert found.variable == "load"
    assert found.value == pytest.approx(row[1])
    assert found.expected == pytest.approx(following[300, 1], abs=3)
    assert found.deviations > 5
    assert str(found).startswith("load is ")
    assert "usual errors above" in str(found)


def test_nothing_is_alarmed_without_a_reason(model):
    stream = model.stream()
    found = [stream.update(value) for value in wave(4900)[900:].tolist()]
    assert sum(step.alarm for step in found) <= 10
    assert all(step.ready for step in found)
    usual = np.median([abs(step.value - step.expected) for step in found])
    assert usual < 1.0


@pytest.mark.parametrize(
    "rubbish", [NAN, None, "rubbish", float("inf"), -float("inf"), "", "1e999"], ids=repr
)
def test_rubbish_is_missing_and_counted_and_never_crashes(model, rubbish):
    stream = model.stream()
    before = stream.missing
    values = wave(1000)[900:].tolist()
    for value in values[:50]:
        stream.update(value)
    for _ in range(5):
        found = stream.update(rubbish)
        assert math.isnan(found.score)
        assert found.kind == "missing"
        assert not found.alarm
        assert str(found) == "value is missing"
        assert math.isfinite(found.expected)
    assert stream.missing == before + 5
    assert stream.update(values[55]).score < 3


def test_one_missing_variable_does_not_hide_the_other(pair):
    stream = pair.stream()
    following = wave(1200, 2)[900:]
    for row in following[:200]:
        stream.update(row.tolist())
    found = stream.update([NAN, following[200, 1] + 30])
    assert found.alarm
    assert found.variable == "load"
    assert stream.missing == 1


def test_a_long_stall_leaves_the_state_finite(model):
    stream = model.stream()
    for _ in range(3000):
        found = stream.update(NAN)
    assert math.isfinite(found.expected)
    for value in wave(1000)[900:].tolist():
        assert math.isfinite(stream.update(value).score)


def test_values_of_any_size_are_survived(model):
    stream = model.stream()
    for value in (1e308, -1e308, 5e-324, 0.0, 1e30, *wave(100).tolist()):
        found = stream.update(value)
        assert math.isfinite(found.score)
        assert math.isfinite(found.expected)


def test_a_stream_stopped_and_loaded_goes_on_to_the_bit(pair):
    stream, again = pair.stream(), pair.stream()
    following = wave(1100, 2)[900:].tolist()
    for row in following[:100]:
        stream.update(row, 1e9)
    again.load(json.loads(json.dumps(stream.state())))
    for row in following[100:]:
        assert again.update(row, 1e9) == stream.update(row, 1e9)
    assert again.steps == stream.steps == 900 + 200


def test_two_streams_of_a_model_are_strangers(model):
    one, other = model.stream(), model.stream()
    for _ in range(200):
        one.update(1e6)
    value = wave(901)[-1]
    assert other.update(value) == model.stream().update(value)


def test_times_are_read_and_go_on_by_themselves(pair):
    after = hours(1000)[900:]
    rows = wave(1000, 2)[900:].tolist()
    given, left_out = pair.stream(), pair.stream()
    for row, time in zip(rows, after, strict=True):
        assert given.update(row, str(time)) == left_out.update(row)
    with pytest.raises(InputError, match=r"`time` must be a date or a whole number; got 'noon'"):
        given.update(rows[0], "noon")
    assert given.steps == left_out.steps
    with pytest.raises(InputError, match=r"`value` must be 2 numbers: heat, load; got 1"):
        given.update(3.0)


def test_memory_is_constant(model):
    stream = model.stream()
    values = wave(3000).tolist()
    for value in values[:1500]:
        stream.update(value)
    tracemalloc.start()
    for value in values[1500:]:
        stream.update(value)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 30_000


def test_an_alarm_says_when_it_was_where_times_were_learned(model, pair):
    stream = pair.stream()
    after = hours(1000)[900:]
    for row, time in zip(wave(1000, 2)[900:].tolist(), after, strict=True):
        found = stream.update(row, str(time))
    when = str(after[-1])
    assert pd.Timestamp(found.time, unit="s") == after[-1]
    assert f"  {when}  " in found.line()
    assert found.to_json()["time"] == when.replace(" ", "T")
    assert next(iter(found.to_json())) == "time"
    timeless = model.stream().update(20.0)
    assert timeless.time is None
    assert "time" not in timeless.to_json()
    detected = pair.detect(pd.DataFrame(wave(1000, 2)[900:], columns=["heat", "load"], index=after))
    assert detected.step(99) == found


def test_the_sentence_of_an_alarm_says_nothing_else_than_its_numbers():
    at, off = Detection(4.0, True, "load", "unexpected", 20.0, 20.1, -0.3, True), 5.0
    assert str(at).startswith("load was unlike before in the last steps: 20, expected 20.1")
    assert str(at._replace(deviations=off)).startswith("load is not as forecast: 20, expected")
    assert str(at._replace(kind="stuck")).startswith("load is stuck: 20,")
    assert at._replace(time=1e17).line().count("1e+17") == 1


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e6])
@pytest.mark.parametrize("broken", [-1e308, 1e308, 1e30])
def test_one_broken_value_does_not_spoil_what_is_expected(scale, broken):
    values = (np.sin(np.arange(900) / 4) * scale).tolist()
    model = AnomalyDetector(**QUICK).fit(np.array(values[:400]))
    stream, other = model.stream(), model.stream()
    assert stream.update(broken).score > 2
    other.update(values[400])
    errors = np.array([
        [abs(one.update(value).expected - value) for one in (stream, other)]
        for value in values[401:]
    ])  # fmt: skip
    assert np.isfinite(errors).all()
    assert np.median(errors[200:, 0]) < 3 * np.median(errors[200:, 1]) + 1e-3 * scale


@pytest.mark.parametrize(
    "text", ["1_000", "\u0661", "0x10", "1e", "--1", "1,5", b"\xff", "infinity"]
)
def test_what_files_do_not_write_as_a_number_is_none(model, text):
    assert model.stream().update(text).kind == "missing"
    assert model.stream().update(" +20.5e0 ").value == 20.5


def test_a_clock_that_is_set_back_does_not_stop_the_times_that_are_left_out(pair):
    stream = pair.stream()
    told = [stream.update([20.0, 20.0], time).time for time in (7200, 10800, 10800, None, None)]
    assert told == [7200, 10800, 10800, 14400, 18000]

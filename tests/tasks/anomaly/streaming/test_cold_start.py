"""ColdStartStream: what comes before there is a scale, and the stream that it becomes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.tasks.series import hours, wave
from tidegate import AnomalyDetector
from tidegate.errors import InputError
from tidegate.tasks.anomaly.encoder import AnomalyEncoder
from tidegate.tasks.anomaly.streaming.cold_start import ColdStartStream
from tidegate.tasks.anomaly.streaming.stream import AnomalyStream

NAN = float("nan")


class Begun(Exception):
    """Carries what a stream was to be made of."""


def begin(encoder: AnomalyEncoder) -> AnomalyStream:
    raise Begun(encoder)


def begun(stream: ColdStartStream, rows: list[list[float]], times: list[float | None]):
    with pytest.raises(Begun) as told:
        for row, time in zip(rows, times, strict=True):
            stream.update(row, time)
    return told.value.args[0]


def test_the_scale_is_learned_from_the_last_values_before_every_variable_was_seen():
    rows = [[float(step), NAN] for step in range(30)]
    rows += [[float(step), 5.0 + step % 2] for step in range(30, 40)]
    encoder = begun(ColdStartStream(["heat", "load"], 20, begin), rows, [0.0] * 40)
    # The 31st row is the first that has a load: it and the 19 before it count.
    assert encoder.scaling.centre.tolist() == [20.5, 5.0]
    assert encoder.names == ("heat", "load")
    assert encoder.clocked


def test_one_step_without_a_time_and_the_time_of_day_is_not_learned():
    rows = [[float(step)] for step in range(20)]
    assert not begun(ColdStartStream(["heat"], 20, begin), rows, [*[0.0] * 19, None]).clocked


def test_before_it_begins_it_counts_and_says_that_it_is_learning():
    stream = ColdStartStream(["heat"], 20, begin)
    found = stream.update(7.0)
    assert (found.score, found.alarm, found.kind, found.value) == (0.0, False, "usual", 7.0)
    assert math.isnan(stream.update("x").score)
    assert (stream.steps, stream.missing) == (2, 1)


def test_a_cold_stream_learns_on_the_way():
    stream = AnomalyDetector(warmup=60, hidden_size=6).stream(["load"])
    values = wave(1500).tolist()
    early = [stream.update(value) for value in values[:59]]
    assert not any(found.ready or found.alarm for found in early)
    assert {found.variable for found in early} == {"load"}
    assert str(early[0]) == "learning what is usual"
    later = [stream.update(value) for value in values[59:]]
    assert later[-1].ready
    assert np.median([abs(f.value - f.expected) for f in later[-200:]]) < 1.0
    stream.update(NAN)
    assert (stream.steps, stream.missing) == (1501, 1)
    assert stream.update(80.0).alarm


def test_a_cold_stream_takes_times_rubbish_and_a_variable_that_comes_late():
    stream = AnomalyDetector(warmup=30, hidden_size=4).stream(["heat", "load"])
    rows = wave(400, 2)
    for step, row in enumerate(rows):
        late = row.tolist() if step >= 100 else [row[0], "rubbish"]
        found = stream.update(late, hours(400)[step].to_pydatetime())
        if step < 100:
            assert not found.ready
    assert found.ready
    assert stream.missing == 100
    assert stream.steps == 400
    with pytest.raises(InputError, match=r"2 numbers: heat, load"):
        stream.update(1.0)

"""Measuring: what is measured is checked and complete; how long it took is not the point."""

from __future__ import annotations

import math
import re

import pytest
import torch

from tidegate import bench
from tidegate.errors import BackendError
from tidegate.kernels import library

TINY = (bench.Shape("LSTM", 3, 4, 2, 5, bidirectional=True), bench.Shape("GRU", 1, 4, 2, 3))
needs_native = pytest.mark.skipif(library.LIBRARY is None, reason=library.PROBLEM)


def test_every_shape_is_measured_in_both_phases():
    findings = list(bench.measure(TINY, seconds=1e-3, backend="aten"))
    assert [(found.shape, found.phase) for found in findings] == [
        (shape, phase) for shape in TINY for phase in bench.PHASES
    ]
    # 2 directions, 4 gates of 5 units, 3 rows, 4 steps: multiply and add of 2 + 5 numbers.
    assert findings[1].flops == 2 * 2 * (4 * 5) * (2 + 5) * 3 * 4
    assert findings[0].flops == 3 * findings[1].flops
    for found in findings:
        assert found.ratio == found.torch_seconds / found.seconds
        assert found.gflops * found.seconds == pytest.approx(found.flops / 1e9)


def test_measuring_moves_no_random_numbers():
    before = torch.random.get_rng_state()
    list(bench.measure(TINY[1:], seconds=1e-3, backend="aten"))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_wrong_results_are_an_error_and_not_a_time(monkeypatch):
    monkeypatch.setattr(bench, "BOUNDS", (-1.0, -1.0))
    with pytest.raises(BackendError, match=r"bench: `BiLSTM 3×4×2×5` must be within -1e\+00"):
        next(bench.measure(TINY, seconds=1e-3, backend="aten"))


def test_a_difference_is_relative_to_the_largest_number_and_1():
    assert bench.difference(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0])) == 0.25
    assert bench.difference(torch.zeros(2), torch.zeros(3)) == math.inf
    assert bench.difference(torch.tensor([math.nan]), torch.zeros(1)) == math.inf
    assert bench.difference(torch.zeros(0), torch.zeros(0)) == 0


def test_calls_take_turns_and_each_has_its_own_number_of_samples():
    order = []
    calls = {name: (lambda name=name: order.append(name)) for name in "ab"}
    times = bench.interleave(calls, rounds=3)
    assert {name: len(found) for name, found in times.items()} == {"a": 3, "b": 3}
    timed = re.sub(r"(.)\1*", r"\1", "".join(order))
    assert timed in ("abababa", "abab", "ababa", "ababab"), "a, b, then b, a, then a, b"
    assert all(seconds >= 0 for found in times.values() for seconds in found)


def test_a_long_call_is_timed_less_often_and_its_first_time_counts(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(bench.time, "perf_counter", lambda: clock[0])

    def takes(seconds):
        def call():
            clock[0] += seconds

        return call

    calls = {"long": takes(9.0), "medium": takes(0.4), "short": takes(1e-3)}
    times = bench.interleave(calls, seconds=1.0)
    assert {name: len(found) for name, found in times.items()} == {
        "long": 2,
        "medium": 2,
        "short": bench._MOST_SAMPLES,
    }
    for name, seconds in {"long": 9.0, "medium": 0.4, "short": 1e-3}.items():
        assert times[name] == pytest.approx([seconds] * len(times[name]))


def test_shapes_are_named_as_in_tables():
    assert str(TINY[0]) == "BiLSTM 3×4×2×5"
    assert {shape.kind for shape in bench.SHAPES} == {"LSTM", "GRU", "RNN"}


@needs_native
def test_the_peak_is_a_number():
    assert 0 < bench.peak(1e-3) < math.inf

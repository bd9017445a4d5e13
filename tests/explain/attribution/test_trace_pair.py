"""Trace pairs: which steps belong together, and how far they moved, by hand."""

from __future__ import annotations

import pytest
import torch

from tests.helpers import make
from tidegate.errors import InputError
from tidegate.explain.attribution.trace_pair import TracePair


def traced(labels, case="lstm", seed=0, labelled=True):
    torch.manual_seed(seed)
    layer = make(case)
    trace = layer.trace(torch.randn(len(labels), 1, 3, dtype=torch.float64))
    return trace.labelled([labels]) if labelled else trace


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        ("abc", "axc", [(0, 0), (1, 1), (2, 2)]),  # as many: all of them
        ("abc", "abxc", [(0, 0), (1, 1), (2, 3)]),  # one is put in
        ("abcd", "bc", [(1, 0), (2, 1)]),  # two are left out
        ("ab", "xyz", []),
    ],
)
def test_steps_that_belong_together(before, after, steps):
    assert TracePair(traced(before), traced(after)).steps == steps


def test_without_labels_steps_are_counted_from_the_start():
    pair = TracePair(traced("abcd"), traced("bc", labelled=False))
    assert pair.steps == [(0, 0), (1, 1)]


@pytest.mark.parametrize("signal", ["hidden", "cell", "forget"])
def test_the_difference_is_after_less_before_at_those_steps(signal):
    pair = TracePair(traced("abc"), traced("abxc", seed=1))
    values = [
        getattr(trace, signal) if signal in ("hidden", "cell") else trace.gates[signal]
        for trace in (pair.before, pair.after)
    ]
    expected = [values[1][:, 0, b] - values[0][:, 0, a] for a, b in ((0, 0), (1, 1), (2, 3))]
    assert torch.equal(pair.difference(signal), torch.stack(expected, 1))


def test_no_steps_and_no_such_signal():
    assert TracePair(traced("ab"), traced("xyz")).difference("hidden").shape == (1, 0, 4)
    with pytest.raises(InputError, match=r"what_if: `signal` must be there: .* has no cell state"):
        TracePair(traced("ab", "gru"), traced("ab", "gru")).difference("cell")

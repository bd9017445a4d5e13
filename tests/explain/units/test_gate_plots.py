"""Pictures of gates: what is drawn is what the trace holds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.helpers import VARIANTS, make
from tidegate.errors import InputError
from tidegate.explain import plot_gates


def traced(case: str = "lstm", steps: int = 6):
    layer = make(case, bidirectional=True)
    x = torch.randn(steps, 3, 3, dtype=torch.float64)
    return layer.trace(x, lengths=[steps, 4, 0])


@pytest.mark.parametrize("case", VARIANTS)
def test_a_map_for_each_gate_and_state(case):
    trace = traced(case)
    states = ["hidden"] if trace.cell is None else ["cell", "hidden"]
    names = [*trace.gates, *states]
    figure = plot_gates(trace, batch=1, row="layer 0 backward")
    assert [axes.get_ylabel().split("\n")[0] for axes in figure.axes[: len(names)]] == names
    for name, axes in zip(names, figure.axes, strict=False):
        drawn = axes.images[0].get_array()
        values = {**trace.gates, "hidden": trace.hidden, "cell": trace.cell}[name]
        expected = values[1, 1, :4].float().T.numpy()
        assert drawn.shape == expected.shape
        assert sorted(map(tuple, drawn.tolist())) == sorted(map(tuple, expected.tolist()))


def test_a_unit_is_on_the_same_height_in_all_of_them():
    trace = traced()
    figure = plot_gates(trace)
    order = trace.cell[0, 0].var(0).argsort(descending=True)
    for name, axes in zip([*trace.gates, "cell", "hidden"], figure.axes, strict=False):
        values = {**trace.gates, "hidden": trace.hidden, "cell": trace.cell}[name]
        assert np.allclose(axes.images[0].get_array(), values[0, 0][:, order].T)


def test_steps_are_named_while_there_is_room():
    trace = traced().labelled([list("abcdef"), list("wxyz"), []])
    assert [tick.get_text() for tick in plot_gates(trace).axes[4].get_xticklabels()] == []
    figure = plot_gates(trace, gates="forget")
    assert [tick.get_text() for tick in figure.axes[2].get_xticklabels()] == list("abcdef")
    long = traced(steps=70)
    long = long.labelled([["a"] * 70, ["a"] * 4, []])
    assert plot_gates(long, gates=()).axes[1].get_xlabel() == "step"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"row": "layer 1 forward"}, "one of layer 0 forward, layer 0 backward"),
        ({"batch": 3}, "`batch` must be from 0 to 2"),
        ({"batch": 2}, "a row with valid steps; got 2, which has none"),
        ({"gates": "update"}, "An LSTM has no update gate"),
    ],
)
def test_what_is_not_there(wanted, said):
    with pytest.raises(InputError, match=said):
        plot_gates(traced(), **wanted)

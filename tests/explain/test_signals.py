"""Signals, rows and units by name: every one there is, and one line for what is not."""

from __future__ import annotations

import pytest
import torch

from tests.helpers import VARIANTS, make
from tidegate.errors import InputError
from tidegate.explain.signals import SIGNED, read_row, read_signal, read_unit


def trace_of(case="lstm", **options):
    return make(case, **options).trace(torch.randn(5, 2, 3, dtype=torch.float64))


def test_every_gate_and_state_by_its_name():
    trace = trace_of()
    assert read_signal("me", trace, "hidden") is trace.hidden
    assert read_signal("me", trace, "cell") is trace.cell
    for name, gate in trace.gates.items():
        assert torch.equal(read_signal("me", trace, name), gate)


@pytest.mark.parametrize("case", VARIANTS)
def test_those_that_are_not_signed_lie_between_0_and_1(case):
    for name, gate in trace_of(case).gates.items():
        assert name in SIGNED or (gate.min() >= 0 and gate.max() <= 1)


@pytest.mark.parametrize(
    ("signal", "words"),
    [
        ("cell", "^me: `signal` must be there: the cell 'gru' has no cell state; got 'cell'"),
        ("forget", "A GRU has no forget gate; it has reset, update and new"),
    ],
)
def test_a_signal_that_the_cell_has_not(signal, words):
    with pytest.raises(InputError, match=words):
        read_signal("me", trace_of("gru"), signal)


def test_rows():
    trace = trace_of(num_layers=2, bidirectional=True)
    assert [read_row("me", trace, row) for row in (None, *trace.rows)] == [0, 0, 1, 2, 3]
    with pytest.raises(InputError, match=r"^me: `row` must be one of layer 0 forward, .* got '1'"):
        read_row("me", trace, "1")


def test_units_of_a_selection_and_of_a_projection():
    chosen = trace_of().select(units=[3, 1])
    assert [read_unit("me", chosen, "hidden", unit) for unit in (3, 1)] == [0, 1]
    with pytest.raises(InputError, match=r"^me: `unit` must be out of 3, 1; got 0"):
        read_unit("me", chosen, "hidden", 0)
    projected = trace_of("lstm-projected")  # two features, four units
    assert read_unit("me", projected, "cell", 3) == 3
    assert read_unit("me", projected, "hidden", 1) == 1
    with pytest.raises(InputError, match=r"^me: `unit` must be from 0 to 1; got 3"):
        read_unit("me", projected, "hidden", 3)

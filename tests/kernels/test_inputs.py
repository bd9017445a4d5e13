"""What goes into the native library: numbers for cells, names of gates, parts of an output."""

from __future__ import annotations

import pytest
import torch

from tests.kernels.native_cases import CELLS, cell_of, needs_native, request_for
from tidegate.cells import GRU, LSTM, RNN
from tidegate.kernels import library, native
from tidegate.kernels.inputs import WEIGHTS, describe, gate_names, split, supports

pytestmark = needs_native


@pytest.mark.parametrize("case", CELLS)
def test_a_cell_is_described_by_its_family_and_its_options(case):
    cell = cell_of(case)
    kind, options, *_ = describe(cell)
    assert list(library.FAMILIES)[kind] == cell.name
    own = library.FAMILIES[cell.name].options
    chosen = {name for name, bit in own.items() if options & bit}
    assert ("layer_norm" in chosen) == bool(getattr(cell, "layer_norm", False))
    assert supports(kind, options, cell.hidden_size, cell.output_size)


@pytest.mark.parametrize("case", CELLS)
def test_gates_are_those_of_the_cell_but_one_that_follows_from_another(case):
    cell = cell_of(case)
    kind, options, *_ = describe(cell)
    follows = {"input"} if getattr(cell, "coupled", False) else set()
    names = gate_names(kind, options)
    assert len(set(names)) == len(names)
    assert set(names) == set(cell.gates) - follows


def test_options_make_different_cells():
    pairs = [
        (LSTM(hidden_size=4), LSTM(hidden_size=4, peephole=True)),
        (GRU(hidden_size=4), GRU(hidden_size=4, reset_after=False)),
        (RNN(hidden_size=4), RNN(hidden_size=4, nonlinearity="relu")),
    ]
    for plain, other in pairs:
        assert describe(plain)[0] == describe(other)[0]
        assert describe(plain) != describe(other)


def test_every_weight_of_every_cell_has_its_field():
    named = {name for case in CELLS for name in cell_of(case).shapes(3)}
    assert named == WEIGHTS.keys()


def test_the_outputs_of_two_directions_are_told_apart():
    cells = [LSTM(hidden_size=3, proj_size=2), LSTM(hidden_size=4)]
    layer = [native._inputs(request_for(cell)) for cell in cells]
    y = torch.arange(2 * 5 * 6.0).view(2, 5, 6)
    first, second = split(y, layer)
    assert torch.equal(first, y[..., :2])
    assert torch.equal(second, y[..., 2:])

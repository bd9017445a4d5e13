"""The operators that PyTorch sees: their rules for gradients, graphs and wrong arguments."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from tests.helpers import BOUNDS, difference
from tests.kernels.native_cases import needs_native, request_for
from tidegate import cells
from tidegate.cells import GRU, LSTM, RNN
from tidegate.errors import BackendError, InputError
from tidegate.kernels import Noise, native, reference

pytestmark = needs_native

B, T, D, H = 3, 5, 4, 6
OUTPUT, GRADIENT = BOUNDS[torch.float32]
LENGTHS = torch.tensor([5, 0, 3])

# Blocks of 64 units fill the vectors of every instruction set, so that nothing that is returned
# stays unwritten: opcheck compares all of it.
OPCHECKED = {
    "lstm": (LSTM(hidden_size=64), {}),
    "lstm-peephole": (LSTM(hidden_size=64, peephole=True, coupled=True), {"lengths": LENGTHS}),
    "gru": (
        GRU(hidden_size=64, bias=False),
        {"resets": torch.eye(B, T, dtype=torch.bool), "reverse": True},
    ),
    "rnn": (
        RNN(hidden_size=64, nonlinearity="relu"),
        {"noise": Noise(torch.rand(B, 64), (torch.rand(B, T, 64) < 0.5,))},
    ),
}


def operands(cell: cells.Cell, **options: Any) -> tuple[Any, ...]:
    """The arguments of the operator, without those that say what to keep."""
    return tuple(native._inputs(request_for(cell, B, T, D, **options)))


def test_the_operators_check_what_they_are_given():
    inputs = operands(LSTM(hidden_size=H))
    sequence, backward = torch.ops.tidegate.sequence, torch.ops.tidegate.sequence_backward
    with pytest.raises(BackendError, match="no cell of kind 7"):
        sequence(*inputs[:8], 7, *inputs[9:], True, False)
    with pytest.raises((BackendError, InputError)):
        sequence(*inputs[:10], 0, *inputs[11:], True, False)
    with pytest.raises(InputError, match="those of LSTM"):
        sequence(*inputs[:2], inputs[2][:3], *inputs[3:], True, False)
    y, h_n, c_n, gates, cell_states = sequence(*inputs, True, False)
    slopes = [torch.ones_like(part) for part in (y, h_n, c_n, gates, cell_states)]
    with torch.no_grad():
        backward(*inputs, [y, gates, cell_states], slopes, True, True)
        for index in range(3):
            kept = [y, gates, cell_states]
            kept[index] = kept[index][:, 1:]
            with pytest.raises(InputError, match="must be"):
                backward(*inputs, kept, slopes, True, True)
        for index in range(5):
            given: list[Tensor | None] = [None] * 5
            given[index] = slopes[index][..., 1:]
            with pytest.raises(InputError, match="must be"):
                backward(*inputs, [y, gates, cell_states], given, True, True)


# ------------------------------------------------------------------ second derivatives


def test_second_derivatives_of_the_operator():
    request = request_for(GRU(hidden_size=H), B, T, D, lengths=LENGTHS)
    found = []
    for output in (
        torch.ops.tidegate.sequence(*native._inputs(request), True, False)[0],
        reference.run(request).output,
    ):
        (slope,) = torch.autograd.grad(output.square().sum(), request.x, create_graph=True)
        found.append(torch.autograd.grad(slope.square().sum(), request.weights["weight_hh"])[0])
    assert difference(*found) <= GRADIENT


# ------------------------------------------------------------------ graphs


@pytest.mark.parametrize(("cell", "options"), OPCHECKED.values(), ids=OPCHECKED)
def test_opcheck(cell, options):
    inputs = operands(cell, **options)
    opcheck(torch.ops.tidegate.sequence.default, (*inputs, True, True))
    detached = [
        [part.detach() for part in given] if isinstance(given, list) else given for given in inputs
    ]
    detached[0] = inputs[0].detach()
    opcheck(torch.ops.tidegate.sequence.default, (*detached, False, False))
    with torch.no_grad():
        outputs = torch.ops.tidegate.sequence(*detached, True, True)
    kept = [outputs[0], outputs[3], outputs[4]]
    slopes = [torch.randn_like(part) if part.numel() else None for part in outputs]
    backward = torch.ops.tidegate.sequence_backward.default
    for wanted in ((True, True), (False, True), (True, False)):
        opcheck(backward, (*detached, kept, slopes, *wanted))
    opcheck(backward, (*detached, kept, [slopes[0], None, None, None, None], True, True))

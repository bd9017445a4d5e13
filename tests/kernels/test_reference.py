"""The plain loop that is the truth for every other backend is itself what PyTorch computes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.helpers import states_of
from tests.kernels.requests import B, D, H, T, request_for
from tidegate.cells import GRU, LSTM, RNN
from tidegate.kernels import Noise, reference


def double(cell, **options):
    request = request_for(cell, **options)
    state = tuple(part.double() for part in request.state)
    weights = {name: weight.double() for name, weight in request.weights.items()}
    return replace(request, x=request.x.double(), state=state, weights=weights)


@pytest.mark.parametrize(
    "cell", [LSTM(hidden_size=H), GRU(hidden_size=H), RNN(hidden_size=H)], ids=str
)
def test_a_plain_cell_is_that_of_torch(cell):
    request = double(cell)
    theirs = getattr(nn, type(cell).__name__)(D, H, batch_first=True, dtype=torch.float64)
    theirs.load_state_dict({f"{name}_l0": weight for name, weight in request.weights.items()})
    hx = tuple(part[None] for part in request.state)
    expected, end = theirs(request.x, hx if len(hx) > 1 else hx[0])
    found = reference.run(request)
    torch.testing.assert_close(found.output, expected, rtol=0, atol=1e-12)
    for part, other in zip(found.state, states_of(end), strict=True):
        torch.testing.assert_close(part, other[0], rtol=0, atol=1e-12)
    assert found.trace is None


def test_it_refuses_nothing():
    wild = request_for(
        LSTM(hidden_size=H, peephole=True, layer_norm=True, proj_size=2),
        noise=Noise(torch.ones(B, 2), (0.5, 0.5)), return_gates=True, reverse=True,
    )  # fmt: skip
    assert reference.refuses(wild) is None


def test_the_reverse_direction_is_the_forward_one_over_each_row_turned_round():
    lengths = torch.tensor([5, 0, 2])
    request = double(GRU(hidden_size=H), lengths=lengths, reverse=True)
    turned = request.x.clone()
    for row, length in enumerate(lengths.tolist()):
        turned[row, :length] = request.x[row, :length].flip(0)
    found, other = reference.run(request), reference.run(replace(request, x=turned, reverse=False))
    for row, length in enumerate(lengths.tolist()):
        assert torch.equal(found.output[row, :length], other.output[row, :length].flip(0))
        assert not found.output[row, length:].any()
    assert torch.equal(found.state[0], other.state[0])


def test_a_reset_begins_anew_and_a_mask_of_ones_keeps_everything():
    resets = torch.zeros(B, T, dtype=torch.bool)
    resets[1, 2] = True
    request = double(LSTM(hidden_size=H))
    found, plain = reference.run(replace(request, resets=resets)), reference.run(request)
    assert torch.equal(found.output[[0, 2]], plain.output[[0, 2]])
    tail = replace(
        request, x=request.x[1:2, 2:], state=tuple(torch.zeros(1, H).double() for _ in range(2))
    )
    torch.testing.assert_close(found.output[1:2, 2:], reference.run(tail).output)
    old = reference.run(replace(request, noise=Noise(zoneout=(1.0, 1.0))))
    for part, other in zip(old.state, request.state, strict=True):
        torch.testing.assert_close(part, other)


def test_gates_and_states_of_every_step_are_told():
    request = double(LSTM(hidden_size=H), return_gates=True)
    found = reference.run(request)
    assert list(found.trace) == ["input", "forget", "candidate", "output", "hidden", "cell"]
    assert torch.equal(found.trace["hidden"], found.output)
    gates = found.trace
    before = torch.cat([request.state[1][:, None], gates["cell"][:, :-1]], 1)
    after = gates["forget"] * before + gates["input"] * gates["candidate"]
    torch.testing.assert_close(gates["cell"], after)
    torch.testing.assert_close(gates["hidden"], gates["output"] * after.tanh())

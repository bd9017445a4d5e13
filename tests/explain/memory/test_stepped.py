"""Stepped passes: they compute what the layer computes, and their states are nodes."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

import tidegate.nn as tn
from tests.helpers import VARIANTS, as_hx, difference, make, random_states, states_of
from tidegate.explain.memory.stepped import stepwise

B, T, D, H = 4, 6, 3, 4
LENGTHS = [6, 0, 4, 1]


def run(layer, *args, **options):
    with stepwise(layer) as walks:
        result = layer(*args, **options)
    return result, walks


@pytest.mark.parametrize("zoneout", [None, 0.2])
@pytest.mark.parametrize("case", VARIANTS)
def test_results_are_those_of_the_layer(case, zoneout):
    options = {"merge": "sum", "residual": True, "zoneout": zoneout}
    layer = make(case, num_layers=2, bidirectional=True, **options).eval()
    x, hx = torch.randn(T, B, D).double(), as_hx(random_states(layer, B, torch.float64))
    resets = torch.rand(B, T) < 0.3
    call = {"lengths": LENGTHS, "reset_mask": resets, "return_gates": True}
    (output, state, gates), walks = run(layer, x, hx, **call)
    expected, end, trace = layer(x, hx, **call)
    assert difference(output, expected) <= 1e-12
    for found, wanted in zip(states_of(state), states_of(end), strict=True):
        assert difference(found, wanted) <= 1e-12
    assert list(gates) == list(trace)
    assert all(difference(gates[name], trace[name]) <= 1e-12 for name in trace)
    assert len(walks) == 4


def test_a_state_given_by_name_and_a_packed_sequence():
    layer = tn.GRU(D, H, dtype=torch.float64)
    x, hx = torch.randn(T, B, D).double(), torch.randn(1, B, H).double()
    packed = pack_padded_sequence(x, [6, 4, 3, 1])
    (output, state), _ = run(layer, packed, hx=hx)
    expected, end = layer(packed, hx)
    assert difference(output.data, expected.data) <= 1e-12
    assert difference(state, end) <= 1e-12


@pytest.mark.parametrize("reverse", [False, True])
def test_an_lstm_hands_on_the_very_cell_state_that_its_output_comes_from(reverse):
    """Ragged rows too: else the gradient of c would miss the way through h of the same step."""
    layer = tn.LSTM(D, H, bidirectional=True, batch_first=True, dtype=torch.float64)
    _, walks = run(layer, torch.randn(B, T, D).double(), lengths=LENGTHS)
    walk = walks[int(reverse)]
    for t in range(T):
        hidden, cell = walk.after[t]
        (gradient,) = torch.autograd.grad(hidden.sum(), cell, retain_graph=True)
        valid = torch.tensor(LENGTHS) > t
        gate = walk.trace["output"][:, t]
        expected = gate * (1 - cell.tanh() ** 2)
        assert difference(gradient[valid], expected[valid]) <= 1e-12


@pytest.mark.parametrize("reverse", [False, True])
def test_distances_count_from_where_each_row_ends(reverse):
    layer = tn.RNN(D, H, bidirectional=True, batch_first=True)
    _, walks = run(layer, torch.randn(B, T, D), lengths=LENGTHS)
    times = torch.arange(T, dtype=torch.float32).expand(B, T)[..., None]
    turned = walks[int(reverse)].by_distance(times)[..., 0]
    for row, length in enumerate(LENGTHS):
        order = range(length) if reverse else range(length)[::-1]
        assert turned[row, :length].tolist() == list(order)
        assert turned[row, length:].isnan().all()


def test_afterwards_the_layer_is_as_before():
    layer = tn.GRU(D, H)
    with pytest.raises(ZeroDivisionError), stepwise(layer):
        raise ZeroDivisionError
    assert not layer._forward_hooks
    with stepwise(layer) as walks:
        pass
    layer(torch.randn(T, B, D))
    assert walks == []


def test_a_layer_inside_a_network_is_found_where_it_is_called():
    network = nn.Sequential(nn.Linear(2, D), layer := tn.LSTM(D, H))
    with stepwise(layer) as walks:
        network(torch.randn(T, B, 2))
    assert [walk.request.cell.name for walk in walks] == ["lstm"]
    assert len(walks[0].after) == T

"""return_gates: what a pass says of itself is what it computed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import tidegate.nn as tn
from tests.helpers import VARIANTS, as_hx, difference, make, states_of

B, T, D, H = 4, 6, 3, 4
LENGTHS = [6, 0, 4, 1]
NAMES = {
    "LSTM": ["input", "forget", "candidate", "output", "hidden", "cell"],
    "GRU": ["reset", "update", "new", "hidden"],
    "RNN": ["hidden"],
}


def traced(layer, x, lengths=None, **call):
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    hx = tuple(torch.randn(count, B, size, dtype=torch.float64) for size in layer.cell.state_sizes)
    return hx, layer(x, as_hx(hx), lengths=lengths, return_gates=True, **call)


def before(values: Tensor, first: Tensor, lengths: list[int], reverse: bool) -> Tensor:
    """Each step's previous state in the direction of the walk, `[B, T, H]`."""
    previous = torch.zeros_like(values)
    for row, length in enumerate(lengths):
        for t in range(length):
            came_from = t + 1 if reverse else t - 1
            inside = 0 <= came_from < length
            previous[row, t] = values[row, came_from] if inside else first[row]
    return previous


@pytest.mark.parametrize("case", VARIANTS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_names_and_shapes_whatever_the_layout_is(case, batch_first):
    layer = make(case, num_layers=2, bidirectional=True, batch_first=batch_first)
    shape = (B, T, D) if batch_first else (T, B, D)
    _, (output, _, trace) = traced(layer, torch.randn(shape, dtype=torch.float64), LENGTHS)
    assert list(trace) == NAMES[VARIANTS[case][0]]
    sizes = dict(zip(layer.cell.states, layer.cell.state_sizes, strict=True))
    for name, values in trace.items():
        assert values.shape == (4, B, T, sizes.get(name, H))
        for row, length in enumerate(LENGTHS):
            assert not values[:, row, length:].any()
    rows = output if batch_first else output.transpose(0, 1)
    assert torch.equal(torch.cat([trace["hidden"][2], trace["hidden"][3]], -1), rows)


@pytest.mark.parametrize("case", VARIANTS)
def test_gates_are_those_of_the_pass_without_them(case):
    layer = make(case, num_layers=2, bidirectional=True)
    x = torch.randn(T, B, D, dtype=torch.float64)
    hx, (output, state, _) = traced(layer, x, LENGTHS)
    expected, end = layer(x, as_hx(hx), lengths=LENGTHS)
    assert difference(output, expected) <= 1e-12
    for part, other in zip(states_of(state), states_of(end), strict=True):
        assert difference(part, other) <= 1e-12


@pytest.mark.parametrize("case", ["lstm", "lstm-peephole", "lstm-coupled"])
def test_the_gates_of_an_lstm_make_its_states(case):
    """c = f c_before + i g and h = o tanh(c), in both directions; coupled gates: i = 1 - f."""
    layer = make(case, bidirectional=True, batch_first=True)
    hx, (_, state, trace) = traced(layer, torch.randn(B, T, D, dtype=torch.float64), LENGTHS)
    for direction in (0, 1):
        gates = {name: values[direction] for name, values in trace.items()}
        previous = before(gates["cell"], hx[1][direction], LENGTHS, direction == 1)
        c = gates["forget"] * previous + gates["input"] * gates["candidate"]
        valid = torch.arange(T) < torch.tensor(LENGTHS)[:, None]
        assert difference(gates["cell"], torch.where(valid[..., None], c, 0)) <= 1e-12
        assert difference(gates["hidden"], gates["output"] * gates["cell"].tanh()) <= 1e-12
        if case == "lstm-coupled":
            assert ((gates["input"] + gates["forget"])[valid] == 1).all()
        for row, length in enumerate(LENGTHS):
            if length:
                last = 0 if direction else length - 1
                assert torch.equal(state[1][direction, row], gates["cell"][row, last])


def test_the_gates_of_a_gru_make_its_state():
    layer = make("gru", bidirectional=True, batch_first=True)
    hx, (_, _, trace) = traced(layer, torch.randn(B, T, D, dtype=torch.float64), LENGTHS)
    for direction in (0, 1):
        gates = {name: values[direction] for name, values in trace.items()}
        previous = before(gates["hidden"], hx[0][direction], LENGTHS, direction == 1)
        hidden = (1 - gates["update"]) * gates["new"] + gates["update"] * previous
        assert difference(gates["hidden"], hidden) <= 1e-12


def test_a_trace_shows_states_as_zoneout_left_them():
    layer = make("gru", zoneout=1.0, batch_first=True)
    hx, (_, _, trace) = traced(layer, torch.randn(B, T, D, dtype=torch.float64))
    assert torch.equal(trace["hidden"][0], hx[0][0][:, None].expand(B, T, H))


@pytest.mark.parametrize("every", [1, 4])
def test_checkpoints_join_the_traces_of_their_pieces(every):
    layer = make("lstm", bidirectional=True, checkpoint_every=every)
    plain = make("lstm", bidirectional=True)
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(T, B, D, dtype=torch.float64)
    pieces = layer(x, lengths=LENGTHS, return_gates=True)[2]
    whole = plain(x, lengths=LENGTHS, return_gates=True)[2]
    assert list(pieces) == list(whole)
    assert all(difference(pieces[name], whole[name]) <= 1e-12 for name in whole)


def test_gates_carry_gradients():
    layer = make("lstm", batch_first=True)
    x = torch.randn(B, T, D, dtype=torch.float64, requires_grad=True)
    _, (_, _, trace) = traced(layer, x)
    (gradient,) = torch.autograd.grad(trace["forget"][0, :, 3].sum(), [x])
    assert gradient[:, :4].any()
    assert not gradient[:, 4:].any()


def test_an_unbatched_pass_has_one_row_of_gates():
    trace = tn.GRU(D, H)(torch.randn(T, D), return_gates=True)[2]
    assert {values.shape for values in trace.values()} == {(1, 1, T, H)}

"""LSTMCell, GRUCell and RNNCell: against torch.nn, and as one step of the layers."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch.func import functional_call

import tidegate.nn as tn
from tests.helpers import (
    BOUNDS,
    VARIANTS,
    as_hx,
    assert_close,
    difference,
    inputs_of,
    make,
    results,
    states_of,
)
from tidegate import cells
from tidegate.errors import InputError

B, D, H = 5, 3, 4
CELLS = {
    "LSTMCell": {},
    "GRUCell": {},
    "RNNCell": {"nonlinearity": "tanh"},
    "RNNCell-relu": {"nonlinearity": "relu"},
}


def single(case: str) -> tn.StepCell:
    """The step cell of one of VARIANTS."""
    name, own = VARIANTS[case]
    return getattr(tn, f"{name}Cell")(D, H, dtype=torch.float64, **own)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("case", CELLS)
def test_against_torch(case, bias, dtype):
    name, own = case.removesuffix("-relu"), CELLS[case]
    for batched, given in itertools.product((True, False), (True, False)):
        torch.manual_seed(9)
        theirs = getattr(nn, name)(D, H, bias=bias, dtype=dtype, **own)
        torch.manual_seed(9)
        ours = getattr(tn, name)(D, H, bias=bias, dtype=dtype, **own)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, other)
        rows = (B,) if batched else ()
        x = torch.randn(*rows, D, dtype=dtype, requires_grad=True)
        count = (2 if name == "LSTMCell" else 1) if given else 0
        states = tuple(torch.randn(*rows, H, dtype=dtype, requires_grad=True) for _ in range(count))
        hx = as_hx(states) if given else None
        mine, other = ours(x, hx), theirs(x, hx)
        assert_close(
            results(states_of(mine)[0], mine, inputs_of(ours, x, states)),
            results(states_of(other)[0], other, inputs_of(theirs, x, states)),
            *BOUNDS[dtype],
        )


@pytest.mark.parametrize("case", VARIANTS)
def test_a_walk_by_hand_is_the_layer(case):
    layer, cell = make(case), single(case)
    cell.load_state_dict({key.replace("_l0", ""): w for key, w in layer.state_dict().items()})
    x = torch.randn(6, B, D, dtype=torch.float64)
    output, end = layer(x)
    state = None
    for t in range(6):
        state = cell(x[t], state)
        assert difference(states_of(state)[0], output[t]) <= 1e-12
    for part, expected in zip(states_of(state), states_of(end), strict=True):
        assert difference(part, expected[0]) <= 1e-12


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("case", VARIANTS)
def test_gradients_of_every_variant(case, batched):
    cell = single(case)
    rows = (2,) if batched else ()
    x = torch.randn(*rows, D, dtype=torch.float64, requires_grad=True)
    states = tuple(
        torch.randn(*rows, size, dtype=torch.float64, requires_grad=True)
        for size in cell.cell.state_sizes
    )
    names = [name for name, _ in cell.named_parameters()]

    def step(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        hx, weights = rest[: len(states)], rest[len(states) :]
        named = dict(zip(names, weights, strict=True))
        return states_of(functional_call(cell, named, (x, as_hx(hx))))

    assert gradcheck(step, (x, *states, *cell.parameters()))


def test_positional_arguments_are_those_of_torch():
    assert not tn.LSTMCell(D, H, False, "cpu", torch.float64).bias
    assert tn.RNNCell(D, H, True, "relu").cell.nonlinearity == "relu"
    cell = tn.GRUCell(D, H, True, "cpu", torch.float64)
    assert cell.weight_ih.dtype == torch.float64
    assert (cell.input_size, cell.hidden_size, cell.bias) == (D, H, True)


def test_a_cell_of_any_kind_steps():
    step = tn.StepCell(cells.GRU(hidden_size=H, reset_after=False), D)
    assert list(step(torch.randn(B, D)).shape) == [B, H]
    assert repr(step) == f"StepCell(gru, {D}, {H}, reset_after=False)"
    assert repr(tn.LSTMCell(D, H, bias=False)) == f"LSTMCell({D}, {H}, bias=False)"


def test_states_under_autocast_may_be_of_the_lower_type():
    cell = tn.LSTMCell(D, H)
    with torch.autocast("cpu", torch.bfloat16):
        state = None
        for _ in range(3):
            state = cell(torch.randn(B, D), state)
    assert all(part.isfinite().all() for part in state)


def z(*shape: int) -> Tensor:
    return torch.zeros(shape)


@pytest.mark.parametrize(
    ("x", "hx", "sentence"),
    [
        (z(1, 2, D), None, "`input` must be 1-D or 2-D; got 3-D."),
        ([1.0], None, "`input` must be a tensor; got list."),
        (z(2, 5), None, "`input` must be of size input_size = 3 on its last axis; got [2, 5]."),
        (z(2, D).double(), None, "`input` must be of dtype torch.float32; got torch.float64. Con"),
        (z(2, D), z(2, H), "`hx` must be 2 tensor(s): hidden, cell; got"),
        (z(2, D), (z(2, H), None), "`hx` must be 2 tensor(s): hidden, cell; got tuple."),
        (z(2, D), 3, "`hx` must be 2 tensor(s): hidden, cell; got int."),
        (z(D), (z(2, H), z(2, H)), "`hx` must be 1-D, as the input is; got [2, 4]."),
        (z(2, D), (z(H), z(H)), "`hx` must be 2-D, as the input is; got [4]."),
        (z(2, D), (z(3, H), z(2, H)), "`hx (hidden)` must be of shape [layers*directions, B, si"),
        (z(2, D), (z(2, H), z(2, H).double()), "`hx (cell)` must be torch.float32 on cpu, as th"),
    ],
    ids=str,
)
def test_what_a_step_cannot_take(x, hx, sentence):
    with pytest.raises(InputError) as caught:
        tn.LSTMCell(D, H)(x, hx)
    assert str(caught.value).startswith(f"LSTM: {sentence}")


def test_options_out_of_range():
    for options, expected in (
        ({"hidden_size": 0}, "LSTM: `hidden_size` must be an integer >= 1; got 0."),
        ({"init": "zero"}, "LSTM: `init` must be one of torch, orthogonal, chrono; got 'zero'."),
        ({"max_lag": 9}, 'LSTM: `max_lag` must be left out unless init="chrono"; got 9.'),
    ):
        with pytest.raises(InputError) as caught:
            tn.LSTMCell(D, **({"hidden_size": H} | options))
        assert str(caught.value).startswith(expected)

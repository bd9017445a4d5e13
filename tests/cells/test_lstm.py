"""The LSTM against a published worked example and the equations of the papers in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import tidegate.nn as tn
from tests.cells import oracle
from tidegate.cells import LSTM
from tidegate.cells.base import LSTM_BLOCKS
from tidegate.errors import InputError

D, H, T = 3, 4, 5


def step(cell: LSTM, x: Tensor, state: tuple[Tensor, ...], weights: dict[str, Tensor]):
    return cell.step(cell.inputs(x, weights), state[0], state, weights)


def weights_of(cell: LSTM) -> dict[str, Tensor]:
    return {name: torch.randn(shape, dtype=torch.float64) for name, shape in cell.shapes(D).items()}


def walk(cell: LSTM, weights: dict[str, Tensor], advance) -> None:
    """Compare T steps of one row with `advance(x, h, c)`, from states that are not zero."""
    h, c = torch.randn(2, H, dtype=torch.float64).unbind()
    mine, theirs = (h[None], c[None]), (h.numpy(), c.numpy())
    for x in torch.randn(T, D, dtype=torch.float64):
        mine, gates = step(cell, x[None], mine, weights)
        theirs = advance(x.numpy(), *theirs)
        assert len(gates) == 4
        for name, a, b in zip(("h", "c"), mine, theirs, strict=True):
            np.testing.assert_allclose(a[0].numpy(), b, rtol=0, atol=1e-12, err_msg=name)


def test_the_step_of_a_tutorial_that_starts_from_numpy():
    """W_f, W_i, W_c, W_o on [h, x], then the biases in that order, all from seed 42."""
    random = np.random.RandomState(42)
    drawn = {name: random.randn(2, 5) for name in ("forget", "input", "candidate", "output")}
    biases = {name: random.randn(2, 1)[:, 0] for name in drawn}
    stacked = torch.from_numpy(np.concatenate([drawn[name] for name in LSTM_BLOCKS]))
    bias = torch.from_numpy(np.concatenate([biases[name] for name in LSTM_BLOCKS]))
    weights = {"weight_ih": stacked[:, 2:], "weight_hh": stacked[:, :2], "bias_ih": bias}
    weights["bias_hh"] = torch.zeros_like(bias)
    x = torch.tensor([[0.5, 0.1, 0.9]], dtype=torch.float64)
    zero = torch.zeros(1, 2, dtype=torch.float64)
    (h, c), _ = step(LSTM(hidden_size=2), x, (zero, zero), weights)
    np.testing.assert_allclose(h[0], [-0.07794162, -0.06642324], atol=5e-9)
    np.testing.assert_allclose(c[0], [-0.1448926, -0.12589963], atol=5e-9)


def test_a_step_worked_by_hand():
    """One unit: sums i = ln 3, f = 0, g = artanh(1/2), o = ln 3 give gates 3/4, 1/2, 1/2, 3/4."""
    sums = torch.tensor([[np.log(3), 0.0, np.arctanh(0.5), np.log(3)]])
    weights = {"weight_hh": torch.zeros(4, 1, dtype=torch.float64)}
    state = (torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64))
    (h, c), gates = LSTM(hidden_size=1, bias=False).step(sums, state[0], state, weights)
    np.testing.assert_allclose(torch.cat(gates, 1)[0], [0.75, 0.5, 0.5, 0.75], atol=1e-15)
    assert c.item() == pytest.approx(0.5 * 1 + 0.75 * 0.5, abs=1e-15)
    assert h.item() == pytest.approx(0.75 * np.tanh(0.875), abs=1e-15)


def test_plain():
    cell = LSTM(hidden_size=H)
    weights = weights_of(cell)
    gates = oracle.by_gate(weights, LSTM_BLOCKS)
    walk(cell, weights, lambda x, h, c: oracle.lstm(x, h, c, gates))


def test_peephole():
    cell = LSTM(hidden_size=H, peephole=True)
    weights = weights_of(cell)
    gates = oracle.by_gate(weights, LSTM_BLOCKS)
    names = ("input", "forget", "output")
    p = dict(zip(names, np.split(weights["weight_ch"].numpy(), 3), strict=True))
    walk(cell, weights, lambda x, h, c: oracle.peephole(x, h, c, gates, p))


def test_coupled():
    cell = LSTM(hidden_size=H, coupled=True)
    weights = weights_of(cell)
    gates = oracle.by_gate(weights, LSTM_BLOCKS[1:])
    walk(cell, weights, lambda x, h, c: oracle.coupled(x, h, c, gates))


def test_coupled_equals_plain_with_a_mirrored_input_gate():
    """σ(-a) = 1 - σ(a): a plain LSTM whose input gate has the negated forget weights."""
    half = LSTM(hidden_size=H, coupled=True)
    weights = weights_of(half)
    full = {name: torch.cat([-value[:H], value]) for name, value in weights.items()}
    state = (torch.randn(2, H, dtype=torch.float64), torch.randn(2, H, dtype=torch.float64))
    x = torch.randn(2, D, dtype=torch.float64)
    got, gates = step(half, x, state, weights)
    expected, plain_gates = step(LSTM(hidden_size=H), x, state, full)
    for a, b in zip((*got, *gates), (*expected, *plain_gates), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-14)


def test_layer_norm():
    cell = LSTM(hidden_size=H, layer_norm=True)
    weights = weights_of(cell)
    w = {name: value.numpy() for name, value in weights.items()}
    walk(cell, weights, lambda x, h, c: oracle.normed_lstm(x, h, c, w))


def test_cell_clip_bounds_what_goes_on_and_what_comes_out():
    cell = LSTM(hidden_size=H, cell_clip=0.25)
    weights = weights_of(cell)
    gates = oracle.by_gate(weights, LSTM_BLOCKS)

    def advance(x, h, c):
        _, c = oracle.lstm(x, h, c, gates)
        c = np.clip(c, -0.25, 0.25)
        o = oracle.sigmoid(oracle.affine(gates["output"], x, h))
        return o * np.tanh(c), c

    walk(cell, weights, advance)


def test_a_projection_shrinks_h_and_leaves_c():
    cell = LSTM(hidden_size=H, proj_size=2)
    weights = weights_of(cell)
    gates = oracle.by_gate(weights, LSTM_BLOCKS)
    state = (torch.randn(1, 2, dtype=torch.float64), torch.randn(1, H, dtype=torch.float64))
    x = torch.randn(1, D, dtype=torch.float64)
    (h, c), _ = step(cell, x, state, weights)
    full, expected = oracle.lstm(x[0].numpy(), state[0][0].numpy(), state[1][0].numpy(), gates)
    np.testing.assert_allclose(c[0], expected, atol=1e-12)
    np.testing.assert_allclose(h[0], weights["weight_hr"].numpy() @ full, atol=1e-12)


def test_all_variants_at_once_reduce_to_each_alone():
    """A loose clip and peepholes of zero change nothing; that keeps the combinations honest."""
    torch.manual_seed(1)
    full = LSTM(hidden_size=H, peephole=True, layer_norm=True, cell_clip=1e6)
    weights = weights_of(full)
    weights["weight_ch"].zero_()
    less = {name: value for name, value in weights.items() if name != "weight_ch"}
    state = (torch.randn(2, H, dtype=torch.float64), torch.randn(2, H, dtype=torch.float64))
    x = torch.randn(2, D, dtype=torch.float64)
    got, _ = step(full, x, state, weights)
    expected, _ = step(LSTM(hidden_size=H, layer_norm=True), x, state, less)
    for a, b in zip(got, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"proj_size": -1}, "`proj_size` must be an integer >= 0; got -1."),
        ({"proj_size": 1.5}, "`proj_size` must be an integer >= 0; got 1.5."),
        ({"proj_size": 4}, "`proj_size` must be 0, or smaller than hidden_size (4); got 4."),
        ({"cell_clip": 0}, "`cell_clip` must be a number > 0 or None; got 0."),
        ({"cell_clip": -0.5}, "`cell_clip` must be a number > 0 or None; got -0.5."),
        ({"cell_clip": float("nan")}, "`cell_clip` must be a number > 0 or None; got nan."),
        ({"cell_clip": "1"}, "`cell_clip` must be a number > 0 or None; got '1'."),
    ],
)
def test_options_out_of_range(options, sentence):
    for build in (lambda: LSTM(hidden_size=4, **options), lambda: tn.LSTM(3, 4, **options)):
        with pytest.raises(InputError) as caught:
            build()
        assert str(caught.value) == f"LSTM: {sentence}"

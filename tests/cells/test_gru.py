"""Both forms of the GRU against the equations of the papers in NumPy and numbers by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.cells import oracle
from tidegate.cells import GRU
from tidegate.cells.base import GRU_BLOCKS

D, H, T = 3, 4, 5


def weights_of(cell: GRU) -> dict[str, Tensor]:
    return {name: torch.randn(shape, dtype=torch.float64) for name, shape in cell.shapes(D).items()}


def walk(cell: GRU, weights: dict[str, Tensor], advance) -> None:
    """Compare T steps of one row with `advance(x, h)`, from a state that is not zero."""
    state = (torch.randn(1, H, dtype=torch.float64),)
    expected = state[0][0].numpy()
    for x in torch.randn(T, D, dtype=torch.float64):
        state, gates = cell.step(cell.inputs(x[None], weights), state[0], state, weights)
        expected = advance(x.numpy(), expected)
        assert len(gates) == 3
        np.testing.assert_allclose(state[0][0], expected, rtol=0, atol=1e-12)


def test_reset_before_is_cho_2014():
    cell = GRU(hidden_size=H, reset_after=False)
    weights = weights_of(cell)
    gates = oracle.by_gate(weights, GRU_BLOCKS)
    walk(cell, weights, lambda x, h: oracle.gru_before(x, h, gates))


@pytest.mark.parametrize("reset_after", [True, False])
def test_layer_norm(reset_after):
    """Each side of a sum is normalised: over both gates together, and over n."""
    cell = GRU(hidden_size=H, reset_after=reset_after, layer_norm=True)
    weights = weights_of(cell)
    w = {name: value.numpy() for name, value in weights.items()}
    gates, new = slice(0, 2 * H), slice(2 * H, 3 * H)

    def normed(side, part, vector):
        matrix, gain, shift = w[f"weight_{side}"], w[f"norm_{side}"], w[f"bias_{side}"]
        return oracle.norm(matrix[part] @ vector, gain[part], shift[part])

    def advance(x, h):
        sums = normed("ih", gates, x) + normed("hh", gates, h)
        r, z = np.split(oracle.sigmoid(sums), 2)
        inner = r * normed("hh", new, h) if reset_after else normed("hh", new, r * h)
        n = np.tanh(normed("ih", new, x) + inner)
        return (1 - z) * n + z * h

    walk(cell, weights, advance)


@pytest.mark.parametrize(("reset_after", "expected"), [(True, 0.625), (False, 0.75)])
def test_a_step_worked_by_hand(reset_after, expected):
    """One unit, r = z = 1/2, h = 1, U_n = 0, b_hn = 2 a with tanh(a) = 1/4, tanh(2a) = 1/2.

    After: n = tanh(r · b_hn) = 1/4, h' = (1/4 + 1) / 2. Before: n = tanh(b_hn), h' = (n + 1) / 2.
    """
    double = 2 * np.arctanh(0.25) if reset_after else np.arctanh(0.5)
    weights = {
        "weight_hh": torch.zeros(3, 1, dtype=torch.float64),
        "bias_hh": torch.tensor([0.0, 0.0, double], dtype=torch.float64),
    }
    sums, state = torch.zeros(1, 3, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    cell = GRU(hidden_size=1, reset_after=reset_after)
    (h,), (reset, update, new) = cell.step(sums, state, (state,), weights)
    assert reset.item() == update.item() == 0.5
    assert new.item() == pytest.approx(2 * expected - 1, abs=1e-15)
    assert h.item() == pytest.approx(expected, abs=1e-15)


def test_the_two_forms_differ_where_the_reset_gate_is_half_open():
    weights = weights_of(GRU(hidden_size=H))
    state = torch.randn(2, H, dtype=torch.float64)
    x = torch.randn(2, D, dtype=torch.float64)
    after, before = (
        cell.step(cell.inputs(x, weights), state, (state,), weights)[0][0]
        for cell in (GRU(hidden_size=H), GRU(hidden_size=H, reset_after=False))
    )
    assert (after - before).abs().max() > 0.01


def test_a_wide_open_update_gate_keeps_the_state():
    cell = GRU(hidden_size=H)
    weights = weights_of(cell)
    weights["bias_ih"][H : 2 * H] = 1e4
    state = torch.randn(2, H, dtype=torch.float64)
    inputs = cell.inputs(torch.randn(2, D, dtype=torch.float64), weights)
    (after,), _ = cell.step(inputs, state, (state,), weights)
    torch.testing.assert_close(after, state, rtol=0, atol=0)

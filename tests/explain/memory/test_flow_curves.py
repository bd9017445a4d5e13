"""Curves of gradient flow and the lines through them, on numbers worked by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import tidegate.nn as tn
from tidegate.errors import InputError
from tidegate.explain import GradientFlow, gradient_flow

STEPS = torch.arange(50, dtype=torch.float64)


def flow_of(*curves: Tensor) -> GradientFlow:
    """A flow of one unit and one layer, whose gradients in each row are given as logarithms."""
    values = torch.stack([curve.exp() for curve in curves])[None, ..., None]
    lengths = torch.tensor([len(curve) for curve in curves])
    return GradientFlow("gru", {"hidden": values}, None, None, lengths, ("layer 0 forward",))


def scaled_identity(factor: float, steps: int) -> GradientFlow:
    """An RNN whose state stays zero, where tanh has the slope 1: every step multiplies alike."""
    layer = tn.RNN(3, 4, bias=False, dtype=torch.float64)
    layer.weight_hh_l0.data = factor * torch.eye(4, dtype=torch.float64)
    return gradient_flow(layer, torch.zeros(steps, 2, 3))


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.1])
@pytest.mark.parametrize("curve", ["hidden", "chain"])
def test_a_constant_factor_is_found(factor, curve):
    fitted = scaled_identity(factor, 60).decay(curve)
    assert fitted.factor == pytest.approx(factor, rel=1e-12)
    assert fitted.r2 == pytest.approx(1.0)
    assert (fitted.first, fitted.last) == (0, 59)


def test_what_float64_cannot_hold_is_left_out_of_the_fit():
    fitted = scaled_identity(0.01, 400).decay("hidden")
    # 2 * 0.01^d is a normal number down to 2.2e-308.
    assert (fitted.first, fitted.last) == (0, 153)
    assert fitted.factor == pytest.approx(0.01, rel=1e-9)


def test_norms_of_numbers_whose_squares_are_nothing():
    norms = scaled_identity(0.01, 100).norms("hidden")[0, 0].exp()
    # Four units, a gradient of 1 each: the norm is 2.
    assert norms[-1] == pytest.approx(2e-198, rel=1e-9)


def test_the_curve_is_the_median_of_the_rows_that_reach_so_far():
    short = torch.where(STEPS < 10, 5.0, torch.nan)
    flow = flow_of(-STEPS, -2 * STEPS, -3 * STEPS, short, short)
    curve = flow.curve("hidden")
    assert curve[9] == pytest.approx(-9)  # the middle of -27, -18, -9, 5, 5
    assert curve[10] == pytest.approx(-20)  # the middle of -30, -20, -10
    assert torch.equal(flow.norms("hidden")[0, 3].isnan(), STEPS >= 10)


def test_the_table_has_a_line_for_each_layer_and_curve():
    layer = tn.LSTM(3, 4, num_layers=2, bidirectional=True)
    flow = gradient_flow(layer, torch.randn(20, 2, 3))
    table = flow.to_frame()
    assert list(table.columns) == ["layer", "curve", "factor", "half_life", "r2", "first", "last"]
    assert table["layer"].unique().tolist() == list(flow.rows)
    assert table["curve"].tolist() == ["hidden", "cell", "highway"] * 4
    line = table.iloc[5]  # layer 0 backward, highway
    assert line["factor"] == flow.decay("highway", 1).factor
    assert line["half_life"] == flow.decay("highway", 1).half_life


def test_it_says_what_a_step_does():
    assert repr(scaled_identity(0.5, 9)) == (
        "GradientFlow(rnn, N 1, B 2, T 9: hidden ×0.500 a step, chain ×0.500 a step)"
    )


def test_the_highway_is_what_its_gates_leave_of_the_gradient_at_the_end():
    layer = tn.LSTM(3, 4, batch_first=True, dtype=torch.float64)
    x = torch.randn(2, 9, 3, dtype=torch.float64)
    flow = gradient_flow(layer, x)
    *_, gates = layer(x, return_gates=True)
    end = flow.gradients["cell"][0, :, 0]
    for distance in range(9):
        kept = gates["forget"][0, :, 9 - distance :].prod(1) * end
        norm = flow.norms("highway")[0, :, distance].exp()
        assert torch.allclose(norm, kept.norm(dim=-1), rtol=1e-12)


def test_wrong_names_and_numbers():
    flow = gradient_flow(tn.GRU(3, 4), torch.zeros(5, 2, 3))
    with pytest.raises(InputError, match="one of hidden, highway; got 'cell'"):
        flow.norms("cell")
    with pytest.raises(InputError, match="Did you mean 'hidden'"):
        flow.decay("hiden")
    with pytest.raises(InputError, match=r"between 0 and 0 \(layer 0 forward\); got 1"):
        flow.curve("hidden", row=1)

"""The plain recurrent unit against its one equation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tidegate.nn as tn
from tests.cells import oracle
from tidegate.cells import RNN
from tidegate.errors import InputError

D, H, T = 3, 4, 5


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_the_equation(nonlinearity, layer_norm, bias):
    cell = RNN(hidden_size=H, nonlinearity=nonlinearity, layer_norm=layer_norm, bias=bias)
    weights = {
        name: torch.randn(shape, dtype=torch.float64) for name, shape in cell.shapes(D).items()
    }
    w = {name: value.numpy() for name, value in weights.items()}
    squash = np.tanh if nonlinearity == "tanh" else lambda a: np.maximum(a, 0)

    def side(name, vector):
        product = w[f"weight_{name}"] @ vector
        shift = w.get(f"bias_{name}", np.zeros(H))
        return oracle.norm(product, w[f"norm_{name}"], shift) if layer_norm else product + shift

    state = torch.randn(1, H, dtype=torch.float64)
    expected = state[0].numpy()
    for x in torch.randn(T, D, dtype=torch.float64):
        (state,), gates = cell.step(cell.inputs(x[None], weights), state, (state,), weights)
        expected = squash(side("ih", x.numpy()) + side("hh", expected))
        assert gates == ()
        np.testing.assert_allclose(state[0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("nonlinearity", ["sigmoid", None])
def test_a_nonlinearity_that_there_is_not(nonlinearity):
    for build in (
        lambda: RNN(hidden_size=4, nonlinearity=nonlinearity),
        lambda: tn.RNN(3, 4, nonlinearity=nonlinearity),
        lambda: tn.RNNCell(3, 4, nonlinearity=nonlinearity),
    ):
        with pytest.raises(InputError) as caught:
            build()
        assert str(caught.value) == (
            f"RNN: `nonlinearity` must be 'tanh' or 'relu'; got {nonlinearity!r}."
        )

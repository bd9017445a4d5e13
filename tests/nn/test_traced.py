"""Layers in a trace of torch.jit, which draws its graph again, without gradients, to compare."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import Tensor, nn

from tests.helpers import difference
from tidegate import accelerate
from tidegate.nn import GRU, LSTM, RNN

OWN = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}


class Inside(nn.Module):
    """A model with a layer in it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


def traced(model: nn.Module, x: Tensor) -> nn.Module:
    with warnings.catch_warnings():
        # torch.jit as a whole is deprecated, and warns of checks that look at values.
        warnings.simplefilter("ignore", (DeprecationWarning, torch.jit.TracerWarning))
        return torch.jit.trace(model, x)


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}], ids=str)
@pytest.mark.parametrize("name", OWN)
def test_a_trace_is_the_layer(rng, name, options, grad):
    theirs = getattr(nn, name)(3, 5, **options)
    fast = copy.deepcopy(theirs)
    accelerate(fast)
    x, longer = (torch.from_numpy(rng.random((steps, 2, 3), "float32")) for steps in (4, 7))
    for layer in (fast, OWN[name].from_torch(theirs), OWN[name].from_torch(theirs, backend="aten")):
        model = Inside(layer)
        with torch.set_grad_enabled(grad):
            script = traced(model, x)
        found, expected = [], []
        for module, results in ((script, found), (Inside(theirs), expected)):
            given = longer.clone().requires_grad_()
            output = module(given)
            results += [output, *torch.autograd.grad(output.sum(), [given])]
        assert max(map(difference, found, expected)) < 1e-5


def test_checkpoints_are_no_part_of_a_trace(rng):
    layer = GRU(3, 5, checkpoint_every=2)
    x = torch.from_numpy(rng.random((4, 2, 3), "float32"))
    torch.testing.assert_close(traced(Inside(layer), x)(x), layer(x)[0])

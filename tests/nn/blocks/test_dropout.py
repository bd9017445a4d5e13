"""Dropout: torch's own, from the generators of the work that goes on."""

from __future__ import annotations

import torch

from tidegate.device import seeded
from tidegate.nn.blocks.dropout import Dropout

CPU = torch.device("cpu")


def test_masks_come_from_the_block_and_are_those_of_torch_elsewhere():
    x = torch.linspace(1, 2, 50)
    ours, theirs = Dropout(0.4), torch.nn.Dropout(0.4)
    torch.manual_seed(1)
    expected = theirs(x)
    torch.manual_seed(1)
    assert torch.equal(ours(x), expected)
    state = torch.get_rng_state()
    found = []
    for _ in range(2):
        with seeded(3, CPU):
            found.append(ours(x))
    assert torch.equal(*found)
    assert set((found[0] == 0).tolist()) == {True, False}
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(ours.eval()(x), x)


def test_gradients_pass_where_features_were_kept():
    x = torch.ones(50, requires_grad=True)
    with seeded(3, CPU):
        y = Dropout(0.5)(x)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())

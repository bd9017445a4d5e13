"""One step from one state with many inputs, against the same steps taken one by one."""

from __future__ import annotations

import pytest
import torch

from tests.helpers import difference
from tidegate import nn
from tidegate.nn.fan_out import fan_out

STACKS = {
    "gru": (nn.GRU, {}),
    "lstm": (nn.LSTM, {}),
    "peephole, projected": (nn.LSTM, {"peephole": True, "proj_size": 2}),
    "layer norm": (nn.GRU, {"layer_norm": True}),
    "reset before": (nn.GRU, {"reset_after": False}),
    "rnn": (nn.RNN, {}),
    "two layers": (nn.GRU, {"num_layers": 2}),
    "zoneout": (nn.LSTM, {"zoneout": 0.2}),
}


@pytest.mark.parametrize("shared", [False, True], ids=["own inputs", "one for all rows"])
@pytest.mark.parametrize("name", STACKS)
def test_it_is_a_step_of_the_stack_for_each_input(name, shared):
    make, options = STACKS[name]
    torch.manual_seed(0)
    stack = make(3, 4, batch_first=True, **options).eval()
    _, made = stack(torch.randn(5, 6, 3), lengths=[6, 1, 0, 4, 2])
    whole = isinstance(made, tuple)
    leaves = [part.detach().requires_grad_() for part in (made if whole else [made])]
    state = tuple(leaves) if whole else leaves[0]
    x = torch.randn(1 if shared else 5, 7, 3, requires_grad=True)
    found = fan_out(stack, x, state)
    steps = [stack(x[:, m : m + 1].expand(5, -1, -1), state)[0] for m in range(7)]
    expected = torch.cat(steps, 1)
    assert difference(found, expected) < 1e-6
    wanted = [x, *leaves, *stack.parameters()]
    loss = torch.randn_like(found)
    for ours, theirs in zip(
        torch.autograd.grad((found * loss).sum(), wanted),
        torch.autograd.grad((expected * loss).sum(), wanted),
        strict=True,
    ):
        assert difference(ours, theirs) < 1e-5

"""The adaptive softmax is a distribution, costs what it says, and skips most of a vocabulary."""

from __future__ import annotations

import pytest
import torch

from tidegate.heads import AdaptiveHead, LanguageHead


@pytest.mark.parametrize("size", [3, 10, 60, 1000])
def test_probabilities_add_up_and_costs_are_their_logarithms(size):
    head = AdaptiveHead(16, size)
    features, targets = torch.randn(2, 5, 16), torch.randint(0, size, (10,))
    logs = head.answer(features)
    assert logs.shape == (2, 5, size)
    torch.testing.assert_close(logs.exp().sum(-1), torch.ones(2, 5))
    nats = head.losses(features.flatten(0, 1), targets)
    torch.testing.assert_close(-logs.flatten(0, 1)[torch.arange(10), targets], nats)


@pytest.mark.parametrize("size", [3, 60, 1000])
def test_costs_and_gradients_are_those_of_torch_s_adaptive_softmax(size):
    head = AdaptiveHead(16, size)
    features, targets = torch.randn(40, 16, requires_grad=True), torch.randint(0, size, (40,))
    found, wanted = head.losses(features, targets), -head.softmax(features, targets).output
    torch.testing.assert_close(found, wanted)
    inputs, scale = [features, *head.parameters()], torch.rand(40)
    gradients = [
        torch.autograd.grad((nats * scale).sum(), inputs, materialize_grads=True)
        for nats in (found, wanted)
    ]
    torch.testing.assert_close(gradients[0], gradients[1])


def test_bfloat16_rounds_the_factors_in_training_alone():
    head, low = AdaptiveHead(16, 300), AdaptiveHead(16, 300, low_precision=True)
    low.load_state_dict(head.state_dict())
    features, targets = torch.randn(40, 16), torch.randint(0, 300, (40,))
    wanted, found = head.losses(features, targets), low.losses(features, targets)
    assert found.dtype == torch.float32
    assert not torch.equal(found, wanted)
    torch.testing.assert_close(found, wanted, rtol=2e-2, atol=2e-2)
    gradients = [
        torch.autograd.grad(x.sum(), h.softmax.head.weight)[0]
        for x, h in ((wanted, head), (found, low))
    ]
    assert gradients[1].dtype == torch.float32
    torch.testing.assert_close(gradients[1], gradients[0], rtol=5e-2, atol=5e-2)
    assert torch.equal(low.eval().losses(features, targets), wanted)


def test_rare_symbols_have_few_weights():
    def count(head):
        return sum(parameter.numel() for parameter in head.parameters())

    assert count(AdaptiveHead(256, 50_000)) < count(LanguageHead(256, 50_000)) / 8


def test_it_learns_which_symbols_come():
    torch.manual_seed(0)
    head = AdaptiveHead(8, 200)
    features, targets = torch.eye(8), torch.tensor([0, 1, 5, 39, 41, 100, 150, 199])
    optimizer = torch.optim.Adam(head.parameters(), 0.05)
    for _ in range(100):
        optimizer.zero_grad()
        head.losses(features, targets).mean().backward()
        optimizer.step()
    assert head.answer(features).argmax(-1).tolist() == targets.tolist()

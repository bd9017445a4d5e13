"""The adaptive softmax is a distribution, costs what it says, and skips most of a vocabulary."""

from __future__ import annotations

import pytest
import torch

from tidegate.heads import AdaptiveHead, LanguageHead


@pytest.mark.parametrize("size", [3, 10, 60, 1000])
def test_probabilities_add_up_and_costs_are_their_logarithms(size):
    head = AdaptiveHead(16, size)
    features, targets = torch.randn(2, 5, 16), torch.randint(0, size, (10,))
    logs = head.log_probabilities(features)
    assert logs.shape == (2, 5, size)
    torch.testing.assert_close(logs.exp().sum(-1), torch.ones(2, 5))
    nats = head.losses(features.flatten(0, 1), targets)
    torch.testing.assert_close(-logs.flatten(0, 1)[torch.arange(10), targets], nats)


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
    assert head.log_probabilities(features).argmax(-1).tolist() == targets.tolist()

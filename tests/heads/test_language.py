"""The softmax head against torch's own layers, and its meter against numbers worked by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.heads import LanguageHead, LanguageMeter

BATCH = Batch(torch.zeros(1), torch.ones(1))


def test_costs_are_those_of_a_linear_layer_and_cross_entropy():
    head = LanguageHead(5, 11)
    head.bias.data.normal_()
    linear = nn.Linear(5, 11)
    linear.load_state_dict({"weight": head.weight, "bias": head.bias})
    features, targets = torch.randn(7, 5, requires_grad=True), torch.randint(0, 11, (7,))
    wanted = F.cross_entropy(linear(features), targets, reduction="none")
    found = head.losses(features, targets)
    torch.testing.assert_close(found, wanted)
    (gradient,) = torch.autograd.grad(found.sum(), head.weight, retain_graph=True)
    torch.testing.assert_close(gradient, torch.autograd.grad(wanted.sum(), linear.weight)[0])


def test_costs_are_log_probabilities():
    head = LanguageHead(5, 11)
    features, targets = torch.randn(2, 3, 5), torch.randint(0, 11, (6,))
    logs = head.answer(features)
    assert logs.shape == (2, 3, 11)
    torch.testing.assert_close(logs.exp().sum(-1), torch.ones(2, 3))
    nats = head.losses(features.flatten(0, 1), targets)
    torch.testing.assert_close(-logs.flatten(0, 1)[torch.arange(6), targets], nats)


def test_tied_weights_are_the_embedding_s_and_are_listed_once():
    embedding = nn.Embedding(11, 5)
    head = LanguageHead(5, 11, embedding)
    assert head.table is embedding.weight
    assert set(head.state_dict()) == {"bias"}
    head.losses(torch.randn(3, 5), torch.tensor([1, 2, 3])).sum().backward()
    assert embedding.weight.grad.abs().sum() > 0


def test_bfloat16_rounds_the_factors_in_training_alone():
    head = LanguageHead(5, 11)
    low = LanguageHead(5, 11, low_precision=True)
    low.load_state_dict(head.state_dict())
    features, targets = torch.randn(7, 5), torch.randint(0, 11, (7,))
    wanted, found = head.losses(features, targets), low.losses(features, targets)
    assert found.dtype == torch.float32
    assert not torch.equal(found, wanted)
    torch.testing.assert_close(found, wanted, rtol=2e-2, atol=2e-2)
    gradients = [
        torch.autograd.grad(x.sum(), h.weight)[0] for x, h in ((wanted, head), (found, low))
    ]
    assert gradients[1].dtype == torch.float32
    torch.testing.assert_close(gradients[1], gradients[0], rtol=5e-2, atol=5e-2)
    assert torch.equal(low.eval().losses(features, targets), wanted)


def test_the_meter_counts_every_symbol_alike():
    meter = LanguageMeter(characters=True)
    meter.update(torch.tensor([1.0, 2.0, 3.0]), BATCH)
    meter.update(torch.tensor([6.0]), BATCH)
    found = meter.result()
    assert found["loss"] == 3.0
    assert found["perplexity"] == pytest.approx(math.e**3)
    assert found["bits_per_character"] == pytest.approx(3 / math.log(2))
    twin = LanguageMeter(characters=False)
    twin.load(meter.state())
    assert twin.result() == {"loss": 3.0, "perplexity": found["perplexity"]}


def test_a_hopeless_loss_does_not_overflow():
    meter = LanguageMeter(characters=False)
    meter.update(torch.tensor([1e6]), BATCH)
    assert math.isfinite(meter.result()["perplexity"])

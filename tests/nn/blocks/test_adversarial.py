"""The worst change: its length, its direction, and rows that have none."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.nn import recurrent_layer
from tidegate.nn.blocks.adversarial import worst_change
from tidegate.nn.blocks.embedding import Embedding
from tidegate.tasks.text.network import TextNetwork

IDS = torch.tensor([[3, 7, 2, 5], [4, 6, 0, 0], [8, 0, 0, 0], [0, 0, 0, 0]])
BATCH = Batch(IDS, torch.tensor([4, 2, 1, 0]), torch.tensor([0, 1, 1, 0]))


def made(**options):
    torch.manual_seed(0)
    layer = recurrent_layer("lstm", 5, 4, batch_first=True)
    return TextNetwork(Embedding(20, 5), layer, "mean+max", 2, **options).double()


def changed(network, size):
    vectors = network.embed(BATCH)
    loss = network.loss(network.decide(vectors, BATCH), BATCH)
    return vectors.detach(), worst_change(loss, vectors, BATCH.lengths, size)


def test_each_row_moves_by_the_same_length_and_padding_does_not_move():
    vectors, change = changed(made(), 0.3)
    spread = (vectors.square().sum() / (7 * 5)).sqrt().item()
    lengths = change.flatten(1).norm(dim=1)
    assert lengths.tolist() == pytest.approx([0.3 * spread] * 3 + [0])
    assert not change[IDS == 0].any()


def test_no_other_direction_is_as_bad():
    network = made()
    vectors, worst = changed(network, 1e-3)

    def losses(change):
        scores = network.decide(vectors + change, BATCH)
        return F.cross_entropy(scores, BATCH.targets, reduction="none")[:3]

    torch.manual_seed(1)
    for _ in range(20):
        other = torch.randn_like(worst) * (IDS != 0)[..., None]
        norms = [part.flatten(1).norm(dim=1)[:, None, None] for part in (other, worst)]
        other = other / norms[0].clamp(min=1e-9) * norms[1]
        assert (losses(worst) > losses(other)).all()


def test_learning_from_it_adds_the_loss_of_the_changed_rows():
    network, plain = made(adversarial=0.3), made()
    vectors, change = changed(plain, 0.3)
    clean = plain.loss(plain.decide(vectors, BATCH), BATCH)
    hurt = plain.loss(plain.decide(vectors + change, BATCH), BATCH)
    loss, outputs = network.learn(BATCH)
    assert hurt > clean
    assert loss.item() == pytest.approx((clean + hurt).item())
    torch.testing.assert_close(outputs, plain(BATCH))


def test_vectors_that_are_frozen_can_be_changed_too():
    network = made(adversarial=0.3)
    network.embedding.words.weight.requires_grad_(False)
    loss, _ = network.learn(BATCH)
    loss.backward()
    assert loss > network.loss(network(BATCH), BATCH)
    assert network.embedding.words.weight.grad is None

"""The network of the text classifier: padding, neighbours and dropout do what they should."""

from __future__ import annotations

import pytest
import torch

from tidegate.batch import Batch
from tidegate.nn import recurrent_layer
from tidegate.nn.blocks.bag_of_ngrams import BagOfNgrams
from tidegate.nn.blocks.embedding import Embedding
from tidegate.nn.blocks.pooling import POOLINGS
from tidegate.tasks.text.network import TextNetwork


def network(pooling="mean+max", num_layers=1, **options):
    layer = recurrent_layer("lstm", 5, 4, num_layers, batch_first=True, bidirectional=True)
    embedding = Embedding(20, 5, word_dropout=0.5, dropout=0.5)
    return TextNetwork(embedding, layer, pooling, 3, **options).eval()


def test_scores_do_not_depend_on_padding_or_neighbours():
    net = network(num_layers=2)
    ids = torch.randint(1, 20, (4, 6))
    lengths = torch.tensor([6, 3, 1, 0])
    ids[torch.arange(6) >= lengths[:, None]] = 0
    together = net(Batch(ids, lengths))
    for row, length in enumerate(lengths.tolist()):
        steps = max(1, length)
        alone = net(Batch(ids[row : row + 1, :steps], lengths[row : row + 1]))
        torch.testing.assert_close(alone[0], together[row], atol=1e-6, rtol=1e-5)


def test_last_pooling_reads_where_each_direction_ended():
    net = network(pooling="last")
    ids, lengths = torch.tensor([[3, 7, 2, 0, 0]]), torch.tensor([3])
    vectors = net.embedding(ids)
    _, (hidden, _) = net.recurrent(vectors[:, :3])
    expected = net.head(torch.cat([hidden[0], hidden[1]], -1))
    torch.testing.assert_close(net(Batch(ids, lengths)), expected)


def test_a_wide_part_adds_its_scores_and_has_a_learning_rate_of_its_own():
    wide = BagOfNgrams(20, 0, 3)
    wide.ratios.normal_()
    net = network(wide=wide, wide_weight=2.0, wide_learning_rate=0.25)
    batch = Batch(torch.tensor([[3, 7, 3]]), torch.tensor([3]))
    together = net(batch)
    net.wide = None
    torch.testing.assert_close(together, net(batch) + 2 * wide(batch.values))
    net.wide = wide
    groups = net.groups(0.5, 0.1)
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert {rates[id(p)] for p in wide.parameters()} == {0.25}
    assert sum(len(group["params"]) for group in groups) == len(rates) == len([*net.parameters()])


def test_dropout_acts_in_training_only():
    net = network(dropout=0.5)
    batch = Batch(torch.randint(1, 20, (4, 6)), torch.full((4,), 6))
    assert torch.equal(net(batch), net(batch))
    net.train()
    assert not torch.equal(net(batch), net(batch))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_it_decides_on_what_it_embeds_to_the_last_bit(pooling):
    wide = BagOfNgrams(20, 0, 3)
    wide.ratios.normal_()
    net = network(pooling, wide=wide, wide_weight=0.5)
    batch = Batch(torch.tensor([[3, 7, 2], [5, 0, 0]]), torch.tensor([3, 1]))
    assert torch.equal(net.decide(net.embed(batch), batch), net(batch))
    assert net.embed(batch).shape == (2, 3, 5)


def test_what_goes_past_the_stack_is_the_wide_part():
    net = network(wide=(wide := BagOfNgrams(20, 0, 3)), wide_weight=2.0)
    wide.ratios.normal_()
    batch = Batch(torch.tensor([[3, 7, 3]]), torch.tensor([3]))
    torch.testing.assert_close(net.direct(batch), 2 * wide.contributions(batch.values))
    assert network().direct(batch) is None

"""SequenceNetwork against its parts, called one after the other."""

from __future__ import annotations

import pytest
import torch

from tidegate.batch import Batch
from tidegate.heads import ClassifyHead
from tidegate.nn import recurrent_layer
from tidegate.nn.blocks.convolution import Convolution
from tidegate.nn.blocks.pooling import Pooling
from tidegate.tasks.sequence.network import SequenceNetwork


def made(pooling="mean", *, front=True, **options):
    convolution = Convolution(2, 3, width=3) if front else None
    layer = recurrent_layer("gru", 5 if front else 2, 4, batch_first=True, bidirectional=True)
    pool = Pooling(pooling, 8 + (5 if front else 0), 8)
    return SequenceNetwork(
        convolution, layer, pool, ClassifyHead(pool.output_size, 3), **options
    ).eval()


def ragged():
    lengths = torch.tensor([6, 2, 4])
    values = torch.randn(3, 6, 2)
    values[torch.arange(6) >= lengths[:, None]] = 0
    return Batch(values, lengths)


def test_the_mean_of_a_row_is_over_what_was_found_and_what_was_made_of_it():
    network, batch = made(), ragged()
    for row, length in enumerate(batch.lengths.tolist()):
        x = batch.values[row : row + 1, :length]
        found = network.front(x, torch.ones(1, length, dtype=torch.bool))
        output, _ = network.recurrent(found)
        pooled = torch.cat([output, found], -1).mean(1)
        expected = network.head.linear(pooled)[0]
        torch.testing.assert_close(network(batch)[row], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("front", [True, False])
def test_the_last_state_is_that_of_both_directions(front):
    network, batch = made("last", front=front), ragged()
    _, hidden = network.recurrent(network.embed(batch), lengths=batch.lengths)
    expected = network.head.linear(torch.cat([hidden[0], hidden[1]], -1))
    torch.testing.assert_close(network(batch), expected, atol=1e-5, rtol=1e-5)


def test_noise_falls_on_steps_and_only_in_training():
    network, batch = made(front=False, noise=2.0), ragged()
    torch.testing.assert_close(network.embed(batch), batch.values)
    noisy = network.train().embed(batch)
    assert (noisy != batch.values)[batch.mask].all()
    assert not noisy[~batch.mask].any()
    many = Batch(torch.zeros(200, 10, 2), torch.full((200,), 10))
    assert float(network.embed(many).std()) == pytest.approx(2.0, rel=0.05)


def test_nothing_goes_past_the_vectors():
    network, batch = made("mean+max"), ragged()
    torch.testing.assert_close(network.decide(network.embed(batch), batch), network(batch))
    assert network.direct(batch) is None

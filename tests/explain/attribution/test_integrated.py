"""Integrated gradients against hand-made integrals, a plain sum over many points, and the sum."""

from __future__ import annotations

import pytest
import torch

from tests.explain.nets import Polynomial, ragged, text_net
from tidegate.batch import Batch
from tidegate.errors import InputError
from tidegate.explain import integrated_gradients
from tidegate.explain.network import silent, still, take_rows


@pytest.mark.parametrize("pooling", ["last", "mean", "mean+max", "attention"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("wide", [False, True])
def test_the_scores_add_up_to_the_change_of_the_output(cell, pooling, wide):
    network, batch = text_net(cell, pooling, wide=wide), ragged()
    found = integrated_gradients(network, batch)
    outputs = network.eval()(batch)
    torch.testing.assert_close(found.output, outputs.max(1).values)
    assert torch.equal(found.target, outputs.argmax(1))
    change = (found.output - found.baseline).abs()
    assert (found.gap.abs() <= 1e-3 * change.clamp(min=0.1)).all()
    assert not found.scores[~batch.mask].any()
    assert found.scores[batch.mask].all()


def test_the_baseline_is_the_answer_to_a_text_of_unknown_words():
    network, batch = text_net(wide=True), ragged()
    found = integrated_gradients(network, batch, 1)
    torch.testing.assert_close(found.baseline, network.eval()(silent(batch))[:, 1])


def test_an_unknown_word_without_n_grams_gets_nothing():
    batch = Batch(torch.tensor([[5, 1, 7]]), torch.tensor([3]))
    scores = integrated_gradients(text_net(wide=True), batch).scores[0]
    assert scores[1] == 0
    assert scores[[0, 2]].all()


def test_a_polynomial_is_integrated_as_by_hand():
    network = Polynomial(4)
    batch = Batch(torch.randn(3, 4, 1, dtype=torch.float64), torch.tensor([4, 2, 0]))
    found = integrated_gradients(network, batch, [0, 1, 1])
    for row, target in enumerate([0, 1, 1]):
        values = batch.values[row, :, 0]
        expected = network.squares[:, target] * values**2 + network.slopes[:, target] * values
        expected = expected.detach() * batch.mask[row]
        torch.testing.assert_close(found.scores[row], expected)


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_it_is_the_integral_of_the_gradient(pooling):
    network, batch = text_net(pooling=pooling), ragged((5, 3))
    found = integrated_gradients(network, batch, 2, tolerance=1e-4)
    with still(network):
        start, end = network.embed(silent(batch)).detach(), network.embed(batch).detach()
        total = torch.zeros_like(end)
        points = 2000
        for shares in ((torch.arange(points) + 0.5) / points).split(100):
            many = take_rows(batch, torch.arange(2).repeat(len(shares)))
            vectors = (start + shares.view(-1, 1, 1, 1) * (end - start)).flatten(0, 1)
            output = network.decide(vectors.requires_grad_(), many)[:, 2].sum()
            slopes = torch.autograd.grad(output, vectors)[0]
            total += slopes.unflatten(0, (len(shares), 2)).sum(0) / points
    expected = (total * (end - start)).sum(-1)
    torch.testing.assert_close(found.scores, expected, atol=2e-3, rtol=2e-3)


def test_neighbours_and_padding_change_nothing():
    network, batch = text_net(wide=True), ragged()
    together = integrated_gradients(network, batch)
    for row, length in enumerate(batch.lengths.tolist()):
        alone = take_rows(batch, torch.tensor([row]))
        alone = Batch(alone.values[:, : max(1, length)], alone.lengths)
        scores = integrated_gradients(network, alone).scores[0]
        torch.testing.assert_close(scores[:length], together.scores[row, :length])


def test_points_are_added_where_the_tolerance_asks_for_them():
    network, batch = text_net(pooling="max"), ragged((7, 3))
    rough = integrated_gradients(network, batch, steps=2, tolerance=0.5)
    fine = integrated_gradients(network, batch, steps=2, tolerance=1e-5)
    assert (fine.asked > 4 * rough.asked).all()
    assert (fine.gap.abs() <= 1e-5 * (fine.output - fine.baseline).abs().clamp(min=0.1)).all()


def test_the_network_is_left_as_it_was():
    network = text_net().train()
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    integrated_gradients(network, ragged())
    assert network.training
    assert all(torch.equal(before[n], weight) for n, weight in network.state_dict().items())
    assert all(weight.grad is None and weight.requires_grad for weight in network.parameters())


@pytest.mark.parametrize("target", [3, -1, [0, 1], 0.5, "spam", True, [[0]], torch.tensor([9] * 4)])
def test_an_output_that_does_not_exist_is_refused(target):
    with pytest.raises(InputError, match="`target` must be the number of an output, 0 to 2"):
        integrated_gradients(text_net(), ragged(), target)


def test_wrong_steps_are_refused():
    with pytest.raises(InputError, match="`steps` must be an integer >= 1; got 0"):
        integrated_gradients(text_net(), ragged(), steps=0)

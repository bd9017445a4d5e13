"""Learning a problem of memory: rows, loss, stop, and what is reported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tidegate.batch import Batch
from tidegate.datasets import AddingProblem, CopyMemory, SequentialDigits, TemporalOrder
from tidegate.demo.recall import LOOK, RecallNetwork, Recipe, Recollection, Supply, Variant, learn

LSTM = Variant("LSTM", "lstm")
PROBLEMS = (AddingProblem(6), CopyMemory(2, symbols=2), TemporalOrder(10), SequentialDigits())


def test_no_batch_of_a_supply_comes_twice_and_each_can_be_drawn_again():
    supply = Supply(AddingProblem(5).sample, 4, 3, seed=7)
    drawn = [rows for epoch in range(3) for rows in supply.epoch(epoch)]
    assert np.concatenate(drawn).tolist() == list(range(36))
    assert [len(rows) for rows in drawn] == [4] * 9
    values = [supply.batch(rows).values for rows in drawn]
    assert len({value.numpy().tobytes() for value in values}) == 9
    torch.testing.assert_close(supply.batch(drawn[5]).values, values[5], rtol=0, atol=0)
    other = Supply(AddingProblem(5).sample, 4, 3, seed=8)
    assert not torch.equal(other.batch(drawn[5]).values, values[5])
    assert supply.fingerprint() != other.fingerprint()
    assert [rows.tolist() for rows in supply.in_order()] == [r.tolist() for r in supply.epoch(0)]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.title)
def test_the_loss_is_the_one_that_the_baseline_is_of(problem):
    torch.manual_seed(0)
    network = RecallNetwork(problem, LSTM, 5)
    batch = Supply(problem.sample, 6, 1, seed=0).batch(np.arange(6))
    outputs = network(batch)
    loss = network.loss(outputs, batch)
    answers, truth = outputs.detach().double().numpy(), batch.targets.numpy()
    if problem.outputs == 1:
        assert answers.shape == (6, 1)
        expected = np.mean([(a - b) ** 2 for a, b in zip(answers[:, 0], truth, strict=True)])
    else:
        assert answers.shape == (*truth.shape, problem.outputs)
        flat = answers.reshape(-1, problem.outputs)
        shares = np.exp(flat) / np.exp(flat).sum(1, keepdims=True)
        right = [share[index] for share, index in zip(shares, truth.flat, strict=True)]
        expected = -np.mean(np.log(right))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_a_meter_adds_up_batches_by_their_rows():
    problem = TemporalOrder(10)
    network = RecallNetwork(problem, LSTM, 5)
    values, orders = (torch.from_numpy(part) for part in problem.sample(9, np.random.default_rng()))
    scores = torch.randn(9, 4)
    meter = network.meter()
    for rows in (slice(0, 2), slice(2, 9)):
        lengths = torch.full((len(orders[rows]),), 10)
        meter.update(scores[rows], Batch(values[rows], lengths, orders[rows]))
    expected = torch.nn.functional.cross_entropy(scores, orders).item()
    assert meter.result()["loss"] == pytest.approx(expected, rel=1e-5)
    assert meter.result()["accuracy"] == pytest.approx((scores.argmax(1) == orders).sum() / 9)
    kept = network.meter()
    kept.load(meter.state())
    assert kept.result() == pytest.approx(meter.result())


def test_chrono_takes_its_lag_from_the_problem():
    variant = Variant("chrono", "lstm", {"init": "chrono"})
    layer = RecallNetwork(CopyMemory(80, symbols=10), variant, 400).recurrent
    assert layer.options.max_lag == 90
    forget = layer.bias_ih_l0.detach()[400:800]
    # ln U(1, 89), so never above ln 89, and half of it above ln 45.
    assert 0 <= forget.min() <= forget.max() <= np.log(89)
    assert 0.4 < (forget > np.log(45)).float().mean() < 0.6


def test_learning_ends_when_it_is_solved_and_reports_fresh_rows():
    problem = CopyMemory(1, symbols=1)
    recipe = Recipe(updates=40 * LOOK, hidden_size=16)
    random = torch.random.get_rng_state()
    result = learn(problem, LSTM, recipe, until=0.02)
    assert torch.equal(torch.random.get_rng_state(), random)
    assert result.losses[-1] < 0.02 <= min(result.losses[:-1])
    assert result.updates_to(0.02) == LOOK * len(result.losses) < recipe.updates
    assert result.loss < 0.03
    assert result.accuracy > 0.99
    assert result.seconds > 0
    again = learn(problem, LSTM, recipe, until=0.02)
    assert (again.losses, again.loss) == (result.losses, result.loss)


def test_the_rate_of_a_variant_multiplies_that_of_the_recipe():
    problem, recipe = AddingProblem(6), Recipe(updates=LOOK, hidden_size=4, learning_rate=0.01)
    slow = learn(problem, Variant("LSTM", "lstm", rate=0.3), recipe, until=0.0)
    same = learn(problem, LSTM, replace(recipe, learning_rate=0.3 * 0.01), until=0.0)
    assert slow.losses == same.losses != learn(problem, LSTM, recipe, until=0.0).losses


def test_learning_ends_when_the_updates_are_used_up():
    seen = []
    recipe = Recipe(updates=2 * LOOK, hidden_size=4, batch_size=3)
    result = learn(AddingProblem(6), LSTM, recipe, until=0.0, callbacks=[seen.append])
    assert len(result.losses) == 2
    assert sum(event.kind == "batch" for event in seen) == 2 * LOOK
    assert result.updates_to(0.0) is None
    assert result.accuracy is None
    # What did best on the held-out rows is what is measured.
    assert result.loss == pytest.approx(min(result.losses), rel=0.01)


def test_updates_are_counted_to_the_first_look_below():
    result = Recollection([0.5, 0.1, 0.3, 0.05], 0.05, None, 1.0)
    assert [result.updates_to(x) for x in (0.6, 0.2, 0.1, 0.01)] == [LOOK, 2 * LOOK, 4 * LOOK, None]

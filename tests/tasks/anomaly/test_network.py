"""AnomalyNetwork: its loss against scipy's Student t, and what does not count."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from tidegate.batch import Batch
from tidegate.nn import GRU
from tidegate.tasks.anomaly.network import AnomalyNetwork


@pytest.fixture
def case() -> tuple[AnomalyNetwork, Batch]:
    torch.manual_seed(0)
    network = AnomalyNetwork(GRU(3, 5, batch_first=True), targets=4, skip=2)
    targets = torch.randn(3, 9, 4)
    targets[0, 4, 1] = float("nan")
    return network, Batch(torch.randn(3, 9, 3), torch.tensor([9, 6, 0]), targets)


def by_hand(network: AnomalyNetwork, batch: Batch) -> tuple[list[float], list[float]]:
    outputs = network(batch).detach().numpy()
    losses, errors = [], []
    for row, length in enumerate(batch.lengths.tolist()):
        for step in range(2, length):
            for place, target in enumerate(batch.targets[row, step].tolist()):
                if not np.isnan(target):
                    mean, scale = outputs[row, step, place]
                    law = stats.t(4, loc=mean, scale=np.exp(scale))
                    losses.append(-law.logpdf(target) + stats.t(4).logpdf(0))
                    errors.append(abs(target - mean))
    return losses, errors


def test_the_loss_is_the_likelihood_of_a_student_t_over_what_is_known(case):
    network, batch = case
    losses, _ = by_hand(network, batch)
    assert network.loss(network(batch), batch).item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_the_meter_weighs_batches_by_their_known_targets(case):
    network, batch = case
    meter = network.meter()
    parts = [
        Batch(batch.values[rows], batch.lengths[rows], batch.targets[rows])
        for rows in ([0], [1, 2])
    ]
    for part in parts:
        meter.update(network(part), part)
    losses, errors = by_hand(network, batch)
    again = network.meter()
    again.load(meter.state())
    assert again.result() == pytest.approx(
        {"loss": np.mean(losses), "mae": np.mean(errors)}, rel=1e-5
    )


def test_without_a_known_target_there_is_no_gradient_and_no_division_by_zero(case):
    network, batch = case
    nothing = Batch(batch.values, batch.lengths, torch.full_like(batch.targets, float("nan")))
    loss = network.loss(network(nothing), nothing)
    loss.backward()
    assert loss.item() == 0.0
    assert all((p.grad == 0).all() for p in network.parameters())


def test_an_outlier_does_not_rule_the_gradient(case):
    network, batch = case
    steepest = 0.0
    for target in (1.0, 10.0, 1e6):
        batch.targets[0, 5, 0] = target
        network.zero_grad()
        network.loss(network(batch), batch).backward()
        steepest = max(steepest, network.head.bias.grad.abs().max().item())
    assert steepest < 1.0

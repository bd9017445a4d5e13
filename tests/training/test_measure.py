"""Measuring: every row once, in evaluation mode, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

from tests.toys import ToyNetwork, ToyRows
from tidegate.training.measure import Network, answers, measure


def test_measuring_agrees_with_scikit_learn_and_leaves_the_mode():
    network, rows = ToyNetwork().train(), ToyRows()
    result = measure(network, rows).result()
    assert network.training
    network.eval()
    with torch.no_grad():
        scores = network(rows.batch(np.arange(len(rows)))).double()
    truth = rows.targets.numpy()
    assert result["accuracy"] == accuracy_score(truth, scores.argmax(1))
    assert result["loss"] == pytest.approx(log_loss(truth, scores.softmax(1)), rel=1e-6)


def test_answers_cover_every_row_once():
    network, rows = ToyNetwork(), ToyRows()
    seen = np.concatenate([chosen for chosen, _, _ in answers(network, rows)])
    assert sorted(seen.tolist()) == list(range(len(rows)))


def test_only_matrices_decay_and_embeddings_are_not_clipped():
    network = ToyNetwork()
    groups = network.groups(0.01, 0.5)
    found = {
        id(p): (group["weight_decay"], group["clip"]) for group in groups for p in group["params"]
    }
    assert found == {
        id(network.table.weight): (0.0, False),
        id(network.hidden.weight): (0.5, True),
        id(network.hidden.bias): (0.0, True),
        id(network.head.linear.weight): (0.5, True),
        id(network.head.linear.bias): (0.0, True),
    }
    assert {group["lr"] for group in groups} == {0.01}


def test_frozen_parameters_are_left_out():
    network = ToyNetwork()
    network.table.weight.requires_grad_(False)
    groups = network.groups(0.01, 0.5)
    assert all(p is not network.table.weight for group in groups for p in group["params"])


def test_a_network_must_write_its_loss_and_meter():
    with pytest.raises(NotImplementedError):
        Network().loss(torch.zeros(1), ToyRows().batch(np.arange(1)))
    with pytest.raises(NotImplementedError):
        Network().meter()

"""Measuring: every row once, in evaluation mode, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

from tests.toys import ToyNetwork, ToyRows
from tidegate.training.measure import answers, measure


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

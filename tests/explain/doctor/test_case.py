"""What a case says of its rows."""

from __future__ import annotations

import torch

from tests.explain.patients import batch, case, network
from tidegate.batch import Batch


def test_targets_and_outputs_follow_the_rows():
    net, batches = network(), [batch(5), batch(3, seed=1)]
    made = case(net, batches=batches)
    assert made.rows == 8
    assert made.targets.tolist() == [0, 1, 0, 1, 0, 0, 1, 0]
    with torch.no_grad():
        expected = torch.cat([net(part) for part in batches])
    torch.testing.assert_close(made.outputs, expected)


def test_targets_of_some_rows_are_targets_of_none():
    rows = batch(5)
    assert case(batches=[rows, Batch(rows.values, rows.lengths)]).targets is None
    assert case(batches=()).targets is None


def test_only_an_inspectable_network_shows_its_stack():
    net = network()
    assert case(net).stack is net.recurrent
    assert case(torch.nn.Linear(2, 2)).stack is None

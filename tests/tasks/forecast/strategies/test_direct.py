"""Direct forecasts against torch.nn: from the last states, all steps or each with its features."""

from __future__ import annotations

import pytest
import torch

from tests.tasks.forecasting import build, peer, windows


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_all_steps_are_a_line_on_the_final_states(cell, bidirectional):
    network = build(strategy="direct", targets=1, cell=cell, bidirectional=bidirectional)
    rows = windows(targets=1, lengths=[11, 7, 1])
    strategy = network.strategy
    layer = peer(strategy.recurrent)
    for row, length in enumerate([11, 7, 1]):
        past = rows.values[row : row + 1, :length]
        _, state = layer(past - past[:, -1:])
        hidden = state[0] if cell == "lstm" else state
        final = torch.cat(list(hidden[:, 0]))
        expected = strategy.head.linear(final) + past[0, -1]
        torch.testing.assert_close(network(rows)[row].flatten(), expected)


def test_with_known_features_each_step_has_its_place_and_its_features():
    network = build(strategy="direct", targets=1, cell="gru", known=2, static=3)
    rows = windows(targets=1, known=2, static=3)
    strategy = network.strategy
    gru = peer(strategy.recurrent)
    for row in range(3):
        past = rows.values[row].clone()
        past[:, 0] -= past[-1, 0]
        same = strategy.context.static(rows.static[row]).expand(11, -1)
        _, hidden = gru(torch.cat([past, same], 1)[None])
        for step in range(7):
            place = strategy.position.weight[step] + strategy.known(rows.known[row, step])
            features = (strategy.state(hidden[0, 0]) + place).relu()
            expected = strategy.head.linear(features) + rows.values[row, -1, 0]
            torch.testing.assert_close(network(rows)[row, step].flatten(), expected)

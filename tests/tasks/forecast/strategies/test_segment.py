"""Segments against the equations of the paper, worked with torch.nn, one window at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.tasks.forecasting import build, peer, windows


@pytest.mark.parametrize("lengths", [[9, 9], [8, 4]])
def test_segments_are_those_of_the_paper(lengths):
    network = build(targets=1, cell="gru", lookback=9, horizon=6, dropout=0.3)
    rows = windows(2, targets=1, lengths=lengths)
    strategy = network.strategy
    gru = peer(strategy.recurrent)
    for row, length in enumerate(lengths):
        past = rows.values[row, :length]
        pieces = torch.cat([torch.zeros(-length % 3, 1), past - past[-1]]).view(1, -1, 3)
        _, hidden = gru(strategy.embedding(pieces).relu())
        expected = [
            strategy.head.linear(gru(place[None, None], hidden)[0][0, 0])
            for place in strategy.position.weight
        ]
        found = network(replace(rows, targets=None, ahead=6))[row].flatten()
        torch.testing.assert_close(found, torch.cat(expected) + past[-1])


def test_known_features_and_the_series_are_added_to_the_place_of_a_segment():
    network = build(targets=1, cell="lstm", known=2, static=3, linear=False)
    rows = windows(targets=1, known=2, static=3)
    strategy = network.strategy
    lstm = peer(strategy.recurrent)
    for row in range(3):
        past = rows.values[row].clone()
        past[:, 0] -= past[-1, 0]
        pieces = torch.cat([torch.zeros(1, 3), past]).view(1, 4, 9)
        _, state = lstm(strategy.embedding(pieces).relu())
        known = torch.cat([rows.known[row], torch.zeros(2, 2)]).view(3, 6)
        places = strategy.position.weight + strategy.known(known)
        places = places + strategy.context.static(rows.static[row])
        expected = [strategy.head.linear(lstm(x[None, None], state)[0][0, 0]) for x in places]
        found = network(replace(rows, targets=None))[row].flatten()
        torch.testing.assert_close(found, torch.cat(expected)[:7] + rows.values[row, -1, 0])


def test_a_window_touches_so_many_segments():
    strategy = build(segment=4).strategy
    assert strategy.steps(torch.tensor([0, 1, 4, 5, 11])).tolist() == [0, 1, 1, 2, 3]

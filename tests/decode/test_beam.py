"""Beam search against searches of everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tidegate.decode.beam import Beam, beam_search


class Chain:
    """A made-up model of order two: the next symbol's probabilities hang on the last two."""

    def __init__(self, size, seed):
        self.logs = np.log(np.random.default_rng(seed).dirichlet(np.ones(size), (size, size)))
        self.rows = [(0, 0)]

    def first(self):
        return self.logs[0, 0]

    def advance(self, ids, rows):
        self.rows = [(self.rows[row][1], symbol) for symbol, row in zip(ids, rows, strict=True)]
        return np.stack([self.logs[row] for row in self.rows])

    def total(self, ids):
        before = (0, 0, *ids)
        return sum(self.logs[before[i], before[i + 1], symbol] for i, symbol in enumerate(ids))


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_finds_what_a_search_of_everything_finds(seed):
    size, length = 3, 5
    chain = Chain(size, seed)
    best = max(itertools.product(range(size), repeat=length), key=chain.total)
    found = beam_search(
        chain.first(), chain.advance, width=size**length, length=length, ended=lambda _: False
    )
    assert found.ids == best
    assert found.total == pytest.approx(chain.total(best))


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_finds_the_best_that_ends(seed):
    """Symbol 2 ends a continuation."""
    size, length = 3, 5
    chain = Chain(size, seed)
    whole = [
        ids
        for n in range(1, length + 1)
        for ids in itertools.product(range(size), repeat=n)
        if 2 not in ids[:-1] and (n == length or ids[-1] == 2)
    ]
    best = max(whole, key=lambda ids: chain.total(ids) / len(ids))
    found = beam_search(
        chain.first(), chain.advance, width=100, length=length, ended=lambda ids: ids[-1] == 2
    )
    assert found.ids == best


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_one_is_greedy_and_a_wider_one_no_worse_than_it(seed):
    chain = Chain(4, seed)
    narrow = beam_search(chain.first(), chain.advance, width=1, length=9, ended=lambda _: False)
    last = (0, 0)
    for symbol in narrow.ids:
        assert symbol == chain.logs[last].argmax()
        last = (last[1], symbol)
    chain = Chain(4, seed)
    wide = beam_search(chain.first(), chain.advance, width=64, length=9, ended=lambda _: False)
    assert wide.total >= narrow.total
    assert wide.mean == wide.total / 9


def test_scores_need_not_be_scaled_and_what_is_forbidden_is_not_taken():
    scores = np.array([-np.inf, 5.0, 3.0])
    found = beam_search(
        scores, lambda ids, _: scores[None].repeat(len(ids), 0), width=5, length=2,
        ended=lambda _: False,
    )  # fmt: skip
    assert found == Beam((1, 1), pytest.approx(2 * np.log(1 / (1 + np.exp(-2)))))

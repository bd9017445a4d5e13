"""Viterbi against the scores of all rows of tags, written out."""

from __future__ import annotations

import itertools

import pytest
import torch

from tidegate.decode.viterbi import viterbi

K = 3
LENGTHS = torch.tensor([4, 0, 1, 5, 2])


def chain(seed, dtype=torch.float64):
    """Emissions, and the scores of transitions, starts and ends."""
    made = torch.Generator().manual_seed(seed)
    emissions, *moves = (
        torch.randn(shape, generator=made, dtype=dtype)
        for shape in ((len(LENGTHS), 5, K), (K, K), (K,), (K,))
    )
    return emissions, dict(zip(("transitions", "start", "end"), moves, strict=True))


def forbid(moves):
    """Tag 2 only after tag 1, never first; a row does not end with tag 1."""
    moves["transitions"][[0, 2], 2] = -torch.inf
    moves["start"][2] = moves["end"][1] = -torch.inf


def best_row(emissions, moves):
    """The row of tags whose score, by the definition, is the highest of all."""

    def score(path):
        total = moves["start"][path[0]] + moves["end"][path[-1]]
        total += sum(emissions[step, tag] for step, tag in enumerate(path))
        return total + sum(moves["transitions"][pair] for pair in itertools.pairwise(path))

    return max(itertools.product(range(K), repeat=len(emissions)), key=score)


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_best_of_all_rows_of_tags(constrained, dtype):
    for seed in range(20):
        emissions, moves = chain(seed, dtype)
        if constrained:
            forbid(moves)
        found = viterbi(emissions, LENGTHS, **moves)
        for row, length in enumerate(LENGTHS.tolist()):
            expected = best_row(emissions[row, :length], moves) if length else ()
            assert tuple(found[row, :length].tolist()) == expected
            assert not found[row, length:].any()


def test_what_stands_past_a_rows_end_is_not_read():
    emissions, moves = chain(0)
    past = torch.arange(5) >= LENGTHS[:, None]
    poisoned = emissions.masked_fill(past[..., None], torch.nan)
    assert torch.equal(viterbi(poisoned, LENGTHS, **moves), viterbi(emissions, LENGTHS, **moves))


def test_a_row_is_decoded_as_it_would_be_alone():
    emissions, moves = chain(1)
    found = viterbi(emissions, LENGTHS, **moves)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = viterbi(emissions[row : row + 1, :length], LENGTHS[row : row + 1], **moves)
        assert torch.equal(alone[0], found[row, :length])


@pytest.mark.parametrize("shape", [(0, 4, K), (3, 0, K)])
def test_a_batch_of_nothing(shape):
    _, moves = chain(2)
    lengths = torch.zeros(shape[0], dtype=torch.int64)
    found = viterbi(torch.zeros(shape, dtype=torch.float64), lengths, **moves)
    assert found.shape == shape[:2]
    assert found.dtype == torch.int64


def test_no_gradient_is_kept():
    emissions, moves = chain(3)
    assert not viterbi(emissions.requires_grad_(), LENGTHS, **moves).requires_grad

"""Pooling against numbers worked by hand, and against what padding and batching must not change."""

from __future__ import annotations

import math

import pytest
import torch

from tidegate.errors import InputError
from tidegate.nn.blocks.pooling import POOLINGS, Pooling

# Three rows of two features: 3, 1 and 0 valid steps. The 9s and NaNs are padding.
OUTPUT = torch.tensor(
    [
        [[1.0, -2.0], [4.0, -5.0], [1.0, -2.0]],
        [[-3.0, 7.0], [9.0, 9.0], [torch.nan, torch.inf]],
        [[9.0, 9.0], [9.0, 9.0], [9.0, 9.0]],
    ]
)
LENGTHS = torch.tensor([3, 1, 0])
BY_HAND = {
    "mean": [[2.0, -3.0], [-3.0, 7.0], [0.0, 0.0]],
    "max": [[4.0, -2.0], [-3.0, 7.0], [0.0, 0.0]],
    "mean+max": [[2.0, -3.0, 4.0, -2.0], [-3.0, 7.0, -3.0, 7.0], [0.0] * 4],
}


@pytest.mark.parametrize("mode", BY_HAND)
def test_pooling_gives_the_numbers_worked_by_hand(mode):
    pool = Pooling(mode, 2)
    assert pool(OUTPUT, LENGTHS).tolist() == BY_HAND[mode]
    assert pool.output_size == len(BY_HAND[mode][0])


def test_last_puts_the_final_states_of_both_directions_side_by_side():
    final = torch.arange(12.0).view(2, 3, 2)
    pool = Pooling("last", 4, final_features=4)
    assert pool(OUTPUT, LENGTHS, final).tolist() == [
        [0.0, 1.0, 6.0, 7.0],
        [2.0, 3.0, 8.0, 9.0],
        [4.0, 5.0, 10.0, 11.0],
    ]
    assert pool.output_size == 4


def test_last_asks_for_the_final_states():
    with pytest.raises(InputError, match=r"Pooling: `final` must be the final states"):
        Pooling("last", 2)(OUTPUT, LENGTHS)


def test_attention_gives_the_numbers_worked_by_hand():
    pool = Pooling("attention", 2)
    with torch.no_grad():
        pool.project.weight.copy_(torch.eye(2))
        pool.project.bias.copy_(torch.tensor([0.5, 0.0]))
        pool.query.weight.copy_(torch.tensor([[2.0, 1.0]]))
    scores = [2 * math.tanh(x + 0.5) + math.tanh(y) for x, y in OUTPUT[0].tolist()]
    shares = [math.exp(score) / sum(map(math.exp, scores)) for score in scores]
    expected = [
        sum(share * step[i] for share, step in zip(shares, OUTPUT[0].tolist(), strict=True))
        for i in range(2)
    ]
    found = pool(OUTPUT, LENGTHS)
    assert found[0].tolist() == pytest.approx(expected, rel=1e-6)
    assert found[1].tolist() == [-3.0, 7.0]  # one step gets all the attention
    assert found[2].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("mode", POOLINGS)
def test_a_row_is_pooled_alike_alone_and_in_a_longer_batch(mode):
    torch.manual_seed(3)
    output, final = torch.randn(5, 7, 3), torch.randn(2, 5, 3)
    lengths = torch.tensor([7, 2, 5, 1, 3])
    pool = Pooling(mode, 3, final_features=6)
    together = pool(output, lengths, final)
    for row, length in enumerate(lengths.tolist()):
        alone = pool(
            output[row : row + 1, :length], lengths[row : row + 1], final[:, row : row + 1]
        )
        torch.testing.assert_close(alone[0], together[row])


@pytest.mark.parametrize("mode", POOLINGS[1:])
def test_gradients_are_right_and_none_reaches_padding(mode):
    torch.manual_seed(4)
    lengths = torch.tensor([4, 0, 2])
    output = torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True)
    pool = Pooling(mode, 2).double()
    assert torch.autograd.gradcheck(lambda x: pool(x, lengths), (output,))
    pool(output, lengths).sum().backward()
    assert output.grad is not None
    assert not output.grad[1].any()
    assert not output.grad[2, 2:].any()


def test_an_unknown_mode_is_refused_with_a_hint():
    with pytest.raises(InputError, match=r"`mode` must be one of .* got 'maxx'. Did you mean"):
        Pooling("maxx", 2)

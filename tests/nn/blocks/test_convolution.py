"""Convolution against a plain loop over steps, and against what padding must not change."""

from __future__ import annotations

import pytest
import torch

from tidegate.errors import InputError
from tidegate.nn.blocks.convolution import Convolution


def by_loop(front, x, lengths):
    """The same by its definition: a sum over the steps of the window, one step at a time."""
    found = given = [row[:length] for row, length in zip(x, lengths, strict=True)]
    for convolve, norm in zip(front.convolutions, front.norms, strict=True):
        sums = [_summed(convolve, row) for row in found]
        steps = torch.cat(sums)
        centre, variance = norm.running_mean, norm.running_var
        if front.training:
            centre, variance = steps.mean(0), steps.var(0, correction=0)
        scaled = (steps - centre) / (variance + norm.eps).sqrt() * norm.weight + norm.bias
        found = scaled.relu().split([len(row) for row in found])
    whole = [torch.cat(pair, -1) for pair in zip(given, found, strict=True)]
    return torch.nn.utils.rnn.pad_sequence(whole, batch_first=True)


def _summed(convolve, row):
    half = convolve.kernel_size[0] // 2
    steps = []
    for t in range(len(row)):
        total = convolve.bias.clone()
        for k in range(-half, half + 1):
            if 0 <= t + k < len(row):
                total = total + convolve.weight[:, :, half + k] @ row[t + k]
        steps.append(total)
    return torch.stack(steps)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("width", [1, 5])
def test_it_is_the_sum_over_neighbouring_steps(width, layers, training):
    front = Convolution(2, 3, width=width, layers=layers)
    for norm in front.norms:
        for part in (norm.weight, norm.bias, norm.running_mean):
            torch.nn.init.normal_(part)
        torch.nn.init.uniform_(norm.running_var, 0.5, 2)
    x, lengths = torch.randn(3, 7, 2), torch.tensor([7, 1, 4])
    mask = torch.arange(7) < lengths[:, None]
    expected = by_loop(front.train(training), x, lengths)
    found = front(x, mask)
    assert found.shape[-1] == front.output_size == 5
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_a_single_step_is_normalised_by_what_came_before():
    front = Convolution(1, 4, width=3)
    x, mask = torch.randn(1, 1, 1), torch.ones(1, 1, dtype=torch.bool)
    found = front(x, mask)
    torch.testing.assert_close(found, front.eval()(x, mask))


def test_what_stands_past_the_end_is_not_read():
    front = Convolution(1, 4, width=3, layers=2)
    x = torch.randn(1, 6, 1)
    mask = torch.tensor([[True] * 4 + [False] * 2])
    dirty = x.clone()
    dirty[0, 4:] = torch.nan
    torch.testing.assert_close(front(dirty, mask)[:, :4], front(x[:, :4], mask[:, :4]))
    assert not front(dirty, mask)[:, 4:].any()


def test_an_even_width_is_refused():
    with pytest.raises(InputError, match=r"`width` must be odd and >= 1; got 4. Pass 3 or 5"):
        Convolution(1, 1, width=4)

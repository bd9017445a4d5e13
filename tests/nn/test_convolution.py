"""Convolution against a plain loop over steps, and against what padding must not change."""

from __future__ import annotations

import pytest
import torch

from tidegate.errors import InputError
from tidegate.nn.convolution import Convolution


def by_loop(front, x, lengths):
    """The same by its definition: a sum over the steps of the window, one step at a time."""
    rows = []
    for row, length in zip(x, lengths, strict=True):
        found = given = row[:length]
        for convolve, norm in zip(front.convolutions, front.norms, strict=True):
            half = convolve.kernel_size[0] // 2
            steps = []
            for t in range(length):
                total = convolve.bias.clone()
                for k in range(-half, half + 1):
                    if 0 <= t + k < length:
                        total = total + convolve.weight[:, :, half + k] @ found[t + k]
                centred = total - total.mean()
                scaled = centred / (centred.square().mean() + norm.eps).sqrt()
                steps.append((scaled * norm.weight + norm.bias).relu())
            found = torch.stack(steps)
        rows.append(torch.cat([given, found], -1))
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("width", [1, 5])
def test_it_is_the_sum_over_neighbouring_steps(width, layers):
    front = Convolution(2, 3, width=width, layers=layers)
    for norm in front.norms:
        torch.nn.init.normal_(norm.weight)
        torch.nn.init.normal_(norm.bias)
    x, lengths = torch.randn(3, 7, 2), torch.tensor([7, 1, 4])
    mask = torch.arange(7) < lengths[:, None]
    found = front(x, mask)
    assert found.shape[-1] == front.output_size == 5
    torch.testing.assert_close(found, by_loop(front, x, lengths), atol=1e-5, rtol=1e-5)


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

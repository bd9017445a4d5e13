"""Convolution: each step sees its neighbours before a recurrent layer reads it."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.errors import InputError, message


class Convolution(nn.Module):
    """Convolutions along the steps, the same number of steps out as in.

    Axis letters: B rows, T steps, D features, F filters, W width.

    y = relu(norm(conv(x))) for each layer, where conv sums W steps around each one and norm is
    batch normalisation over the real steps of all rows (Ioffe & Szegedy 2015). The values
    themselves go on beside what was found: the output is [x, y].

    What stands past a row's end is never read: a row's answer does not depend on its padding.

    Args:
        features: D.
        filters: F.
        width: W, odd: as many steps before as after.
        layers: Convolutions on top of each other, at least 1.

    Raises:
        InputError: If the width is even.

    Example:
        >>> front = Convolution(2, 8, width=5)
        >>> front(torch.zeros(1, 9, 2), torch.ones(1, 9, dtype=torch.bool)).shape
        torch.Size([1, 9, 10])
    """

    def __init__(self, features: int, filters: int, *, width: int, layers: int = 1) -> None:
        super().__init__()
        if width < 1 or width % 2 == 0:
            remedy = f"Pass {max(1, width - 1)} or {width + 1}"
            raise InputError(message("Convolution", "width", "odd and >= 1", width, remedy))
        sizes = [features, *[filters] * layers]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, width, padding=width // 2) for before, after in pairwise(sizes)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(filters) for _ in range(layers))
        self.output_size = features + filters

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Convolve.

        Args:
            values: `[B, T, D]`.
            mask: Which steps are real, `[B, T]` bool.

        Returns:
            `[B, T, D + F]`, zeros where there is no step.
        """
        found = values = values.masked_fill(~mask[..., None], 0.0)
        for convolve, norm in zip(self.convolutions, self.norms, strict=True):
            sums = convolve(found.transpose(1, 2)).transpose(1, 2)
            found = torch.zeros_like(sums).masked_scatter(
                mask[..., None], torch.relu(_normalised(norm, sums[mask]))
            )
        return torch.cat([values, found], -1)


def _normalised(norm: nn.Module, steps: Tensor) -> Tensor:
    """Normalise steps `[N, F]`; a single one has no deviation of its own."""
    assert isinstance(norm, nn.BatchNorm1d)
    if norm.training and len(steps) > 1:
        scaled: Tensor = norm(steps)
        return scaled
    return F.batch_norm(
        steps, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
    )

"""Dropout whose masks come from the generator of the work that goes on."""

from __future__ import annotations

from torch import Tensor, nn

from tidegate.device import dropout


class Dropout(nn.Dropout):
    """Put features to zero in training, drawn from the generators of a fit.

    That of torch draws from one generator for the whole process, so that fits in several threads
    would mix.

    Args:
        p: The probability.

    Example:
        >>> import torch
        >>> Dropout(0.5).eval()(torch.ones(2))
        tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Drop features of any shape."""
        return dropout(input, self.p, self.training)

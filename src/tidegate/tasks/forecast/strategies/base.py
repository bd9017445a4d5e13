"""Strategy: how a recurrent net gets from a window to the steps that follow, and what it reads."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tidegate.heads.forecast import ForecastHead
from tidegate.nn import Recurrent


@dataclass(frozen=True)
class WindowInputs:
    """What a strategy reads, in the normal units of each window.

    Axis letters: R rows (windows, or windows times targets), T steps of the past, F steps of the
    future, W targets of a row, K features known beforehand, E other features.

    Attributes:
        values: `[R, T, W + K + E]`, in this order, padded at the end.
        lengths: Valid steps, `[R]` int64.
        future: F.
        known: The known features in the future, `[R, F, K]`; K may be 0.
        context: What is the same in all steps, `[R, S]`; S may be 0.
        channel: The number of each row's target, `[R]` int64; None if rows hold all targets.
    """

    values: Tensor
    lengths: Tensor
    future: int
    known: Tensor
    context: Tensor
    channel: Tensor | None

    def at(self, steps: Tensor) -> Tensor:
        """Return the values of one step of each row, `[R, W + K + E]`."""
        index = steps.clamp(min=0)[:, None, None].expand(-1, 1, self.values.shape[2])
        return self.values.gather(1, index)[:, 0]


class StaticEmbedding(nn.Module):
    """One vector for what is the same in all steps: which series, and which target of it.

    Args:
        channels: Targets that share the net; 1 for rows that hold all targets.
        static: S.
        size: Numbers in the vector.
    """

    def __init__(self, channels: int, static: int, size: int) -> None:
        super().__init__()
        self.size = size if channels > 1 or static else 0
        self.channel = nn.Embedding(channels, size) if channels > 1 else None
        self.static = nn.Linear(static, size) if static else None

    def forward(self, windows: WindowInputs) -> Tensor:
        """Return `[R, size]`; size 0 where there is nothing to tell."""
        vector = windows.values.new_zeros(len(windows.values), self.size)
        if self.channel is not None:
            vector = vector + self.channel(windows.channel)
        if self.static is not None:
            vector = vector + self.static(windows.context)
        return vector


class Strategy(nn.Module):
    """A way to forecast: `read` what the recurrent stack sees, then `write` the steps that follow.

    Attributes:
        recurrent: The stack that reads the window.
        head: What turns its features into forecasts.
        horizon: The most steps it can forecast, or None for any number.
    """

    recurrent: Recurrent
    head: ForecastHead
    horizon: int | None

    def read(self, windows: WindowInputs) -> Tensor:
        """Return what the stack reads, `[R, N, D]`."""
        raise NotImplementedError

    def steps(self, lengths: Tensor) -> Tensor:
        """Return how many of the N steps are valid, `[R]`, in windows of these lengths."""
        raise NotImplementedError

    def write(self, vectors: Tensor, windows: WindowInputs) -> Tensor:
        """Return the parameters of the steps that follow, `[R, F, W, P]`, for `read`'s vectors."""
        raise NotImplementedError


def beside(values: Tensor, context: Tensor) -> Tensor:
    """Join what is the same in all steps, `[R, S]`, to `[R, T, D]`."""
    if not context.shape[1]:
        return values
    return torch.cat([values, context[:, None].expand(-1, values.shape[1], -1)], -1)

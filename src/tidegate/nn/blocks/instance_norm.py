"""InstanceNorm: windows of series measured from a level and in a unit of their own."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from tidegate.errors import InputError, message, suggest

MODES = ("none", "last", "mean", "standard", "count")

# A flat window has no unit of its own: its deviation is this at least, in units of the data.
_LEAST = 1e-3


class Level(NamedTuple):
    """What a window is measured from and in, `[B, 1, C]` each: normal = (x - location) / scale."""

    location: Tensor
    scale: Tensor


class InstanceNorm(nn.Module):
    """Reversible normalisation of each window by itself; it has no weights.

    Axis letters: B windows, T steps, C channels.

    - "none": location 0, scale 1.
    - "last": location x_T, the last value, scale 1 (Zeng et al. 2023, NLinear).
    - "mean": location the mean of the window, scale 1.
    - "standard": the mean and the standard deviation of the window (Kim et al. 2022, eq. 2-3,
      without the affine part).
    - "count": location 0, scale 1 + the mean of |x|; for counts, which must not be shifted
      (Salinas et al. 2020, eq. 4).

    A network that reads normal values and whose answers are put back follows a series wherever
    it goes, also to values that training never saw.

    Args:
        mode: One of the names above.

    Raises:
        InputError: If the mode is unknown.

    Example:
        >>> norm = InstanceNorm("last")
        >>> x = torch.tensor([[[1.0], [2.0], [4.0]]])
        >>> level = norm.measure(x, torch.tensor([3]))
        >>> norm(x, level).flatten().tolist(), norm.inverse(torch.ones(1, 2, 1), level).tolist()
        ([-3.0, -2.0, 0.0], [[[5.0], [5.0]]])
    """

    def __init__(self, mode: str = "last") -> None:
        super().__init__()
        if mode not in MODES:
            rule = "one of " + ", ".join(map(repr, MODES))
            hint = suggest(mode, MODES, listed=True)
            raise InputError(message("InstanceNorm", "mode", rule, repr(mode), hint))
        self.mode = mode

    def measure(self, x: Tensor, lengths: Tensor) -> Level:
        """Find the level of windows.

        Args:
            x: `[B, T, C]` float, padded at the end.
            lengths: Valid steps of each window, `[B]` int64; an empty one has location 0.

        Returns:
            Location and scale; no gradient flows through them.
        """
        x = x.detach()
        zero, one = x.new_zeros(len(x), 1, x.shape[2]), x.new_ones(len(x), 1, x.shape[2])
        if self.mode == "none" or not x.shape[1]:
            return Level(zero, one)
        if self.mode == "last":
            return Level(_last(x, lengths), one)
        mask = (torch.arange(x.shape[1], device=x.device) < lengths[:, None])[..., None]
        count = lengths.clamp(min=1)[:, None, None]
        if self.mode == "count":
            return Level(zero, 1 + (x.abs() * mask).sum(1, keepdim=True) / count)
        mean = (x * mask).sum(1, keepdim=True) / count
        if self.mode == "mean":
            return Level(mean, one)
        deviation = (((x - mean) * mask) ** 2).sum(1, keepdim=True).div(count).sqrt()
        return Level(mean, deviation.clamp(min=_LEAST))

    def forward(self, x: Tensor, level: Level) -> Tensor:
        """Normalise `[B, steps, C]`."""
        return (x - level.location) / level.scale

    def inverse(self, x: Tensor, level: Level) -> Tensor:
        """Put normal values `[B, steps, C]` back."""
        return x * level.scale + level.location

    def extra_repr(self) -> str:
        """What it shows of itself when it is printed."""
        return repr(self.mode)


def _last(x: Tensor, lengths: Tensor) -> Tensor:
    """The last valid value of each row, `[B, 1, C]`; 0 for an empty row."""
    index = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, x.shape[2])
    return x.gather(1, index) * (lengths > 0)[:, None, None]

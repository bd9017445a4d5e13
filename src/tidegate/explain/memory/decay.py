"""Decay: the factor of a step, fitted through a curve of logarithms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_FITTED = 1000
"""Points of a curve that a fit looks at: it compares all pairs of them."""


@dataclass(frozen=True)
class Decay:
    """A straight line through the logarithm of a curve.

    Attributes:
        factor: What one step multiplies the curve by: below 1 it vanishes, above 1 it explodes.
            NaN for fewer than three points.
        r2: Share of the curve's variance that the line explains.
        first: The first distance fitted, in steps.
        last: The last one.

    Example:
        >>> round(Decay(factor=0.5 ** (1 / 7), r2=1.0, first=0, last=30).half_life, 6)
        7.0
    """

    factor: float
    r2: float
    first: int
    last: int

    @property
    def half_life(self) -> float:
        """Steps that halve the curve; infinite if it does not fall, NaN without a factor."""
        return math.inf if self.factor >= 1 else -math.log(2) / math.log(self.factor)


def fit_decay(curve: Tensor) -> Decay:
    """Fit a line by the median of the slopes between all points (Theil 1950; Sen 1968).

    A start that differs from the rest does not bend it. What is not finite, or so small that
    floating-point numbers of its type cannot hold it, is left out.

    Args:
        curve: ln of the curve by distance in steps, `[T]`.

    Returns:
        The line.

    Example:
        >>> round(fit_decay(torch.arange(9.0) * math.log(0.5)).factor, 6)
        0.5
    """
    tiny = math.log(torch.finfo(curve.dtype).tiny)
    distance = (curve.isfinite() & (curve > tiny)).nonzero()[:, 0]
    if len(distance) < 3:
        return Decay(math.nan, math.nan, 0, 0)
    first, last = int(distance[0]), int(distance[-1])
    distance = distance[:: -(-len(distance) // _FITTED)]
    x, y = distance.to(curve.dtype), curve[distance]
    near, far = torch.triu_indices(len(x), len(x), 1, device=x.device)
    slope = ((y[far] - y[near]) / (x[far] - x[near])).median()
    rest = y - slope * x
    left = (rest - rest.median()).square().sum()
    spread = (y - y.mean()).square().sum()
    return Decay(math.exp(slope), float(1 - left / spread) if spread > 0 else 1.0, first, last)

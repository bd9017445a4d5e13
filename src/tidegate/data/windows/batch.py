"""ForecastBatch: windows of series, with what is known of the steps to forecast."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from tidegate.batch import Batch


@dataclass(frozen=True)
class ForecastBatch(Batch):
    """Windows of the past, and what is known of the steps that follow.

    Axis letters: B windows, T steps of the past, D features, F steps of the future, C targets,
    K features known beforehand, S numbers that belong to a whole series.

    `values` is `[B, T, D]` float, in this order: the past of the C targets, then the past of the K
    known features, then whatever else is known of the past alone, such as 1 where a value was
    missing. `targets` is `[B, F, C]` float, NaN where nobody knows it.

    Attributes:
        known: The known features in the future, `[B, F, K]` float, or None.
        static: What belongs to the series, `[B, S]` float, or None.
        ahead: F where there are neither targets nor known features; None for the horizon that
            the network was made for.

    Example:
        >>> import torch
        >>> batch = ForecastBatch(torch.zeros(2, 9, 1), torch.tensor([9, 9]), ahead=3)
        >>> batch.future, len(batch)
        (3, 2)
    """

    known: Tensor | None = None
    static: Tensor | None = None
    ahead: int | None = None

    @property
    def future(self) -> int | None:
        """F, the steps to forecast; None for the horizon that the network was made for."""
        for part in (self.known, self.targets):
            if part is not None:
                return part.shape[1]
        return self.ahead

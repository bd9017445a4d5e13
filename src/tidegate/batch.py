"""Batch: the one form in which data reaches a network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Padded sequences and how long each one really is.

    Axis letters: B rows, T steps, D features, N n-gram orders.

    Attributes:
        values: Features `[B, T, D]` (float), token ids `[B, T]` (int64), or ids of the word and
            of the n-grams at each position `[B, T, N]` (int64). Padding is 0 and stands at the end.
        lengths: Valid steps of each row, `[B]` int64; zeros are allowed.
        targets: What to predict, `[B]` or `[B, T]`, or None.
        weights: How much each row counts in the loss, `[B]` float, or None for 1.

    Example:
        >>> batch = Batch(torch.tensor([[4, 2, 0]]), torch.tensor([2]))
        >>> len(batch), batch.steps
        (1, 2)
    """

    values: Tensor
    lengths: Tensor
    targets: Tensor | None = None
    weights: Tensor | None = None

    def __len__(self) -> int:
        """Number of rows B."""
        return len(self.lengths)

    @property
    def steps(self) -> int:
        """Valid steps in the batch, padding not counted."""
        return int(self.lengths.sum())

    @property
    def share(self) -> float:
        """How much of a usual batch this is; learning steps are shorter by it."""
        return 1.0

    @property
    def mask(self) -> Tensor:
        """`[B, T]` bool: True where a step is real, False where it is padding."""
        steps = torch.arange(self.values.shape[1], device=self.lengths.device)
        return steps < self.lengths[:, None]

    def to(self, device: torch.device | str) -> Batch:
        """Return the same batch with its tensors on `device`."""

        def move(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(device)

        return replace(
            self,
            values=self.values.to(device),
            lengths=self.lengths.to(device),
            targets=move(self.targets),
            weights=move(self.weights),
        )

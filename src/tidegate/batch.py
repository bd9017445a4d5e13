"""Batch: the one form in which data reaches a network."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

import torch
from torch import Tensor

B = TypeVar("B", bound="Batch")


@dataclass(frozen=True)
class Batch:
    """Padded sequences and how long each one really is; kinds of batches add fields to it.

    Axis letters: B rows, T steps, D features, N n-gram orders, U steps of a target.

    Attributes:
        values: Features `[B, T, D]` (float), token ids `[B, T]` (int64), or ids of the word and
            of the n-grams at each position `[B, T, N]` (int64). Padding is 0 and stands at the end.
        lengths: Valid steps of each row, `[B]` int64; zeros are allowed.
        targets: What to predict, `[B]`, `[B, T]` or, where it is a sequence of its own,
            `[B, U]`; or None.
        weights: How much each row counts in the loss, `[B]` float, or None for 1.
        target_lengths: Valid steps of each target that is a sequence of its own, `[B]` int64; None
            where there is one a row, or one a step.

    Example:
        >>> batch = Batch(torch.tensor([[4, 2, 0]]), torch.tensor([2]))
        >>> len(batch), batch.steps
        (1, 2)
    """

    values: Tensor
    lengths: Tensor
    targets: Tensor | None = None
    weights: Tensor | None = None
    target_lengths: Tensor | None = field(default=None, kw_only=True)

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

    def to(self: B, device: torch.device | str) -> B:
        """Return the same batch with its tensors, those that kinds of batches add too, there."""
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        tensors = {name: part for name, part in parts.items() if isinstance(part, Tensor)}
        return replace(self, **{name: part.to(device) for name, part in tensors.items()})

"""LanguageBatch: pieces of streams of text, with what comes next at every step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tidegate.batch import Batch

NOTHING = -100  # the target where a stream has ended; torch's losses skip it


@dataclass(frozen=True)
class LanguageBatch(Batch):
    """Pieces of B streams that go on where those of the batch before it ended.

    Axis letters: B streams, T steps.

    `values` are ids `[B, T]`, `targets` the ids that follow them `[B, T]`, `NOTHING` past the
    end of a stream.

    Attributes:
        resets: `[B, T]` bool, True where a document begins, before which the state is put back
            to zero; None if none does.
        usual: Steps of a usual piece; a shorter one is learned from in shorter steps.

    Example:
        >>> batch = LanguageBatch(torch.tensor([[4, 2]]), torch.tensor([2]), usual=8)
        >>> batch.share
        0.25
    """

    resets: Tensor | None = None
    usual: int | None = None

    @property
    def share(self) -> float:
        """How long the pieces are, as a share of the usual length."""
        return self.values.shape[1] / self.usual if self.usual else 1.0

    def to(self, device: torch.device | str) -> LanguageBatch:
        """Return the same batch with its tensors on `device`."""

        def move(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(device)

        return replace(
            self,
            values=self.values.to(device),
            lengths=self.lengths.to(device),
            targets=move(self.targets),
            weights=move(self.weights),
            resets=move(self.resets),
        )

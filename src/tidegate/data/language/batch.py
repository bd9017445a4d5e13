"""LanguageBatch: pieces of streams of text, with what comes next at every step."""

from __future__ import annotations

from dataclasses import dataclass

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
        >>> import torch
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

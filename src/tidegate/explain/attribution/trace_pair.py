"""Trace pair: two passes over a row, before a change and after it, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

import torch
from torch import Tensor

from tidegate.explain.signals import read_signal
from tidegate.nn.trace.trace import Trace


@dataclass(frozen=True, eq=False)
class TracePair:
    """Two passes of one row each.

    Axis letters: N layers·directions, H hidden units.

    Attributes:
        before: The one.
        after: The other.
    """

    before: Trace
    after: Trace

    @property
    def steps(self) -> list[tuple[int, int]]:
        """The steps before and after that belong together.

        All, if there are as many as before; else those of the longest common runs of labels.
        """
        lengths = [int(trace.lengths[0]) for trace in (self.before, self.after)]
        first, second = self.before.labels, self.after.labels
        if lengths[0] == lengths[1] or first is None or second is None:
            return [(step, step) for step in range(min(lengths))]
        blocks = SequenceMatcher(None, first[0], second[0], False).get_matching_blocks()
        return [(block.a + k, block.b + k) for block in blocks for k in range(block.size)]

    def difference(self, signal: str) -> Tensor:
        """Return how far a gate or state moved.

        Args:
            signal: "hidden", "cell" or a gate.

        Returns:
            After less before at the steps that belong together (`steps`), `[N, steps, H]`.

        Raises:
            InputError: If the cell has no such gate or state.

        Example:
            >>> from tidegate.nn import GRU
            >>> traces = [GRU(1, 2).trace(torch.zeros(5, 1)) for _ in range(2)]
            >>> TracePair(*traces).difference("hidden").shape
            torch.Size([1, 5, 2])
        """
        first, second = (
            read_signal("what_if", trace, signal)[:, 0] for trace in (self.before, self.after)
        )
        pairs = torch.tensor(self.steps, dtype=torch.int64).view(-1, 2)
        return second[:, pairs[:, 1]] - first[:, pairs[:, 0]]

"""Between a PackedSequence and a padded batch, in one gather each way.

torch's own functions copy step by step, which takes longer than the layers between them, and in
backward many times longer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence


@dataclass(frozen=True)
class Packing:
    """Where each step of a PackedSequence stands in a padded batch `[B, T]`.

    Rows are in the order that they had before packing.

    Attributes:
        lengths: `[B]` int64.
        steps: T.
        sources: `[B, T]` int64: where the step stands in the packed data; 0 in the padding.
        targets: `[N]` int64: row * T + step of each of the N packed steps.
    """

    lengths: Tensor
    steps: int
    sources: Tensor
    targets: Tensor

    def pad(self, data: Tensor) -> Tensor:
        """Bring packed `[N, D]` to `[B, T, D]`; what stands in the padding means nothing."""
        # The backward pass of an embedding is a fast one; that of index_select is not.
        return F.embedding(self.sources, data)

    def pack(self, padded: Tensor) -> Tensor:
        """Bring `[B, T, D]` to packed `[N, D]`."""
        return F.embedding(self.targets, padded.reshape(-1, padded.shape[-1]))


def read_packing(packed: PackedSequence) -> Packing:
    """Find where the steps of a PackedSequence belong.

    Args:
        packed: With rows sorted by length, as all are.
    """
    device = packed.data.device
    sizes = packed.batch_sizes.to(device)
    steps, rows = len(sizes), int(packed.batch_sizes[0])
    order = packed.sorted_indices
    if order is None:
        order = torch.arange(rows, device=device)
    valid = torch.arange(rows, device=device)[:, None] < sizes  # [B, T], rows sorted
    starts = sizes.cumsum(0) - sizes
    sources = torch.arange(rows, device=device)[:, None] + starts
    targets = order[:, None] * steps + torch.arange(steps, device=device)
    unsorted = torch.empty_like(sources)
    unsorted[order] = sources.where(valid, 0)
    lengths = torch.empty_like(order)
    lengths[order] = valid.sum(1)
    return Packing(lengths, steps, unsorted, targets.T[valid.T])

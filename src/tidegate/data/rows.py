"""Rows: encoded rows with their targets and weights, served as batches in a planned order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.data.batching import Array
from tidegate.data.encoder import Encoded
from tidegate.data.fingerprint import fingerprint

E = TypeVar("E", bound=Encoded)


class BatchSampler(Protocol):
    """Plans which rows come when, in which batch."""

    def epoch(self, epoch: int) -> Sequence[Array]:
        """Return the rows of each training batch; a function of the seed and `epoch` alone."""

    def in_order(self) -> Sequence[Array]:
        """Return the rows of batches that are good for prediction, each row once."""


class Rows(Generic[E]):
    """Encoded rows with their targets and weights, served as batches.

    Args:
        encoded: The rows; it may have targets of its own.
        sampler: Their order, such as `Buckets`.
        targets: The target of each row `[rows]`, or None.
        weights: How much each row counts `[rows]`, or None.

    Attributes:
        encoded: As given.
        targets: As given, a tensor.
        weights: As given, a float32 tensor.

    Example:
        >>> import numpy as np
        >>> from tidegate.data import Buckets, TextEncoder
        >>> texts = ["a b", "b", "a b b"]
        >>> encoded = TextEncoder().fit(texts).encode(texts)
        >>> rows = Rows(encoded, Buckets(encoded.lengths, 2, seed=0), np.array([0, 1, 0]))
        >>> [rows.batch(batch).targets.tolist() for batch in rows.in_order()]
        [[1, 0, 0]]
    """

    def __init__(
        self,
        encoded: E,
        sampler: BatchSampler,
        targets: Array | None = None,
        weights: Array | None = None,
    ) -> None:
        self.encoded, self.sampler = encoded, sampler
        self.targets = None if targets is None else torch.from_numpy(targets)
        self.weights = None if weights is None else torch.from_numpy(weights).float()

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.encoded)

    def epoch(self, epoch: int) -> Sequence[Array]:
        """Return the rows of each training batch, from the sampler's seed and `epoch` alone."""
        return self.sampler.epoch(epoch)

    def in_order(self) -> Sequence[Array]:
        """Return the rows of batches for prediction, each row once."""
        return self.sampler.in_order()

    def batch(self, rows: Array) -> Batch:
        """Build the padded batch of these rows."""
        own: dict[str, Tensor] = {}
        if self.targets is not None:
            own["targets"] = self.targets[rows]
        if self.weights is not None:
            own["weights"] = self.weights[rows]
        batch = self.encoded.batch(rows)
        return replace(batch, **own) if own else batch

    def fingerprint(self) -> str:
        """Return a text that differs when the rows, their targets or their weights do."""
        columns = [None if c is None else c.numpy() for c in (self.targets, self.weights)]
        return fingerprint(self.encoded.fingerprint(), *columns)

"""Rows: checked examples, and the loader that serves them as batches."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.data.batching import Buckets, in_order

Array = np.ndarray[Any, np.dtype[Any]]

# Prediction keeps no activations for a backward pass, so its batches may be larger.
_ANSWER_ROWS = 128


class DataWarning(UserWarning):
    """Something in the data was handled, not refused: cut texts, unknown words, empty rows.

    Args:
        what: The sentence; after "3 of 50 " where rows are counted.
        count: Of how many rows it is true.
        total: How many rows there were; 0 when it is not about rows.
    """

    def __init__(self, what: str, count: int = 0, total: int = 0) -> None:
        super().__init__(f"{count:,} of {total:,} {what}" if total else what)
        self.what, self.count, self.total = what, count, total


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to answer, checked.

    Attributes:
        inputs: One item a row, of whatever type the task reads.
        targets: One target a row, or None.
        weights: How much each row counts, float64, or None for 1.
    """

    inputs: Sequence[Any]
    targets: Array | None = None
    weights: Array | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.inputs)

    def take(self, rows: Array) -> Examples:
        """Return the rows of these indices, in their order."""
        return Examples(
            [self.inputs[row] for row in rows],
            None if self.targets is None else self.targets[rows],
            None if self.weights is None else self.weights[rows],
        )

    def normalised(self) -> Examples:
        """Return the rows with a mean weight of 1: weights say ratios, not how fast to learn."""
        if self.weights is None:
            return self
        return Examples(self.inputs, self.targets, self.weights / self.weights.mean())


class EncodedRows(Protocol):
    """What an encoder makes of rows; `data.encoded.Encoded` is one."""

    @property
    def lengths(self) -> Array:
        """Steps of each row, `[rows]`."""

    @property
    def ids(self) -> Array:
        """All steps of all rows, one after the other."""

    def batch(
        self, indices: Any, targets: Tensor | None = None, weights: Tensor | None = None
    ) -> Batch:
        """Pad the rows at `indices`."""


class Rows:
    """Encoded rows with their targets and weights, served as batches.

    Args:
        encoded: The rows.
        targets: Class of each row `[rows]` int64, or None.
        weights: How much each row counts `[rows]`, or None.
        batch_size: Rows of a training batch.
        seed: What the order of the training batches comes from.
    """

    def __init__(
        self,
        encoded: EncodedRows,
        targets: Array | None = None,
        weights: Array | None = None,
        *,
        batch_size: int,
        seed: int,
    ) -> None:
        self.encoded, self.batch_size, self.seed = encoded, batch_size, seed
        self.targets = None if targets is None else torch.from_numpy(targets)
        self.weights = None if weights is None else torch.from_numpy(weights).float()
        self._lengths = encoded.lengths
        self._buckets: Buckets | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._lengths)

    def epoch(self, epoch: int) -> list[Array]:
        """Return the row indices of each training batch, from (seed, epoch) alone."""
        if self._buckets is None:
            self._buckets = Buckets(self._lengths, self.batch_size, seed=self.seed)
        return self._buckets.epoch(epoch)

    def in_order(self) -> list[Array]:
        """Return the row indices of batches of similar length, each row once."""
        if len(self) == 1:  # one row has one order; this is the path of a live answer
            return [np.zeros(1, np.int64)]
        return in_order(self._lengths, max(self.batch_size, _ANSWER_ROWS))

    def batch(self, rows: Array) -> Batch:
        """Build the padded batch of these rows."""
        targets = None if self.targets is None else self.targets[rows]
        weights = None if self.weights is None else self.weights[rows]
        return self.encoded.batch(rows, targets, weights)

    def fingerprint(self) -> str:
        """Return a text that differs when the rows, their targets or their weights do."""
        digest = hashlib.sha256()
        for part in (self.encoded.ids, self._lengths, self.targets, self.weights):
            digest.update(b"none" if part is None else np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:32]

"""Which rows go into which batch: similar lengths together, so that little is padded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tidegate.errors import InputError, message

POOL = 64  # batches that are sorted by length together: more pad less, fewer mix better
# Prediction keeps no activations for a backward pass, so its batches may be larger.
_ANSWER_ROWS = 128

# Of any shape and type, which NumPy can only say by Any.
Array = np.ndarray[Any, np.dtype[Any]]


class Buckets:
    """Batches of rows of similar length, in an order that only the seed and the epoch decide.

    Rows are shuffled, sorted by length within pools of 64 batches, and cut into batches, which
    are shuffled in turn: neighbours differ from epoch to epoch, and the padding stays small.

    Args:
        lengths: Steps of each row, `[rows]` integers >= 0.
        batch_size: Rows of a batch; the last one may have fewer.
        seed: Seed of the order, an integer >= 0.
        steps: Steps of a padded batch, at most, unless one row alone has more: batches of longer
            rows are cut. None for any number.

    Raises:
        InputError: If an argument is not what it should be.

    Example:
        >>> buckets = Buckets([3, 1, 2, 9], 2, seed=0)
        >>> sorted(row for batch in buckets.epoch(0) for row in batch.tolist())
        [0, 1, 2, 3]
    """

    def __init__(
        self, lengths: ArrayLike, batch_size: int, *, seed: int, steps: int | None = None
    ) -> None:
        self.lengths = _checked_lengths(lengths, "Buckets")
        self.batch_size = _checked_count(batch_size, "Buckets", "batch_size", 1)
        self.seed = _checked_count(seed, "Buckets", "seed", 0)
        self.steps = None if steps is None else _checked_count(steps, "Buckets", "steps", 1)

    def epoch(self, epoch: int) -> list[Array]:
        """Make the batches of one epoch; every row comes exactly once.

        Args:
            epoch: Number of the epoch, >= 0.

        Returns:
            Row numbers of each batch, int64 arrays `[<= batch_size]`.

        Raises:
            InputError: If `epoch` is negative.
        """
        _checked_count(epoch, "Buckets.epoch", "epoch", 0)
        random = np.random.default_rng([self.seed, epoch])
        rows = random.permutation(len(self.lengths))
        size = self.batch_size * POOL
        batches: list[Array] = []
        for start in range(0, len(rows), size):
            pool = rows[start : start + size]
            pool = pool[np.argsort(self.lengths[pool], kind="stable")]
            batches += _cut(pool, self.batch_size)
        return self._within([batches[index] for index in random.permutation(len(batches))])

    def in_order(self) -> list[Array]:
        """Make batches for prediction, the shortest rows first; every row comes exactly once.

        Returns:
            Row numbers of each batch, as of `epoch`; 128 at a time if `batch_size` is less.
        """
        if len(self.lengths) == 1:  # one row has one order; this is the path of a live answer
            return [np.zeros(1, np.int64)]
        return self._within(in_order(self.lengths, max(self.batch_size, _ANSWER_ROWS)))

    def waste(self, batches: Sequence[Array]) -> float:
        """Measure the share of padding in padded batches.

        Args:
            batches: Row numbers of each batch.

        Returns:
            Padded steps / all steps, 0 to 1; 0 when there are no steps at all.
        """
        steps = sum(int(self.lengths[batch].sum()) for batch in batches)
        padded = sum(int(self.lengths[batch].max(initial=0)) * len(batch) for batch in batches)
        return 1 - steps / padded if padded else 0.0

    def _within(self, batches: list[Array]) -> list[Array]:
        """Cut batches, their rows from short to long, into parts of at most `steps` steps."""
        if self.steps is None:
            return batches
        return [part for batch in batches for part in self._parts(batch, self.steps)]

    def _parts(self, rows: Array, steps: int) -> Iterator[Array]:
        first = 0
        for place, length in enumerate(self.lengths[rows].tolist()):
            if place > first and length * (place + 1 - first) > steps:
                yield rows[first:place]
                first = place
        yield rows[first:]


def in_order(lengths: ArrayLike, batch_size: int) -> list[Array]:
    """Cut rows, sorted by length, into batches for prediction; the same ones always.

    Args:
        lengths: Steps of each row, `[rows]` integers >= 0.
        batch_size: Rows of a batch; the last one may have fewer.

    Returns:
        Row numbers of each batch, the shortest rows first, int64 arrays `[<= batch_size]`.

    Raises:
        InputError: If an argument is not what it should be.

    Example:
        >>> [batch.tolist() for batch in in_order([3, 1, 2], 2)]
        [[1, 2], [0]]
    """
    steps = _checked_lengths(lengths, "in_order")
    size = _checked_count(batch_size, "in_order", "batch_size", 1)
    return _cut(np.argsort(steps, kind="stable"), size)


def _cut(rows: Array, size: int) -> list[Array]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _checked_lengths(lengths: ArrayLike, owner: str) -> Array:
    array = np.asarray(lengths)
    if array.size == 0:
        return np.zeros(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu" or array.min() < 0:
        got = f"{array.dtype} with {array.ndim} axes"
        raise InputError(message(owner, "lengths", "a list of integers >= 0", got))
    return array.astype(np.int64)


def _checked_count(value: object, owner: str, name: str, minimum: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise InputError(message(owner, name, f"an integer >= {minimum}", repr(value)))
    return int(value)

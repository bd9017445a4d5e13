"""EncodedTexts: many texts as one flat array of ids, and the padded batches made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike

from tidegate.batch import Batch
from tidegate.data.batching import Array
from tidegate.data.fingerprint import fingerprint
from tidegate.errors import InputError, message

PADDING = 0
UNKNOWN = 1

Keep = Literal["head", "tail", "both"]


@dataclass(frozen=True, eq=False)
class EncodedTexts:
    """Texts as ids, one after the other without padding.

    Attributes:
        ids: Token ids `[tokens]` int32; with n-grams `[tokens, N]`, column 0 the words.
        offsets: Where each text starts, and at the end the number of tokens, `[rows + 1]` int64.
        shortened: True where a text was longer than allowed and lost its rest, `[rows]` bool.

    Example:
        >>> whole = np.zeros(2, bool)
        >>> encoded = EncodedTexts(np.array([4, 2, 9], np.int32), np.array([0, 2, 3]), whole)
        >>> encoded.batch([1, 0]).values.tolist()
        [[9, 0], [4, 2]]
    """

    ids: Array
    offsets: Array
    shortened: Array

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Array:
        """Tokens of each text, `[rows]` int64."""
        return np.diff(self.offsets)

    @property
    def words(self) -> Array:
        """The word ids alone, `[tokens]` int32."""
        return self.ids if self.ids.ndim == 1 else self.ids[:, 0]

    @property
    def truncated(self) -> int:
        """How many texts were cut to the allowed length."""
        return int(self.shortened.sum())

    @property
    def unknown(self) -> int:
        """How many tokens are not in the vocabulary."""
        return int((self.words == UNKNOWN).sum())

    @property
    def known(self) -> Array:
        """How many tokens of each text are in the vocabulary, `[rows]` int64."""
        count = np.concatenate(([0], np.cumsum(self.words != UNKNOWN)))
        return np.diff(count[self.offsets])

    @property
    def unknown_share(self) -> float:
        """Share of the tokens that are not in the vocabulary, 0 to 1."""
        return self.unknown / max(1, len(self.ids))

    def take(self, indices: ArrayLike) -> EncodedTexts:
        """Pick texts by their positions, in that order; a position may come twice.

        Args:
            indices: Positions `[n]`, integers; negative ones count from the end.

        Returns:
            The texts picked.

        Raises:
            InputError: If a position does not exist.
        """
        rows = self._rows(indices)
        lengths = self.lengths[rows]
        steps, offsets = spread(self.offsets[rows], lengths)
        return EncodedTexts(self.ids[steps], offsets, self.shortened[rows])

    def batch(self, indices: ArrayLike) -> Batch:
        """Pad the texts at `indices` to the longest of them.

        Args:
            indices: Positions `[B]`, integers.

        Returns:
            A batch whose values are `[B, T]` or `[B, T, N]` int64, T at least 1.

        Raises:
            InputError: If a position does not exist.
        """
        rows = self._rows(indices)
        lengths = self.lengths[rows]
        longest = max(1, int(lengths.max(initial=0)))
        values = np.zeros((len(rows), longest, *self.ids.shape[1:]), np.int64)
        steps, _ = spread(self.offsets[rows], lengths)
        values[np.arange(longest) < lengths[:, None]] = self.ids[steps]
        return Batch(torch.from_numpy(values), torch.from_numpy(lengths))

    def fingerprint(self) -> str:
        """Return a text that differs when the ids or the lengths do."""
        return fingerprint(self.ids, self.offsets)

    def _rows(self, indices: ArrayLike) -> Array:
        rows = np.asarray(indices)
        if rows.size == 0:
            return np.zeros(0, np.int64)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            got = f"{rows.dtype} with {rows.ndim} axes"
            raise InputError(message("EncodedTexts", "indices", "a list of integers", got))
        if rows.min() < -len(self) or rows.max() >= len(self):
            got = f"{rows.min()} to {rows.max()}"
            raise InputError(message("EncodedTexts", "indices", f"below {len(self)} texts", got))
        return np.where(rows < 0, rows + len(self), rows)


def spread(starts: Array, lengths: Array) -> tuple[Array, Array]:
    """List the positions `start, start + 1, ...` of every row, one row after the other.

    Args:
        starts: First position of each row, `[rows]`.
        lengths: How many positions each row has, `[rows]`.

    Returns:
        The positions `[sum of lengths]` int64, and the offsets `[rows + 1]` of the rows in them.

    Example:
        >>> spread(np.array([7, 2]), np.array([2, 1]))[0].tolist()
        [7, 8, 2]
    """
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    return np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1]), offsets


def shorten(lengths: Array, max_length: int, keep: Keep) -> tuple[Array, Array]:
    """Say which tokens stay when texts are cut to `max_length`.

    Args:
        lengths: Tokens of each text, `[rows]`.
        max_length: The most that a text may keep.
        keep: "head" keeps the first, "tail" the last, "both" the first half (the larger one
            when the number is odd) and the last half.

    Returns:
        Positions of the tokens that stay `[kept]` int64, and the offsets `[rows + 1]`.

    Example:
        >>> shorten(np.array([5]), 3, "both")[0].tolist()
        [0, 1, 4]
    """
    starts = np.cumsum(lengths) - lengths
    surplus = np.maximum(lengths - max_length, 0)
    if keep == "tail":
        return spread(starts + surplus, lengths - surplus)
    steps, offsets = spread(starts, lengths - surplus)
    if keep == "both":
        within = np.arange(len(steps)) - np.repeat(offsets[:-1], lengths - surplus)
        skipped = np.repeat(surplus, lengths - surplus)
        steps = steps + np.where(within >= (max_length + 1) // 2, skipped, 0)
    return steps, offsets


def join(parts: list[EncodedTexts], columns: int) -> EncodedTexts:
    """Put encoded chunks together.

    Args:
        parts: The chunks, in order; none gives zero texts.
        columns: N, the columns of `ids`; 1 means a flat array.

    Returns:
        All the texts.

    Example:
        >>> len(join([], 1))
        0
    """
    if not parts:
        ids = np.zeros((0, columns) if columns > 1 else 0, np.int32)
        return EncodedTexts(ids, np.zeros(1, np.int64), np.zeros(0, bool))
    lengths = np.concatenate([part.lengths for part in parts])
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    ids = np.concatenate([part.ids for part in parts])
    return EncodedTexts(ids, offsets, np.concatenate([part.shortened for part in parts]))

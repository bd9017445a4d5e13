"""N-grams: the most frequent runs of words, each with an id of its own.

An n-gram is the (n-1)-gram before it and one word more, so it is kept as that pair of ids. Every
n-gram is at most as frequent as its own beginning, and on equal counts the shorter one ranks
first: whenever an n-gram is among the most frequent, so is its beginning, and the pair always
finds its first half in the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from pandas import Index

from tidegate.data.batching import Array
from tidegate.data.text.encoded import UNKNOWN


@dataclass(frozen=True, eq=False)
class Order:
    """The n-grams of one length n, the most frequent first.

    Attributes:
        prefix: Id of the (n-1)-gram in front, `[K]` int64; a word id when n is 2.
        word: Id of the last word, `[K]` int64.
        first: Id of the first n-gram here; the others follow on.
        words: Size of the vocabulary.
    """

    prefix: Array
    word: Array
    first: int
    words: int

    def __len__(self) -> int:
        return len(self.prefix)

    @cached_property
    def _index(self) -> Index[Any]:
        # pandas' hash index answers a lookup about four times faster than a binary search.
        index: Index[Any] = Index(self.prefix * self.words + self.word)
        return index

    def find(self, before: Array, words: Array) -> Array:
        """Return the n-gram that ends at each position, 0 where there is none.

        Args:
            before: Id of the (n-1)-gram (or word) that ends one position earlier, `[tokens]`;
                0 or 1 where there is none.
            words: Id of the word at the position, `[tokens]`.

        Returns:
            Ids `[tokens]` int64.
        """
        known = (before > 0) & (words > UNKNOWN)
        keys: Index[Any] = Index(np.where(known, before * self.words + words, -1))
        found = self._index.get_indexer(keys)
        return np.where(found >= 0, found + self.first, 0)


def previous(ids: Array, offsets: Array) -> Array:
    """Shift ids one position later within each text; 0 where a text starts.

    Args:
        ids: `[tokens]`.
        offsets: Where each text starts, `[rows + 1]`.

    Returns:
        `[tokens]` int64.

    Example:
        >>> previous(np.array([5, 6, 7]), np.array([0, 2, 3])).tolist()
        [0, 5, 0]
    """
    shifted = np.zeros(len(ids), np.int64)
    shifted[1:] = ids[:-1]
    starts = offsets[:-1]
    shifted[starts[starts < len(ids)]] = 0
    return shifted


def word_before(ids: Array, offsets: Array) -> Array:
    """The known word in front of each position, 0 where there is none; `[tokens]` int64."""
    before = previous(ids, offsets)
    before[before == UNKNOWN] = 0
    return before


def add_ngrams(ids: Array, offsets: Array, orders: list[Order]) -> Array:
    """Put the ids of the n-grams that end at each position beside the word ids.

    Args:
        ids: Word ids `[tokens]`.
        offsets: Where each text starts, `[rows + 1]`.
        orders: The table, of 2-grams first.

    Returns:
        `[tokens, N]` int32, N = 1 + number of orders.
    """
    columns = [np.asarray(ids, np.int64)]
    before = word_before(ids, offsets)
    for order in orders:
        columns.append(order.find(before, columns[0]))
        before = previous(columns[-1], offsets)
    return np.stack(columns, axis=1).astype(np.int32)


def fit_ngrams(
    ids: Array, offsets: Array, *, words: int, longest: int, maximum: int, minimum: int
) -> list[Order]:
    """Count the n-grams of known words and keep the most frequent of all lengths together.

    Args:
        ids: Word ids of the training texts, `[tokens]`.
        offsets: Where each text starts, `[rows + 1]`.
        words: Size of the vocabulary.
        longest: The largest n, at least 2.
        maximum: How many n-grams to keep in all.
        minimum: How often one must occur.

    Returns:
        The table: 2-grams, 3-grams, ... up to `longest`; ids count from 1 across the lengths.
    """
    found: list[tuple[Array, Array]] = []  # per length: keys, counts; frequent ones first
    current = np.asarray(ids, np.int64)
    before = word_before(ids, offsets)
    for _ in range(2, longest + 1):
        keys = (before * words + current)[(before > 0) & (current > UNKNOWN)]
        keys, counts = np.unique(keys, return_counts=True)
        keys, counts = keys[counts >= minimum], counts[counts >= minimum]
        ranked = np.lexsort((keys, -counts))[:maximum]
        found.append((keys[ranked], counts[ranked]))
        candidates = Order(keys[ranked] // words, keys[ranked] % words, 1, words)
        before = previous(candidates.find(before, current), offsets)
    return _most_frequent(found, words, maximum)


def _most_frequent(found: list[tuple[Array, Array]], words: int, maximum: int) -> list[Order]:
    """Cut the ranked lists of all lengths where together they hold `maximum` n-grams."""
    counts = np.concatenate([count for _, count in found])
    length = np.repeat(np.arange(len(found)), [len(keys) for keys, _ in found])
    kept = length[np.lexsort((length, -counts))[:maximum]]
    orders: list[Order] = []
    first, shift = 1, 0
    for size, (keys, _) in zip(np.bincount(kept, minlength=len(found)), found, strict=True):
        # Prefixes were numbered from 1 within their own length: move them to their final ids.
        orders.append(Order(keys[:size] // words + shift, keys[:size] % words, first, words))
        first, shift = first + int(size), first - 1
    return orders

"""Vocabulary: which token has which id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.text.encoded import UNKNOWN
from tidegate.data.text.tokens import Pieces

SPECIAL = ("<pad>", "<unk>")


class Vocabulary:
    """Tokens by id: 0 pads, 1 stands for every token that is not here, the others count from 2.

    Args:
        words: The tokens from id 2 on. A text may hold the words "<pad>" and "<unk>" too; they
            get ids of their own and are not taken for the special ones.

    Attributes:
        listed: All tokens, the special ones first; index = id.

    Example:
        >>> "b" in Vocabulary(["a", "b"]), len(Vocabulary(["a", "b"]))
        (True, 4)
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.listed = [*SPECIAL, *words]
        self._ids = {word: index for index, word in enumerate(words, len(SPECIAL))}

    def __len__(self) -> int:
        return len(self.listed)

    def __contains__(self, word: str) -> bool:
        return word in self._ids

    def ids(self, pieces: Pieces) -> Array:
        """Look tokens up, each distinct one once.

        Args:
            pieces: Tokens.

        Returns:
            Ids `[tokens]` int32.
        """
        found = (self._ids.get(word, UNKNOWN) for word in pieces.words)
        return np.fromiter(found, np.int32, len(pieces.words))[pieces.codes]


def most_frequent(counts: Mapping[str, int], maximum: int, minimum: int) -> list[str]:
    """Rank tokens by how often they occur, equally frequent ones alphabetically.

    Args:
        counts: Occurrences by token.
        maximum: How many to keep.
        minimum: How often a token must occur.

    Returns:
        The tokens, the most frequent first.

    Example:
        >>> most_frequent({"b": 2, "a": 2, "c": 1}, 9, 2)
        ['a', 'b']
    """
    common = [word for word, count in counts.items() if count >= minimum]
    common.sort(key=lambda word: (-counts[word], word))
    return common[:maximum]

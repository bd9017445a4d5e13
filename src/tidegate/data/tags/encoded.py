"""Tagged sentences as ids: words, characters and tags, and the padded batches made from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from tidegate.batch import Batch
from tidegate.data.batching import Array
from tidegate.data.fingerprint import fingerprint
from tidegate.data.text.encoded import spread


@dataclass(frozen=True)
class TagBatch(Batch):
    """Sentences, and the characters of each different word in them.

    Axis letters: B sentences, T words, U different words of the batch, C characters.

    `values` are the words' ids, `[B, T]` int64, or with those of their affixes `[B, T, N]`, and
    `targets` those of their tags, `[B, T]`.

    Attributes:
        spelled: Which of the different words stands at each step, `[B, T]` int64; 0 at padding.
        characters: Ids of their characters, `[U, C]` int64, padded with 0.
        character_lengths: How many each has, `[U]` int64.

    Example:
        >>> batch = TagBatch(torch.tensor([[4, 4]]), torch.tensor([2]),
        ...                  spelled=torch.tensor([[1, 0]]), characters=torch.tensor([[2], [3]]),
        ...                  character_lengths=torch.tensor([1, 1]))
        >>> batch.to("cpu").spelled.tolist()
        [[1, 0]]
    """

    spelled: Tensor = torch.zeros(0, 0, dtype=torch.int64)  # noqa: RUF009
    characters: Tensor = torch.zeros(0, 1, dtype=torch.int64)  # noqa: RUF009
    character_lengths: Tensor = torch.zeros(0, dtype=torch.int64)  # noqa: RUF009


@dataclass(frozen=True, eq=False)
class Spelling:
    """What different words are made of.

    Attributes:
        words: Id of each, `[W]` int64, or with those of its affixes `[W, N]`.
        characters: Ids of all their characters, one word after the other, int64.
        offsets: Where each word starts there, and at the end the number of characters, `[W + 1]`.
    """

    words: Array
    characters: Array
    offsets: Array


@dataclass(frozen=True, eq=False)
class EncodedSentences:
    """Sentences as ids, one after the other without padding.

    Attributes:
        forms: Which of the different words each one is, `[words]` int64.
        offsets: Where each sentence starts, and at the end the number of words, `[rows + 1]`.
        spelling: The different words.
        tags: Ids of the tags, `[words]` int64, or None.
    """

    forms: Array
    offsets: Array
    spelling: Spelling
    tags: Array | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Array:
        """Words of each sentence, `[rows]` int64."""
        return np.diff(self.offsets)

    def fingerprint(self) -> str:
        """Return a text that differs when the words, their spelling or the tags do."""
        spelling = self.spelling
        parts = (self.forms, self.offsets, spelling.words, spelling.characters, spelling.offsets)
        return fingerprint(*parts, self.tags)

    def batch(self, indices: ArrayLike) -> TagBatch:
        """Pad the sentences at `indices` to the longest of them.

        Args:
            indices: Positions `[B]`, integers.

        Returns:
            The batch, T at least 1.
        """
        rows = np.asarray(indices, np.int64)
        lengths = self.lengths[rows]
        steps, _ = spread(self.offsets[rows], lengths)
        longest = max(1, int(lengths.max(initial=0)))
        there = np.arange(longest) < lengths[:, None]
        used, spelled = np.unique(self.forms[steps], return_inverse=True)
        characters, character_lengths = self._spell(used)

        def padded(values: Array) -> Tensor:
            table = np.zeros(there.shape + values.shape[1:], np.int64)
            table[there] = values
            return torch.from_numpy(table)

        return TagBatch(
            padded(self.spelling.words[self.forms[steps]]),
            torch.from_numpy(lengths),
            None if self.tags is None else padded(self.tags[steps]),
            spelled=padded(spelled),
            characters=torch.from_numpy(characters),
            character_lengths=torch.from_numpy(character_lengths),
        )

    def _spell(self, used: Array) -> tuple[Array, Array]:
        """The characters of some of the different words, padded, and how many each has."""
        if not len(used):  # padding is spelled as the first word, so there must be one
            return np.zeros((1, 1), np.int64), np.zeros(1, np.int64)
        starts = self.spelling.offsets[used]
        lengths = self.spelling.offsets[used + 1] - starts
        steps, _ = spread(starts, lengths)
        table = np.zeros((len(used), max(1, int(lengths.max(initial=0)))), np.int64)
        table[np.arange(table.shape[1]) < lengths[:, None]] = self.spelling.characters[steps]
        return table, lengths

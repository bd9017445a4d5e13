"""TextPieces: pieces of a text that each stand by themselves, to look at a model with."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike

from tidegate.data.batching import Array
from tidegate.data.language.batch import NOTHING, LanguageBatch
from tidegate.data.language.corpus import Corpus


class TextPieces:
    """A corpus cut into pieces that do not reach beyond their document; an `Encoded`.

    Args:
        corpus: At least two tokens.
        steps: Tokens of a piece; the last one of a document may be shorter.
        most: Most pieces to keep, evenly.

    Attributes:
        starts: The first token of each piece, `[rows]` int64.
        lengths: How many tokens each has, `[rows]` int64.

    Example:
        >>> pieces = TextPieces(Corpus(np.arange(6)), steps=3, most=9)
        >>> batch = pieces.batch([0, 1])
        >>> batch.values.tolist(), batch.lengths.tolist()
        ([[0, 1, 2], [3, 4, 0]], [3, 2])
    """

    def __init__(self, corpus: Corpus, *, steps: int, most: int) -> None:
        self.corpus = corpus
        predicted = len(corpus) - 1  # the last token is read by nobody
        begins = np.unique(np.concatenate(([0], corpus.starts[corpus.starts < predicted])))
        ends = np.append(begins[1:], predicted)
        spans = list(zip(begins.tolist(), ends.tolist(), strict=True))
        starts = np.concatenate([np.arange(begin, end, steps) for begin, end in spans])
        lengths = np.concatenate(
            [np.minimum(steps, end - np.arange(begin, end, steps)) for begin, end in spans]
        )
        chosen = np.linspace(0, len(starts) - 1, min(most, len(starts))).round().astype(np.int64)
        self.starts, self.lengths = starts[chosen].astype(np.int64), lengths[chosen]

    def __len__(self) -> int:
        """Number of pieces."""
        return len(self.starts)

    def batch(self, indices: ArrayLike) -> LanguageBatch:
        """Pad the pieces at `indices` to the longest of them.

        Args:
            indices: Positions `[B]`, integers.
        """
        rows = np.asarray(indices, np.int64)
        lengths = self.lengths[rows]
        within = np.arange(int(lengths.max(initial=1)))
        there = within < lengths[:, None]
        places = np.where(there, self.starts[rows, None] + within, 0)
        ids: Array = self.corpus.ids
        return LanguageBatch(
            torch.from_numpy(np.where(there, ids[places], 0).astype(np.int64)),
            torch.from_numpy(lengths),
            torch.from_numpy(np.where(there, ids[places + 1].astype(np.int64), NOTHING)),
        )

    def fingerprint(self) -> str:
        """Return a text that differs when the tokens differ."""
        return self.corpus.fingerprint()

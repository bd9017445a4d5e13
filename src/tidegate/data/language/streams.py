"""Streams: one long text read in several places at once, and the pieces it is read in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from tidegate.data.batching import Array
from tidegate.data.language.batch import NOTHING, LanguageBatch
from tidegate.data.language.corpus import Corpus

_TOKENS_AT_ONCE = 4096  # without a backward pass, pieces may be longer
_SPREAD = 5.0  # standard deviation of the length of a piece, in steps
_USUAL = 0.95  # share of the pieces that are not of half the length


class Streams:
    """A corpus as contiguous streams of equal length, from which pieces are cut; `Encoded`.

    The text is divided into B parts. Batch after batch, each stream goes on where it was, so that
    the state of the network can be carried over. Every token but the first is predicted once.

    Args:
        corpus: At least two tokens.
        count: B at most; there are no more streams than tokens to predict.
        steps: T of a usual piece in training.

    Attributes:
        count: B.
        length: Steps of the longest stream.

    Example:
        >>> streams = Streams(Corpus(np.arange(8)), count=2, steps=3)
        >>> batch = streams.batch(np.array([0, 3]))
        >>> batch.values.tolist(), batch.targets.tolist()
        ([[0, 1, 2], [4, 5, 6]], [[1, 2, 3], [5, 6, 7]])
    """

    def __init__(self, corpus: Corpus, *, count: int, steps: int) -> None:
        self.corpus, self.steps = corpus, steps
        self._predicted = len(corpus) - 1
        self.count = min(count, self._predicted)
        self.length = -(-self._predicted // self.count)

    def __len__(self) -> int:
        """Number of streams B."""
        return self.count

    @property
    def lengths(self) -> Array:
        """Steps of each stream, `[B]` int64."""
        starts = np.arange(self.count) * self.length
        return (self._predicted - starts).clip(0, self.length)

    def batch(self, piece: Array) -> LanguageBatch:
        """Build the batch of one piece of every stream.

        Args:
            piece: Its first step, and how many steps it has, `[2]`.
        """
        first, steps = int(piece[0]), int(piece[1])
        starts = np.arange(self.count) * self.length
        lengths = (self.lengths - first).clip(0, steps)
        places = (starts + first)[:, None] + np.arange(steps)
        there = np.arange(steps) < lengths[:, None]
        places = np.where(there, places, 0)
        values = np.where(there, self.corpus.ids[places], 0).astype(np.int64)
        targets = np.where(there, self.corpus.ids[places + 1].astype(np.int64), NOTHING)
        return LanguageBatch(
            torch.from_numpy(values),
            torch.from_numpy(lengths),
            torch.from_numpy(targets),
            resets=self._resets(places, there),
            usual=self.steps,
        )

    def fingerprint(self) -> str:
        """Return a text that differs when the tokens differ."""
        return self.corpus.fingerprint()

    def _resets(self, places: Array, there: Array) -> torch.Tensor | None:
        starts = self.corpus.starts
        if not len(starts):
            return None
        nearest = starts[np.searchsorted(starts, places).clip(max=len(starts) - 1)]
        return torch.from_numpy((nearest == places) & there)


class StreamPieces:
    """Cuts streams into pieces, one after the other; a `BatchSampler`.

    In training the length of a piece varies, so that the cuts, over which no gradient flows, are
    never twice at the same places (Merity et al. 2017, section 5): it is drawn around `steps`, or
    with probability 0.05 around half of that.

    Args:
        streams: What is cut, and into how long pieces, usually.
        vary: Whether their length varies.
        seed: What the lengths come from.

    Example:
        >>> streams = Streams(Corpus(np.arange(9)), count=2, steps=3)
        >>> [piece.tolist() for piece in StreamPieces(streams, vary=False).epoch(0)]
        [[0, 3], [3, 1]]
    """

    def __init__(self, streams: Streams, *, vary: bool = True, seed: int = 0) -> None:
        self.streams, self.vary, self.seed = streams, vary, seed

    def epoch(self, epoch: int) -> list[Array]:
        """Return where each training piece begins in its stream, and its steps, `[2]` each."""
        random = np.random.default_rng([self.seed, epoch])
        return self._cut(lambda: self._drawn(random) if self.vary else self.streams.steps)

    def in_order(self) -> list[Array]:
        """Return where each piece for prediction begins in its stream, and its steps."""
        steps = max(1, _TOKENS_AT_ONCE // self.streams.count)
        return self._cut(lambda: steps)

    def _drawn(self, random: np.random.Generator) -> int:
        steps = self.streams.steps
        usual = steps if random.random() < _USUAL else steps / 2
        return max(min(5, steps), round(random.normal(usual, _SPREAD)))

    def _cut(self, steps: Callable[[], int]) -> list[Array]:
        pieces: list[Array] = []
        first = 0
        while first < self.streams.length:
            count = min(steps(), self.streams.length - first)
            pieces.append(np.array([first, count]))
            first += count
        return pieces

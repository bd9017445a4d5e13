"""Streams: one long text read in several places at once, piece by piece."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from tidegate.data.language.batch import NOTHING, LanguageBatch
from tidegate.data.language.corpus import Array, Corpus

_TOKENS_AT_ONCE = 4096  # without a backward pass, pieces may be longer
_SPREAD = 5.0  # standard deviation of the length of a piece, in steps
_USUAL = 0.95  # share of the pieces that are not of half the length


class Streams:
    """Serves a corpus as contiguous streams, cut into pieces; a `Loader`.

    The text is divided into B parts of equal length, a stream each. Batch after batch, each
    stream goes on where it was, so that the state of the network can be carried over. Every token
    but the first is predicted once in a pass.

    In training the length of a piece varies, so that the cuts, over which no gradient flows, are
    never twice at the same places (Merity et al. 2017, section 5): it is drawn around `steps`, or
    with probability 0.05 around half of that.

    Args:
        corpus: At least two tokens.
        count: B at most; there are no more streams than tokens to predict.
        steps: T of a usual piece in training.
        vary: Whether its length varies.
        seed: What the lengths come from.

    Attributes:
        count: B.
        length: Steps of the longest stream.

    Example:
        >>> streams = Streams(Corpus(np.arange(8)), count=2, steps=3, vary=False, seed=0)
        >>> batch = streams.batch(streams.epoch(0)[0])
        >>> batch.values.tolist(), batch.targets.tolist()
        ([[0, 1, 2], [4, 5, 6]], [[1, 2, 3], [5, 6, 7]])
    """

    def __init__(
        self, corpus: Corpus, *, count: int, steps: int, vary: bool = True, seed: int = 0
    ) -> None:
        self.corpus, self.steps, self.vary, self.seed = corpus, steps, vary, seed
        self._predicted = len(corpus) - 1
        self.count = min(count, self._predicted)
        self.length = -(-self._predicted // self.count)

    def __len__(self) -> int:
        """Number of tokens to predict."""
        return self._predicted

    def epoch(self, epoch: int) -> list[Array]:
        """Return where each training piece begins in its stream, and its steps, `[2]` each."""
        random = np.random.default_rng([self.seed, epoch])
        return self._pieces(lambda: self._drawn(random) if self.vary else self.steps)

    def in_order(self) -> list[Array]:
        """Return where each piece for prediction begins in its stream, and its steps."""
        steps = max(1, _TOKENS_AT_ONCE // self.count)
        return self._pieces(lambda: steps)

    def batch(self, rows: Array) -> LanguageBatch:
        """Build the batch of one piece of every stream.

        Args:
            rows: The first step of the piece, and how many steps it has.
        """
        first, steps = int(rows[0]), int(rows[1])
        starts = np.arange(self.count) * self.length
        ends = np.minimum(starts + self.length, self._predicted)
        lengths = (ends - starts - first).clip(0, steps)
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

    def _drawn(self, random: np.random.Generator) -> int:
        usual = self.steps if random.random() < _USUAL else self.steps / 2
        return max(min(5, self.steps), round(random.normal(usual, _SPREAD)))

    def _pieces(self, steps: Callable[[], int]) -> list[Array]:
        pieces: list[Array] = []
        first = 0
        while first < self.length:
            count = min(steps(), self.length - first)
            pieces.append(np.array([first, count]))
            first += count
        return pieces

    def _resets(self, places: Array, there: Array) -> torch.Tensor | None:
        starts = self.corpus.starts
        if not len(starts):
            return None
        nearest = starts[np.searchsorted(starts, places).clip(max=len(starts) - 1)]
        return torch.from_numpy((nearest == places) & there)

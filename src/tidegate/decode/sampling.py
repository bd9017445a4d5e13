"""Sampling: from the scores of the next symbol to the symbol, by chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tidegate.cells.base import check_size
from tidegate.errors import InputError, message

Array = npt.NDArray[Any]

_OWNER = "generate"
_DRAWN = 1 << 20  # random numbers drawn at once, at most


@dataclass(frozen=True)
class Decoding:
    """How the next symbol is chosen from its probabilities p.

    Each filter looks at what the one before it left: temperature, top_k, top_p, min_p.

    Attributes:
        temperature: Scores are divided by it: p ** (1 / temperature), scaled to sum to 1. Below 1
            the likely becomes likelier; 0 always takes the likeliest.
        top_k: Keep the k likeliest; None for all.
        top_p: Keep the likeliest ones that together have this probability (Holtzman et al. 2020,
            section 3.1); None for all.
        min_p: Keep those with at least this share of the likeliest one's probability (Nguyen et
            al. 2024); None for all.

    Raises:
        InputError: If a number is out of its range.

    Example:
        >>> Decoding(top_k=2).filtered(np.log([0.5, 0.2, 0.3])).round(2).tolist()
        [-0.69, -inf, -1.2]
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def __post_init__(self) -> None:
        if self.top_k is not None:
            check_size(_OWNER, "top_k", self.top_k)
        _check_number("temperature", self.temperature, 0, 100)
        for name in ("top_p", "min_p"):
            if getattr(self, name) is not None:
                _check_number(name, getattr(self, name), 0, 1)

    def filtered(self, scores: Array) -> Array:
        """Divide scores by the temperature and put what is not kept to -inf.

        Args:
            scores: Of the next symbol, `[..., V]`, log-probabilities but for a constant.

        Returns:
            Scores alike.
        """
        if self.temperature != 1:
            scores = scores / max(self.temperature, 1e-9)
        if self.top_k is not None and self.top_k < scores.shape[-1]:
            least = np.partition(scores, -self.top_k, axis=-1)[..., -self.top_k, None]
            scores = np.where(scores < least, -np.inf, scores)
        if self.top_p is not None:
            scores = np.where(scores < _nucleus(scores, self.top_p), -np.inf, scores)
        if self.min_p:
            least = scores.max(-1, keepdims=True) + np.log(self.min_p)
            scores = np.where(scores < least, -np.inf, scores)
        return scores


class Sampler:
    """Chooses symbols by chance.

    The likeliest after adding noise of Gumbel's distribution to log-probabilities is a draw from
    them (Gumbel 1954), and they need not be scaled to sum to 1.

    Args:
        decoding: How.
        size: V.
        seeds: A seed for each row; a row without a batch for a single one.

    Example:
        >>> sampler = Sampler(Decoding(temperature=0), 3, [0, 0])
        >>> sampler.choose(np.log([[0.2, 0.5, 0.3], [0.4, 0.3, 0.3]])).tolist()
        [1, 0]
    """

    def __init__(self, decoding: Decoding, size: int, seeds: Sequence[Any]) -> None:
        self._decoding = decoding
        self._plain = decoding == Decoding()
        self._rngs = [np.random.default_rng(seed) for seed in seeds]
        self._steps = max(1, min(256, _DRAWN // (size * len(seeds))))
        self._size = size
        self._drawn: Iterator[Array] = iter(())

    def choose(self, scores: Array) -> Array:
        """Choose a symbol of each row.

        Args:
            scores: `[B, V]`, log-probabilities but for a constant in each row; `[V]` for one row.

        Returns:
            Ids, `[B]` int64; a number for `[V]`.
        """
        if not self._plain:
            scores = self._decoding.filtered(scores)
        if self._decoding.temperature:
            scores = scores + self._noise().reshape(scores.shape)
        chosen: Array = scores.argmax(-1)
        return chosen

    def _noise(self) -> Array:
        """Gumbel noise of one step, `[B, V]`."""
        noise = next(self._drawn, None)
        if noise is not None:
            return noise
        shape = self._steps, self._size
        drawn = np.stack([rng.standard_exponential(shape) for rng in self._rngs], 1)
        self._drawn = iter(-np.log(drawn).astype(np.float32))
        return next(self._drawn)


def _nucleus(scores: Array, share: float) -> Array:
    """The least score that is kept so that the likeliest together have the share, `[..., 1]`."""
    falling = np.sort(scores, axis=-1)[..., ::-1]
    chances = np.exp(falling - falling[..., :1], dtype=np.float64)
    sums = chances.cumsum(-1)
    # A symbol is kept while those before it have less than the share; the likeliest one always is.
    kept = sums - chances < share * sums[..., -1:]
    last = np.maximum(kept.sum(-1, keepdims=True), 1) - 1
    least: Array = np.take_along_axis(falling, last, -1)
    return least


def _check_number(name: str, value: Any, least: float, most: float) -> None:
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not real or not least <= value <= most:
        rule = f"a number from {least} to {most}"
        raise InputError(message(_OWNER, name, rule, repr(value)))

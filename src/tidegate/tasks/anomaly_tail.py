"""Tails: how rare values are beside their own past, which is forgotten slowly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

# Share of the past above the threshold, and how many of those values are kept.
_SHARE, _KEPT = 0.02, 400
# Values seen before anything is said, and how fast the threshold forgets after that.
_START, _RATE = 100, 0.002
# The spread, by which the threshold moves, is looked at every so many values.
_SELDOM = 8
# How heavy a tail is taken to be: a shape beyond these comes from too few values.
_LIGHT, _HEAVY = -0.2, 0.6
# Nothing is rarer than this; also what a value beyond the end of a bounded tail gets.
MOST_SURPRISING = 9.0


class Tails:
    """How surprising each of several numbers is, each beside its own past.

    Above a high quantile u, which follows the data, exceedances are Pareto (peaks over
    threshold, Pickands 1975; Siffer et al. 2017 for streams):
    P(x > u + y) = q (1 + xi y / sigma)^(-1 / xi), fitted by probability-weighted moments
    (Hosking & Wallis 1987, equation 6) to the last 400 exceedances. Memory and time are constant.

    Args:
        count: How many numbers there are.

    Attributes:
        seen: Values seen.

    Example:
        >>> tails = Tails(1)
        >>> for value in range(200):
        ...     surprise = tails.update(np.array([float(value % 10)]))
        >>> float(tails.update(np.array([50.0]))[0]) > 3
        True
    """

    def __init__(self, count: int) -> None:
        self.seen = 0
        self._first = np.zeros((_START, count))
        self._threshold = np.zeros(count)
        self._spread = np.ones(count)
        self._excess = np.zeros((count, _KEPT))
        self._count = np.zeros(count, np.int64)
        self._scale, self._shape = np.ones(count), np.zeros(count)

    @property
    def ready(self) -> bool:
        """Whether enough was seen to say something."""
        return self.seen >= _START

    def update(self, values: Array) -> Array:
        """Say how surprising values are, and learn them.

        Args:
            values: Finite numbers `[count]`, greater is rarer.

        Returns:
            -log10 of the share of past values at least as great, `[count]`: 0 below the
            threshold, else 1.7 to 9; 0 for the first 100 values.
        """
        surprise = np.zeros(len(values))
        if self.seen < _START:
            self._first[self.seen] = values
            self.seen += 1
            if self.seen == _START:
                self._begin()
            return surprise
        self.seen += 1
        over = values - self._threshold
        step = 4 * max(_RATE, 1 / self.seen)
        if over.max() > 0:
            for row in np.nonzero(over > 0)[0].tolist():
                above = float(over[row])
                surprise[row] = self._rarity(row, above)
                self._learn(row, above)
                self._threshold[row] += step * self._spread[row]
        self._threshold -= _SHARE * step * self._spread
        if self.seen % _SELDOM == 0:
            moved = np.minimum(np.abs(over), 10 * self._spread) - self._spread
            self._spread += _SELDOM * _RATE * moved
        return surprise

    def state(self) -> dict[str, Any]:
        """Return everything learned, as JSON."""
        parts = {name: value for name, value in vars(self).items() if name != "seen"}
        return {"seen": self.seen} | {name[1:]: value.tolist() for name, value in parts.items()}

    def load(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave; raise ValueError or KeyError where it does not fit."""
        self.seen = int(state["seen"])
        for name, value in vars(self).items():
            if name != "seen":
                value[...] = np.asarray(state[name[1:]], value.dtype).reshape(value.shape)

    def _begin(self) -> None:
        median, shoulder, self._threshold = np.quantile(self._first, [0.5, 0.9, 1 - _SHARE], axis=0)
        self._spread = np.maximum(shoulder - median, 1e-9)
        for row, column in enumerate(self._first.T):
            for value in column[column > self._threshold[row]]:
                self._learn(row, float(value - self._threshold[row]))

    def _rarity(self, row: int, over: float) -> float:
        scale, shape = float(self._scale[row]), float(self._shape[row])
        stretched = 1 + shape * over / scale
        if stretched <= 0:
            return MOST_SURPRISING
        power = math.log(stretched) / shape if abs(shape) > 1e-6 else over / scale
        return min(MOST_SURPRISING, power / math.log(10) - math.log10(_SHARE))

    def _learn(self, row: int, over: float) -> None:
        number = int(self._count[row])
        self._excess[row, number % _KEPT] = over
        self._count[row] = number + 1
        if number < 50 or not number % 8:  # late ones change little
            self._fit(row)

    def _fit(self, row: int) -> None:
        count = min(int(self._count[row]), _KEPT)
        excess = np.sort(self._excess[row, :count])
        mean = float(excess.mean())
        shape = 0.1  # what is usual of errors, until there is enough to tell
        if count >= 10:
            below = 1 - np.arange(count) / (count - 1)
            twice = 2 * float((below * excess).mean())
            shape = 2 - mean / (mean - twice) if mean > twice else _HEAVY
            shape = min(max(shape, _LIGHT), _HEAVY)
        self._shape[row] = shape
        self._scale[row] = max(mean * (1 - shape), 1e-9)

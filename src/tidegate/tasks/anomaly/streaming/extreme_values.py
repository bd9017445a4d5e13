"""ExtremeValues: how rare values are beside their own past, which is forgotten slowly."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tidegate.data.codec import LARGEST_WEIGHT, Field
from tidegate.data.schema import Numbers, Record
from tidegate.files import FoundJson

# Share of the past above the threshold, and how many of those values are kept.
_SHARE, _KEPT = 0.02, 400
# Values seen before anything is said, and how fast the threshold forgets after that.
_START, _RATE = 100, 0.002
# The spread, by which the threshold moves, is looked at every so many values.
_SELDOM = 8
# How heavy a tail is taken to be: a shape beyond these comes from too few values; what is usual
# of errors, until there are enough of them to tell.
_LIGHT, _HEAVY, _USUAL, _ENOUGH = -0.2, 0.6, 0.1, 10
# Nothing is rarer than this; also what a value beyond the end of a bounded tail gets.
MOST_SURPRISING = 9.0
# The smallest spread, scale and exceedance: a constant has none of its own.
_LEAST = 1e-9

STATE = Record(
    {
        "seen": Field(int, minimum=0),
        "first": Numbers(2, maximum=LARGEST_WEIGHT),
        "excess": Numbers(2, minimum=0, maximum=LARGEST_WEIGHT),
        "threshold": Numbers(1, maximum=LARGEST_WEIGHT),
        "spread": Numbers(1, minimum=0, maximum=LARGEST_WEIGHT),
        "scale": Numbers(1, minimum=_LEAST, maximum=LARGEST_WEIGHT),
        "shape": Numbers(1, minimum=_LIGHT, maximum=_HEAVY),
        "number": Numbers(1, int, minimum=0),
    }
)
"""What a file says of what was learned."""


class ExtremeValues:
    """How surprising each of several numbers is, each beside its own past.

    Above a high quantile u, which follows the data, exceedances are Pareto (peaks over
    threshold, Pickands 1975; Siffer et al. 2017 for streams):
    P(x > u + y) = q (1 + xi y / sigma)^(-1 / xi), fitted by probability-weighted moments
    (Hosking & Wallis 1987, equation 6) to the last 400 exceedances. Memory and time are constant.
    Plain numbers, not arrays: for a handful of them that is several times faster.

    Args:
        count: How many numbers there are.

    Attributes:
        seen: Values seen.

    Example:
        >>> tails = ExtremeValues(1)
        >>> for value in range(200):
        ...     surprise = tails.update([float(value % 10)])
        >>> tails.update([50.0])[0] > 3
        True
    """

    def __init__(self, count: int) -> None:
        self.seen = 0
        self._first = np.zeros((_START, count))
        self._threshold, self._spread = [0.0] * count, [1.0] * count
        self._scale, self._shape = [1.0] * count, [_USUAL] * count
        self._excess = np.zeros((count, _KEPT))
        self._number = [0] * count

    @property
    def ready(self) -> bool:
        """Whether enough was seen to say something."""
        return self.seen >= _START

    def update(self, values: Sequence[float]) -> list[float]:
        """Say how surprising values are, and learn them.

        Args:
            values: Finite numbers, `count` of them, greater is rarer.

        Returns:
            -log10 of the share of past values at least as great, for each: 0 below the
            threshold, else 1.7 to 9; 0 for the first 100 values.
        """
        surprise = [0.0] * len(values)
        if self.seen < _START:
            self._first[self.seen] = values
            self.seen += 1
            if self.seen == _START:
                self._begin()
            return surprise
        self.seen += 1
        step = 4 * max(_RATE, 1 / self.seen)
        down, up = _SHARE * step, (1 - _SHARE) * step
        threshold, spread = self._threshold, self._spread
        for place, value in enumerate(values):
            over = value - threshold[place]
            if over > _LEAST:
                surprise[place] = self._rarity(place, over)
                self._learn(place, over)
                threshold[place] += up * spread[place]
            else:
                threshold[place] -= down * spread[place]
        if self.seen % _SELDOM == 0:
            for place, value in enumerate(values):
                usual = spread[place]
                away = min(abs(value - threshold[place]), 10 * usual)
                spread[place] = usual + _SELDOM * _RATE * (away - usual)
        return surprise

    def state(self) -> dict[str, object]:
        """Return everything learned, as JSON."""
        first, excess = self._first.tolist(), self._excess.tolist()
        lists = {name: list(getattr(self, f"_{name}")) for name in _LISTS}
        return {"seen": self.seen, "first": first, "excess": excess} | lists

    def load(self, state: FoundJson) -> None:
        """Take back what `state` gave; raise ValueError or KeyError where it does not fit."""
        self.seen = int(state["seen"])
        self._first[...] = np.array(state["first"], float).reshape(self._first.shape)
        self._excess[...] = np.array(state["excess"], float).reshape(self._excess.shape)
        for name, kind in _LISTS.items():
            mine = getattr(self, f"_{name}")
            mine[:] = [kind(value) for _, value in zip(mine, state[name], strict=True)]

    def _begin(self) -> None:
        median, shoulder, high = np.quantile(self._first, [0.5, 0.9, 1 - _SHARE], axis=0)
        self._threshold = high.tolist()
        self._spread = np.maximum(shoulder - median, _LEAST).tolist()
        for place, column in enumerate(self._first.T):
            for over in (column - high[place])[column > high[place]].tolist():
                self._learn(place, over)

    def _rarity(self, place: int, over: float) -> float:
        scale, shape = self._scale[place], self._shape[place]
        stretched = 1 + shape * over / scale
        if stretched <= 0:
            return MOST_SURPRISING
        power = math.log(stretched) / shape if abs(shape) > 1e-6 else over / scale
        return min(MOST_SURPRISING, (power - math.log(_SHARE)) / math.log(10))

    def _learn(self, place: int, over: float) -> None:
        number = self._number[place]
        self._excess[place, number % _KEPT] = over
        self._number[place] = number + 1
        if number < 50 or not number % 8:  # late ones change little
            self._fit(place)

    def _fit(self, place: int) -> None:
        count = min(self._number[place], _KEPT)
        excess = self._excess[place, :count]
        mean, shape = float(excess.mean()), _USUAL
        if count >= _ENOUGH:
            # Twice the mean of (1 - F(y)) y, with F taken from the ranks.
            twice = 2 * float(np.linspace(1, 0, count) @ np.sort(excess)) / count
            shape = 2 - mean / (mean - twice) if mean > twice else _HEAVY
            shape = min(max(shape, _LIGHT), _HEAVY)
        self._shape[place], self._scale[place] = shape, max(mean * (1 - shape), _LEAST)


_LISTS = {"threshold": float, "spread": float, "scale": float, "shape": float, "number": int}

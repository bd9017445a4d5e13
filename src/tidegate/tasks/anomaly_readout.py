"""Readout: forecasts as a line on features, which learns from each value as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

# How much of what was learned is kept from step to step: 2,000 steps of memory.
_KEEP = 0.9995
# An error counts as at most so many usual ones: one outlier must not spoil the line.
_CLIP = 3.0


class Readout:
    """Forecasts several steps ahead, by recursive least squares that forget.

    y_h(t + h) = W_h phi(t); W_h += k(t) e with the gain k = P phi / (keep + phi' P phi)
    (Haykin, Adaptive Filter Theory, 4th ed., table 9.1), errors clipped at 3 usual ones.

    Args:
        features: Length of phi.
        variables: Numbers forecast, D.
        horizons: Steps ahead, K of them, ascending.

    Attributes:
        spread: Mean absolute error of each, `[K, D]`, forgetting; 1 at first.
    """

    def __init__(self, features: int, variables: int, horizons: Sequence[int]) -> None:
        self.horizons = np.array(horizons)
        self.steps = 0
        self.spread = np.ones((len(horizons), variables))
        self._memory = max(horizons)
        self._places = np.zeros(len(horizons), np.int64)
        self._weights = np.zeros((len(horizons), variables, features))
        self._features = np.zeros((self._memory, features))
        self._gains = np.zeros((self._memory, features))
        self._covariance = np.eye(features)

    def forecast(self) -> Array:
        """Return what was forecast for the step that comes now, `[K, D]`; 0 before the first."""
        self._places = (self.steps - self.horizons) % self._memory
        past = self._features[self._places]
        found: Array = np.matmul(self._weights, past[:, :, None])[:, :, 0]
        return found

    def learn(self, errors: Array, known: Array | None = None) -> None:
        """Learn from the errors of `forecast`.

        Args:
            errors: `[K, D]`.
            known: `[D]` bool, where there was a value; None for everywhere.
        """
        spread = self.spread
        limit = _CLIP * spread
        clipped = np.minimum(np.maximum(errors, -limit), limit)
        moved = np.minimum(np.abs(errors), 4 * spread)
        moved -= spread
        if known is not None:
            clipped *= known
            moved *= known
        gains = self._gains[self._places]
        self._weights += clipped[:, :, None] * gains[:, None, :]
        moved *= 0.02 if self.steps < 500 else 0.005
        spread += moved
        np.maximum(spread, 1e-6, out=spread)

    def read(self, features: Array) -> None:
        """Take the features of the step that has just been seen, `[features]`."""
        covariance = self._covariance
        gain = covariance @ features
        size = _KEEP + float(features @ gain)
        covariance -= np.outer(gain, gain / size)
        covariance /= _KEEP
        gain /= size
        # Directions that are never excited would grow without bound.
        trace = float(covariance.trace())
        if trace > 2 * len(gain):
            covariance *= len(gain) / trace * 2
        place = self.steps % self._memory
        self._features[place], self._gains[place] = features, gain
        self.steps += 1

    def state(self) -> dict[str, Any]:
        """Return everything learned, as JSON."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return {"steps": self.steps, **arrays}

    def load(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave; raise ValueError or KeyError where it does not fit."""
        self.steps = int(state["steps"])
        for name in _ARRAYS:
            array = getattr(self, name)
            array[...] = np.asarray(state[name], array.dtype).reshape(array.shape)


_ARRAYS = ("spread", "_weights", "_features", "_gains", "_covariance")

"""RecursiveLeastSquares: forecasts as a line on features, which learns from each value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.codec import LARGEST_WEIGHT, Field
from tidegate.data.schema import Numbers, Record
from tidegate.files import FoundJson

# How much of what was learned is kept from step to step: 2,000 steps of memory.
_KEEP = 0.9995
# An error counts as at most so many usual ones: one outlier must not spoil the line.
_CLIP = 3.0
# How fast the usual error follows, at first and later, and the steps that are "at first".
_FAST, _SLOW, _EARLY = 0.02, 0.005, 500
# The covariance is looked after every so many steps.
_SELDOM = 16

STATE = Record(
    {
        "steps": Field(int, minimum=0),
        "spread": Numbers(2, minimum=0, maximum=LARGEST_WEIGHT),
        "_weights": Numbers(3, maximum=LARGEST_WEIGHT),
        "_values": Numbers(2, maximum=LARGEST_WEIGHT),
        "_features": Numbers(2, maximum=LARGEST_WEIGHT),
        "_gains": Numbers(2, maximum=LARGEST_WEIGHT),
        "_covariance": Numbers(2, maximum=LARGEST_WEIGHT),
    }
)
"""What a file says of what was learned."""


class RecursiveLeastSquares:
    """Says from features what comes, and what was, by recursive least squares that forget.

    y_k(t + k) = W_k phi(t); W_k += e g with the gain g = P phi / (keep + phi' P phi)
    (Haykin, Adaptive Filter Theory, 4th ed., table 9.1), errors clipped at 3 usual ones.

    Axis letters: K offsets, D variables, F features.

    Args:
        features: F.
        variables: D.
        offsets: Steps ahead of each forecast, from 1; a last one below 0 is a reconstruction, of
            the value so many steps before.

    Attributes:
        steps: Steps read.
        spread: Mean absolute error of each, `[K, D]`, forgetting; 1 at first.
    """

    def __init__(self, features: int, variables: int, offsets: Sequence[int]) -> None:
        self.steps = 0
        self.spread = np.ones((len(offsets), variables))
        self._behind = min(0, offsets[-1])
        # A forecast can be judged so many steps after its features were read.
        self._delays = np.maximum(offsets, 1)
        self._memory = max(map(abs, offsets)) + 1
        self._places = np.zeros(len(offsets), np.int64)
        self._weights = np.zeros((len(offsets), variables, features))
        self._values = np.zeros((self._memory, variables))
        self._features = np.zeros((self._memory, features))
        self._gains = np.zeros((self._memory, features))
        self._covariance = np.eye(features)

    def forecast(self) -> Array:
        """Return what can be judged by the value that comes now, `[K, D]`; 0 before the first."""
        self._places = (self.steps - self._delays) % self._memory
        found: Array = (self._weights @ self._features[self._places][:, :, None])[:, :, 0]
        return found

    def errors(self, values: Array, forecast: Array) -> Array:
        """Judge `forecast` by the value that came.

        Args:
            values: `[D]`.
            forecast: `[K, D]`.

        Returns:
            The errors `[K, D]`.
        """
        errors = values - forecast
        if self._behind:
            errors[-1] = self._values[(self.steps - 1 + self._behind) % self._memory] - forecast[-1]
        return errors

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
        self._weights += clipped[:, :, None] * self._gains[self._places][:, None, :]
        moved *= _FAST if self.steps < _EARLY else _SLOW
        spread += moved
        np.maximum(spread, 1e-6, out=spread)

    def read(self, features: Array, values: Array) -> None:
        """Take the step that has just been seen.

        Args:
            features: `[F]`.
            values: `[D]`.
        """
        covariance = self._covariance
        gain = covariance @ features
        size = _KEEP + max(0.0, float(features @ gain))  # below 0 by rounding alone
        covariance -= gain[:, None] * (gain / size)
        covariance /= _KEEP
        gain /= size
        place = self.steps % self._memory
        self._features[place], self._gains[place], self._values[place] = features, gain, values
        self.steps += 1
        if not self.steps % _SELDOM:
            # Directions that are never excited would grow without bound.
            most, trace = 2 * len(gain), float(covariance.trace())
            if trace > most:
                covariance *= most / trace

    def state(self) -> dict[str, object]:
        """Return everything learned, as JSON."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return {"steps": self.steps, **arrays}

    def load(self, state: FoundJson) -> None:
        """Take back what `state` gave; raise ValueError or KeyError where it does not fit."""
        self.steps = int(state["steps"])
        for name in _ARRAYS:
            array = getattr(self, name)
            array[...] = np.asarray(state[name], array.dtype).reshape(array.shape)
        covariance, most = self._covariance, 4 * len(self._covariance)  # see `read`
        if (np.abs(covariance) > most).any() or (covariance.diagonal() < -1e-3).any():
            raise ValueError("a covariance that cannot be")


_ARRAYS = ("spread", "_weights", "_values", "_features", "_gains", "_covariance")

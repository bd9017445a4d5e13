"""Evidence: what forecast errors and values say about whether something is wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tidegate.tasks.anomaly_tail import Tails

Array = np.ndarray[Any, np.dtype[Any]]

# The kinds of anomaly that are told apart, and the statistics that speak for each, in the order
# in which `_statistics` fills them in.
KINDS: dict[str, tuple[str, ...]] = {
    "unexpected": ("error", "error soon", "error later", "bias", "long bias", "level"),
    "high": ("value",),
    "low": ("value, negative",),
    "restless": ("errors", "more errors", "moves"),
    "still": ("moves, negative", "more moves, negative", "width, negative"),
}
_NAMES = [name for names in KINDS.values() for name in names]
_SUMS = np.array([[float(name in names) for name in _NAMES] for names in KINDS.values()])

# Running means, and the steps they look back.
_LENGTHS = {
    "bias": 24, "long bias": 64, "base": 1000, "errors": 8, "more errors": 32, "moves": 12,
    "more moves": 48, "width": 48, "center": 48,
}  # fmt: skip
_RATES = 1 / np.array(list(_LENGTHS.values()))
# A single statistic has at most so much to say: nothing is rarer than once in 10^8.
_MOST = 8.0
# Evidence is averaged over so many steps, or noise would be mistaken for news.
_SETTLE = 1 / 3


class Evidence:
    """How surprising each kind of anomaly is for each variable.

    Statistics (an error, a mean error, how much the value moves, ...) become surprises beside
    their own past (`Tails`); those that speak for one kind of anomaly are added up, and the sum
    becomes a surprise beside its own past in turn. So its scale is that of a probability, however
    much the statistics have in common, and what has become usual surprises no more.

    Args:
        variables: D.
        tolerance: Errors and moves below this many units of spread are taken for none.
    """

    def __init__(self, variables: int, tolerance: float) -> None:
        self._tolerance = tolerance
        self._means = np.zeros((len(_RATES), variables))
        self._now = np.zeros_like(self._means)
        self._out = np.zeros((len(_NAMES), variables))
        self._last = np.zeros(variables)
        self._steps = 0
        self._tails = Tails(len(_NAMES) * variables)
        self._sums = np.zeros((len(KINDS), variables))
        self._kinds = Tails(len(KINDS) * variables)

    def update(self, values: Array, errors: Array, spread: Array) -> Array:
        """Take one step.

        Args:
            values: Scaled values `[D]`.
            errors: Of the forecasts one step ahead, soon and later, `[3, D]`.
            spread: The usual error one step ahead, `[D]`.

        Returns:
            Surprise of each kind for each variable, `[kinds, D]`: -log10 of a probability.
        """
        statistics = self._statistics(values, errors, spread)
        surprise = self._tails.update(statistics.ravel()).reshape(statistics.shape)
        if not self._tails.ready:
            return np.zeros_like(self._sums)
        np.minimum(surprise, _MOST, out=surprise)
        self._sums += _SETTLE * (_SUMS @ surprise - self._sums)
        return self._kinds.update(self._sums.ravel()).reshape(self._sums.shape)

    @property
    def ready(self) -> bool:
        """Whether enough was seen to tell the usual from the rare."""
        return self._kinds.ready

    def _statistics(self, values: Array, errors: Array, spread: Array) -> Array:
        floor, means, now, out = self._tolerance, self._means, self._now, self._out
        if not self._steps:
            self._last[:] = values
            means[2] = means[8] = values
        self._steps += 1
        moved = values - self._last
        moved *= moved
        self._last[:] = values
        size = np.abs(errors)
        size *= size >= floor
        around = values - means[8]
        around *= around
        energy = size[0] / np.maximum(spread, floor)
        energy *= energy
        now[0:2] = errors[2]
        now[2] = now[8] = values
        now[3:5] = np.log1p(energy)
        now[5:7] = moved
        now[7] = around
        now -= means
        # At the start a running mean is a plain one.
        now *= _RATES[:, None] if self._steps > 1000 else np.maximum(_RATES, 1 / self._steps)[:, None]
        means += now
        out[0:3] = size
        np.abs(means[:2], out=out[3:5])
        out[3:5] *= out[3:5] >= floor
        out[5] = np.abs(values - means[2])
        out[6] = values
        out[7] = -values
        out[8:10] = means[3:5]
        logs = np.sqrt(means[5:8])
        logs += floor
        np.log(logs, out=logs)
        out[10] = logs[0]
        out[11:14] = -logs
        return out

    def state(self) -> dict[str, Any]:
        """Return everything learned, as JSON."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        tails = {"tails": self._tails.state(), "kinds": self._kinds.state()}
        return {"steps": self._steps} | arrays | tails

    def load(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave; raise ValueError or KeyError where it does not fit."""
        self._steps = int(state["steps"])
        for name in _ARRAYS:
            array = getattr(self, name)
            array[...] = np.asarray(state[name], float).reshape(array.shape)
        self._tails.load(state["tails"])
        self._kinds.load(state["kinds"])


_ARRAYS = ("_means", "_last", "_sums")


def correction(variables: int) -> float:
    """What to take off the greatest of all surprises, as they are many: log10 of their number."""
    return math.log10(len(KINDS) * variables)

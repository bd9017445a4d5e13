"""Evidence: what forecast errors and values say about whether something is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tidegate.data.codec import LARGEST_WEIGHT, Field
from tidegate.data.schema import Each, Numbers, Record
from tidegate.files import FoundJson
from tidegate.tasks.anomaly.streaming import extreme_values
from tidegate.tasks.anomaly.streaming.extreme_values import ExtremeValues
from tidegate.tasks.anomaly.streaming.rest import STATE as REST
from tidegate.tasks.anomaly.streaming.rest import UNKNOWN, Rest

# What `_statistics` gives, in that order.
_STATISTICS = (
    "error", "error soon", "error later", "reconstruction", "bias", "long bias", "level",
    "value", "value, negative", "errors", "moves", "moves, negative", "more moves, negative",
    "width, negative",
)  # fmt: skip
# Running means, and the steps they look back.
_LENGTHS = {
    "bias": 24, "long bias": 64, "base": 1000, "errors": 8, "moves": 12, "more moves": 48,
    "width": 48, "center": 48,
}  # fmt: skip
_RATES = tuple(1 / length for length in _LENGTHS.values())
_BASE, _SQUARES, _CENTER = 2, slice(4, 7), 7
# A single statistic has at most so much to say: nothing is rarer than once in 10^8.
_MOST = 8.0
# How much statistics that agree count for more than the strongest of them: 1 adds all up, without
# bound it is the strongest alone.
_POWER = 3
# Evidence is averaged over three steps, or noise would be mistaken for news.
_SETTLE = 1 / 3

STATE = Record(
    {
        "steps": Field(int, minimum=0),
        "last": Field(float, minimum=-LARGEST_WEIGHT, maximum=LARGEST_WEIGHT),
        "settled": Field(float, minimum=0, maximum=LARGEST_WEIGHT),
        "means": Numbers(1, maximum=LARGEST_WEIGHT),
        "tails": extreme_values.STATE,
        "rests": Each(REST),
    },
    absent=("rests",),
)
"""What a file says of what was learned."""


class Evidence:
    """How much speaks for an anomaly of one variable.

    Statistics (an error, a mean error, how much the value moves, ...) become surprises beside
    their own past (`ExtremeValues`), and these one number: (sum of surprise^3)^(1/3), averaged
    over three steps. It is about as large as the greatest surprise, larger where several agree.

    Args:
        tolerance: Errors and moves below this many units of spread are taken for none.

    Attributes:
        surprise: Of each statistic in the step before.
        rests: For how long the value has been the very same, and about the same.
    """

    def __init__(self, tolerance: float) -> None:
        self._tolerance = tolerance
        self._means = [0.0] * len(_RATES)
        self._last = self._settled = 0.0
        self._steps = 0
        # The very same value again, and about the same.
        self.rests = (Rest(0.0), Rest(tolerance))
        self._tails = ExtremeValues(len(_STATISTICS))
        self.surprise = [0.0] * len(_STATISTICS)

    @property
    def ready(self) -> bool:
        """Whether enough was seen to tell the usual from the rare."""
        return self._tails.ready

    def update(self, value: float, errors: Sequence[float], usual: float) -> float:
        """Take one step.

        Args:
            value: The scaled value.
            errors: Of the forecasts one step ahead, soon and later, and of the reconstruction.
            usual: The usual error one step ahead.

        Returns:
            The evidence, in the unit of -log10 of a probability.
        """
        surprise = self.surprise = self._tails.update(self._statistics(value, errors, usual))
        total = sum([min(s, _MOST) ** _POWER for s in surprise if s])
        self._settled += _SETTLE * (total ** (1 / _POWER) - self._settled)
        return self._settled

    def skip(self, expected: float) -> None:
        """Take a step without a value: the next one has moved from what was expected here."""
        self._last = expected

    def kind(self) -> str:
        """Say what the step before looked like: "usual", "unexpected" or "stuck".

        What is more than that, a spike or a shift say, shows only later.
        """
        if not any(self.surprise):
            return "usual"
        return "stuck" if any(rest.too_long for rest in self.rests) else "unexpected"

    def _statistics(self, value: float, errors: Sequence[float], usual: float) -> list[float]:
        means, floor = self._means, self._tolerance
        if not self._steps:
            self._last = means[_BASE] = means[_CENTER] = value
        self._steps += 1
        one, soon, later, before = (error if abs(error) >= floor else 0.0 for error in errors)
        energy = math.log1p((one / max(usual, floor, _TINY)) ** 2)
        if self._steps > 1:
            move = abs(value - self._last)
            for rest in self.rests:
                rest.update(move, learned=self.ready)
        moved, around = (value - self._last) ** 2, (value - means[_CENTER]) ** 2
        self._last = value
        news = (errors[2], errors[2], value, energy, moved, moved, around, value)
        # At the start a running mean is a plain one.
        least = 1 / self._steps
        for place, new in enumerate(news):
            rate = _RATES[place]
            means[place] += (rate if rate > least else least) * (new - means[place])
        bias, long_bias, base, energy, moves, more_moves, width, _ = means
        moves, more_moves, width = (
            math.log(math.sqrt(mean) + floor + _TINY) for mean in (moves, more_moves, width)
        )
        return [
            abs(one), abs(soon), abs(later), abs(before),
            abs(bias) if abs(bias) >= floor else 0.0,
            abs(long_bias) if abs(long_bias) >= floor else 0.0,
            abs(value - base), value, -value, energy, moves, -moves, -more_moves, -width,
        ]  # fmt: skip

    def state(self) -> dict[str, object]:
        """Return everything learned, as JSON."""
        return {
            "steps": self._steps,
            "last": self._last,
            "settled": self._settled,
            "means": list(self._means),
            "tails": self._tails.state(),
            "rests": [rest.state() for rest in self.rests],
        }

    def load(self, state: FoundJson) -> None:
        """Take back what `state` gave; raise ValueError or KeyError where it does not fit."""
        self._steps, self._last = int(state["steps"]), float(state["last"])
        self._settled = float(state["settled"])
        # A model that was saved before rests were counted calls few of them too long.
        found = state.get("rests", [{"steps": 0, "longest": UNKNOWN}] * len(self.rests))
        for rest, kept in zip(self.rests, found, strict=True):
            rest.load(kept)
        self._means = [float(m) for _, m in zip(_RATES, state["means"], strict=True)]
        if min(self._means[_SQUARES]) < 0:
            raise ValueError("means of squares below 0")
        self._tails.load(state["tails"])


# Keeps logarithms finite where nothing moves and nothing is tolerated.
_TINY = 1e-12

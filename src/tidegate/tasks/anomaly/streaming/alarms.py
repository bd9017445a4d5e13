"""Alarms: when evidence is worth telling somebody, at an expected rate."""

from __future__ import annotations

import math

from tidegate.data.codec import Field
from tidegate.data.schema import Record
from tidegate.files import FoundJson

# Evidence that is rarer than the rate by so many powers of ten raises an alarm at first: each
# step has many chances to look unusual.
_MARGIN = 0.2
# Each alarm raises the threshold by so much; it sinks back at the pace that keeps the rate, and
# no further below its start than so much.
_RISE, _DEPTH = 0.1, 1.0

STATE = Record(
    {"offset": Field(float, minimum=-_DEPTH, maximum=1e9), "since": Field(int, minimum=0)}
)
"""What a file says of where the threshold stands."""


class Alarms:
    """Turns evidence into scores and alarms, whose long-run rate is the expected one.

    The threshold follows theta += rise (alarm - rate), as in adaptive conformal inference (Gibbs &
    Candes 2021, equation 2): where alarms come more often than expected it goes up.

    Args:
        rate: Expected share of steps with an alarm, above 0 and below 1.
        silence: Steps after an alarm without another.

    Example:
        >>> alarms = Alarms(0.001, silence=2)
        >>> [alarms.update(evidence)[1] for evidence in (0.0, 6.0, 7.0, 7.0, 7.0)]
        [False, True, False, False, True]
    """

    def __init__(self, rate: float, silence: int) -> None:
        self._rate, self._quiet = rate, silence
        self._offset, self._since = 0.0, silence

    def update(self, evidence: float) -> tuple[float, bool]:
        """Take the evidence of one step.

        Args:
            evidence: About -log10 of a probability.

        Returns:
            The score, >= 0: -log10 of how often there is so much evidence, an alarm's is at least
            that of the rate. And whether there is an alarm.
        """
        self._offset = max(self._offset - _RISE * self._rate, -_DEPTH)
        self._since += 1
        score = max(0.0, evidence - self._offset - _MARGIN)
        if score < -math.log10(self._rate) or self._since <= self._quiet:
            return score, False
        self._since = 0
        self._offset += _RISE
        return score, True

    def state(self) -> dict[str, object]:
        """Return where the threshold stands, as JSON."""
        return {"offset": self._offset, "since": self._since}

    def load(self, state: FoundJson) -> None:
        """Take back what `state` gave; raise ValueError or KeyError where it does not fit."""
        self._offset, self._since = float(state["offset"]), int(state["since"])

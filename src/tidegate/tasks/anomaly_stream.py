"""AnomalyStream: one value in, a score and an explanation out, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tidegate.errors import InputError, message
from tidegate.tasks.anomaly_evidence import KINDS, Evidence, correction
from tidegate.tasks.anomaly_readout import Readout
from tidegate.tasks.anomaly_scale import DAY, Scale, as_seconds, read_step

if TYPE_CHECKING:
    from tidegate.nn.stream import Stream

Array = np.ndarray[Any, np.dtype[Any]]

_KIND_NAMES = tuple(KINDS)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a stream says of one step.

    Attributes:
        score: -log10 of how often a normal step surprises that much: 3 is once in 1,000 steps.
            0 is usual, or nothing can be said yet; NaN where every value is missing.
        alarm: Whether to tell somebody: rarer than the expected rate of false alarms, and no
            alarm shortly before.
        variable: The name of the variable that surprises most.
        kind: "unexpected", "high", "low", "restless" or "still".
        value: Its value.
        expected: What was forecast for it, one step ahead.
        deviations: How far off that is, in usual errors; signed.
        ready: Whether enough was seen to tell the usual from the rare.
    """

    score: float
    alarm: bool
    variable: str
    kind: str
    value: float
    expected: float
    deviations: float
    ready: bool

    def __str__(self) -> str:
        """The finding in words."""
        if not self.ready:
            return "learning what is usual"
        if math.isnan(self.score):
            return "missing"
        sign = "above" if self.deviations > 0 else "below"
        return (
            f"{self.variable} is {_WORDS[self.kind]}: {self.value:.6g}, expected "
            f"{self.expected:.6g} ({abs(self.deviations):.1f} usual errors {sign})"
        )


_WORDS = {
    "unexpected": "not as forecast",
    "high": "unusually high",
    "low": "unusually low",
    "restless": "restless",
    "still": "unusually still",
}


class AnomalyStream:
    """Scores values as they come: `AnomalyDetector.stream()` makes one.

    A recurrent net reads each value; what its state says of the next ones is read out by lines
    that go on learning (`Readout`); how unusual the errors are is told beside their own past
    (`Evidence`). Time and memory of a step are constant.

    Args:
        recurrent: The net, one step at a time, one row.
        scale: What values are scaled by.
        names: What the variables are called, D of them.
        clocked: Whether the net reads the time of day.
        horizons: How many steps ahead is forecast, three numbers.
        false_alarm_rate: Expected share of normal steps that raise an alarm.
        quiet: Steps after an alarm without another.
        tolerance: Errors below this share of the usual spread are taken for none.

    Attributes:
        names: As given.
        steps: Steps taken.
        missing: How many of them lacked a value, or had one that is no number.
    """

    def __init__(
        self,
        recurrent: Stream,
        scale: Scale,
        *,
        names: Sequence[str],
        clocked: bool,
        horizons: Sequence[int],
        false_alarm_rate: float,
        quiet: int,
        tolerance: float,
    ) -> None:
        self.names = tuple(names)
        self.steps = self.missing = 0
        count = len(self.names)
        self._recurrent, self._scale, self._clocked = recurrent, scale, clocked
        self._threshold = -math.log10(false_alarm_rate)
        self._correction, self._quiet, self._since = correction(count), quiet, quiet
        inputs = recurrent.input_size
        features = recurrent.output_size + inputs + 1
        self._readout = Readout(features, count, horizons)
        self._evidence = Evidence(count, tolerance)
        self._features = np.ones(features)
        self._inputs = np.zeros(inputs, np.float32)
        self._last = np.zeros(count)

    def update(self, value: Any, time: Any = None) -> Finding:
        """Take the value of one step, or the values of all variables.

        Args:
            value: A number, or D of them; NaN, an infinity, None or a text that is no number
                counts as missing.
            time: When it was: seconds since 1970, a datetime or a text that is one. Needed where
                the detector learned with times.

        Returns:
            The finding.

        Raises:
            InputError: If there are not D values, or the time is needed and no time.

        Example:
            >>> stream = model.stream()  # doctest: +SKIP
            >>> stream.update(20.5).alarm  # doctest: +SKIP
            False
        """
        given = read_step(value, self.names)
        moment = self._moment(time) if self._clocked else 0.0
        expected = self._readout.forecast()
        usual = self._readout.spread[0].copy()
        known = given == given
        if known.all():
            scaled = self._scale.forward(given)
            errors = scaled - expected
            surprise = self._evidence.update(scaled, errors, usual)
            self._readout.learn(errors)
        else:
            self.missing += 1
            scaled, errors, surprise = self._bridge(given, known, expected)
        self._read(scaled, moment)
        return self._found(given, expected[0], errors[0] / usual, surprise)

    def _bridge(self, given: Array, known: Array, expected: Array) -> tuple[Array, Array, Array]:
        """Take the forecast for what is missing; it is neither learned nor surprising."""
        scaled = self._scale.forward(np.where(known, given, self._scale.center))
        scaled = np.where(known, scaled, expected[0])
        errors = np.where(known, scaled - expected, 0.0)
        surprise = np.full((len(KINDS), len(known)), math.nan)
        if known.any():
            surprise = self._evidence.update(scaled, errors, self._readout.spread[0])
            self._readout.learn(errors, known)
        return scaled, errors, surprise

    def _read(self, scaled: Array, moment: float) -> None:
        """Let the net see a step."""
        inputs, count = self._inputs, len(scaled)
        inputs[:count] = scaled
        inputs[count : 2 * count] = scaled - self._last if self.steps else 0.0
        if self._clocked:
            inputs[-2], inputs[-1] = math.sin(moment), math.cos(moment)
        self._last = scaled
        features = self._features
        features[: self._recurrent.output_size] = self._recurrent.step(inputs)
        features[self._recurrent.output_size : -1] = inputs
        self._readout.read(features)
        self.steps += 1

    def _found(
        self, given: Array, expected: Array, deviations: Array, surprise: Array
    ) -> Finding:
        place = int(surprise.argmax())
        kind, variable = divmod(place, len(given))
        greatest = float(surprise[kind, variable])
        if greatest == 0.0:  # nothing stands out: tell of the largest error
            variable = int(np.abs(deviations).argmax())
        score = max(0.0, greatest - self._correction) if greatest == greatest else math.nan
        self._since += 1
        alarm = score >= self._threshold and self._since > self._quiet
        if alarm:
            self._since = 0
        return Finding(
            score,
            alarm,
            self.names[variable],
            _KIND_NAMES[kind],
            float(given[variable]),
            self._scale.backward(float(expected[variable]), variable),
            float(deviations[variable]),
            self._evidence.ready,
        )

    def _moment(self, time: Any) -> float:
        """The time of day as an angle."""
        if time is None:
            rule = "given: this detector learned with times"
            raise InputError(message("AnomalyStream", "time", rule, None))
        seconds = time if type(time) is float else as_seconds(time, "AnomalyStream")
        return 2 * math.pi * (seconds % DAY) / DAY

    def state(self) -> dict[str, Any]:
        """Return everything that was learned on the way, as JSON."""
        states = self._recurrent.state
        parts = states if isinstance(states, tuple) else (states,)
        return {
            "steps": self.steps,
            "missing": self.missing,
            "since": self._since,
            "last": self._last.tolist(),
            "recurrent": [part.tolist() for part in parts],
            "readout": self._readout.state(),
            "evidence": self._evidence.state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave; raise ValueError or KeyError where it does not fit."""
        self.steps, self.missing = int(state["steps"]), int(state["missing"])
        self._since = int(state["since"])
        self._last = np.asarray(state["last"], float).reshape(len(self.names))
        self._recurrent.state = tuple(np.asarray(p, np.float32) for p in state["recurrent"])
        self._readout.load(state["readout"])
        self._evidence.load(state["evidence"])

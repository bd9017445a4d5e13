"""AnomalyStream: one value in, a score and an explanation out, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.codec import LARGEST_WEIGHT, Field, Fields, damaged, read_fields
from tidegate.data.schema import Each, Numbers
from tidegate.data.series.dates.single import read_time
from tidegate.files import FoundJson
from tidegate.tasks.anomaly.encoder import AnomalyEncoder
from tidegate.tasks.anomaly.streaming import alarms, evidence, least_squares
from tidegate.tasks.anomaly.streaming.alarms import Alarms
from tidegate.tasks.anomaly.streaming.evidence import Evidence
from tidegate.tasks.anomaly.streaming.least_squares import RecursiveLeastSquares
from tidegate.tasks.anomaly.streaming.steps import DAY, read_step

if TYPE_CHECKING:
    from tidegate.nn.streaming.stream import Stream


class Detection(NamedTuple):
    """What a stream says of one step.

    Attributes:
        score: -log10 of how often a normal step surprises that much: 3 is once in 1,000 steps.
            0 is usual, or nothing can be said yet; NaN where every value is missing.
        alarm: Whether to tell somebody: rarer than the expected rate of false alarms, and no
            alarm shortly before.
        variable: The name of the variable that surprises most.
        kind: "usual" where nothing stands out, else "unexpected", or "stuck" where the value does
            not move for longer than ever before; "missing" without a value.
        value: Its value.
        expected: What was forecast for it, one step ahead.
        deviations: How far off that is, in usual errors; signed.
        ready: Whether enough was seen to tell the usual from the rare.
        time: When it was, in seconds since 1970 by its own clock; None where no times were learned.
    """

    score: float
    alarm: bool
    variable: str
    kind: str
    value: float
    expected: float
    deviations: float
    ready: bool
    time: float | None = None

    def __str__(self) -> str:
        """The detection in words."""
        if self.kind == "missing":
            return f"{self.variable} is missing"
        if not self.ready:
            return "learning what is usual"
        sign = "above" if self.deviations > 0 else "below"
        return (
            f"{self.variable} {self._finding()}: {self.value:.6g}, expected "
            f"{self.expected:.6g} ({abs(self.deviations):.1f} usual errors {sign})"
        )

    def _finding(self) -> str:
        if self.kind == "unexpected" and abs(self.deviations) < _LITTLE:
            return "was unlike before in the last steps"  # this one alone is nothing special
        return _WORDS[self.kind]

    def line(self) -> str:
        """The score, whether it is an alarm, the time and the finding in words, on one line."""
        when = "" if self.time is None else f"{self._written(' ')}  "
        return f"{self.score:6.2f}  {'ALARM' if self.alarm else '     '}  {when}{self}"

    def to_json(self) -> dict[str, object]:
        """Everything by name; numbers that are none are None, and a time is a text (ISO 8601)."""
        told: dict[str, object] = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in self._asdict().items()
        }
        del told["time"]
        return told if self.time is None else {"time": self._written("T"), **told}

    def _written(self, between: str) -> str:
        """The time as people write it; in seconds where no calendar reaches."""
        assert self.time is not None
        try:
            found = datetime(1970, 1, 1) + timedelta(seconds=self.time)
        except OverflowError:
            return f"{self.time:g}"
        return found.isoformat(between, "seconds" if not found.microsecond else "auto")


# Usual errors; a value no further off is as forecast.
_LITTLE = 2.0
_WORDS = {"usual": "is as usual", "unexpected": "is not as forecast", "stuck": "is stuck"}


class AnomalyStream:
    """Scores values as they come: `AnomalyDetector.stream()` makes one.

    A recurrent net reads each value; what its state says of the next ones is read out by lines
    that go on learning (`RecursiveLeastSquares`); how unusual the errors are is told beside their
    own past (`Evidence`), and when that is worth an alarm, by the rate of alarms (`Alarms`). Time
    and memory of a step are constant.

    Args:
        recurrent: The net, one step at a time, one row.
        encoder: What the net reads of a step: D variables, maybe the time of day.
        offsets: How far ahead is forecast, see `RecursiveLeastSquares`; three steps ahead, one
            back.
        false_alarm_rate: Expected share of normal steps that raise an alarm.
        silence: Steps after an alarm without another.
        tolerance: Errors below this share of the usual spread are taken for none.

    Attributes:
        names: What the variables are called.
        steps: Steps taken.
        missing: How many of them lacked a value, or had one that is no number.
    """

    def __init__(
        self,
        recurrent: Stream,
        encoder: AnomalyEncoder,
        *,
        offsets: Sequence[int],
        false_alarm_rate: float,
        silence: int,
        tolerance: float,
    ) -> None:
        self.names = encoder.names
        self.steps = self.missing = 0
        count = len(self.names)
        self._recurrent, self._scaling = recurrent, encoder.scaling
        self._clocked, self._clock = encoder.clocked, encoder.clock
        self._alarms = Alarms(false_alarm_rate, silence)
        # The more variables, the greater their greatest evidence is by chance.
        self._correction = math.log10(count)
        inputs, outputs = recurrent.input_size, recurrent.output_size
        self._readout = RecursiveLeastSquares(outputs + inputs + 1, count, offsets)
        self._evidence = [Evidence(tolerance) for _ in self.names]
        self._features, self._outputs = np.ones(outputs + inputs + 1), outputs
        self._inputs = np.zeros(inputs, np.float32)
        self._last = np.zeros(count)
        self._time, self._interval = 0.0, 0.0

    def update(self, value: object, time: object = None) -> Detection:
        """Take the value of one step, or the values of all variables.

        Args:
            value: A number, or D of them, in the order of the variables, or by name in a
                dictionary or pandas Series; NaN, an infinity, None or a text that is no number
                counts as missing.
            time: When it was, read by the clock of the fit as times of a table are: a datetime,
                a text or a number that is a date, or seconds since 1970. Those are UTC, or by the
                clock of the fit if that has no time zone. Without it, as long after the step
                before as that came after its own. Read only where the detector learned with times.

        Returns:
            The detection.

        Raises:
            InputError: If there are not D values, or the time is none, or one without a time
                zone where those of the fit had one, or the other way round.

        Example:
            >>> stream = model.stream()  # doctest: +SKIP
            >>> stream.update(20.5).alarm  # doctest: +SKIP
            False
        """
        given = read_step(value, self.names)
        if time is None or not self._clocked:
            return self.take(given)
        return self.take(given, read_time(time, "AnomalyStream", self._clock))

    def take(self, given: list[float], seconds: float | None = None) -> Detection:
        """Take the values of one step that were read already.

        Args:
            given: D numbers, NaN where missing.
            seconds: When it was, in seconds since 1970 by the clock of the fit.

        Returns:
            The detection.
        """
        if self._clocked:
            self._tick(seconds)
        forecast = self._readout.forecast()
        expected = forecast[0].tolist()
        usual = self._readout.spread[0].tolist()
        scaled = self._scaling.forward_step(given, expected)
        values = np.array(scaled)
        errors = self._readout.errors(values, forecast)
        known = [not math.isnan(number) for number in given]
        evidence, deviations = self._judge(scaled, errors.T.tolist(), usual, known)
        whole = all(known)
        self.missing += not whole
        self._readout.learn(errors, None if whole else np.array(known))
        self._read(values)
        return self._found(given, expected, deviations, evidence)

    def _judge(
        self,
        scaled: list[float],
        errors: list[list[float]],
        usual: list[float],
        known: list[bool],
    ) -> tuple[list[float], list[float]]:
        """Weigh the evidence of each variable; nothing speaks for or against a missing value."""
        evidence, deviations = [], []
        for number, found in enumerate(self._evidence):
            if known[number]:
                error = errors[number]
                evidence.append(found.update(scaled[number], error, usual[number]))
                deviations.append(error[0] / usual[number])
            else:
                found.skip(scaled[number])
                evidence.append(-math.inf)
                deviations.append(math.nan)
        return evidence, deviations

    def _read(self, values: Array) -> None:
        """Let the net see a step."""
        inputs, features = self._inputs, self._features
        count = len(values)
        inputs[:count] = values
        if self.steps:
            inputs[count : 2 * count] = values - self._last
        if self._clocked:
            angle = 2 * math.pi * (self._time % DAY) / DAY
            inputs[-2], inputs[-1] = math.sin(angle), math.cos(angle)
        self._last = values
        features[: self._outputs] = self._recurrent.step(inputs)
        features[self._outputs : -1] = inputs
        self._readout.read(features, values)
        self.steps += 1

    def _found(
        self,
        given: list[float],
        expected: list[float],
        deviations: list[float],
        evidence: list[float],
    ) -> Detection:
        greatest = max(evidence)
        number = evidence.index(greatest)
        score, alarm, kind = math.nan, False, "missing"
        if greatest > -math.inf:
            score, alarm = self._alarms.update(greatest - self._correction)
            kind = self._evidence[number].kind()
            if alarm and kind == "usual":  # what it is raised for came in the steps before
                kind = "unexpected"
        return Detection(
            score,
            alarm,
            self.names[number],
            kind,
            given[number],
            self._scaling.inverse_step(expected[number], number),
            deviations[number],
            self._evidence[number].ready,
            self._time if self._clocked else None,
        )

    def _tick(self, now: float | None) -> None:
        """Take the time of a step."""
        if now is None:
            self._time += self._interval
            return
        if self.steps and now > self._time:  # a clock that is set back tells nothing of the next
            self._interval = now - self._time
        self._time = now

    def state(self) -> dict[str, object]:
        """Return everything that was learned on the way, as JSON."""
        states = self._recurrent.state
        parts = states if isinstance(states, tuple) else (states,)
        return {
            "steps": self.steps,
            "missing": self.missing,
            "time": self._time,
            "interval": self._interval,
            "last": self._last.tolist(),
            "alarms": self._alarms.state(),
            "recurrent": [part.tolist() for part in parts],
            "readout": self._readout.state(),
            "evidence": [found.state() for found in self._evidence],
        }

    def load(self, state: FoundJson) -> None:
        """Take back what `state` gave; raise ValueError or KeyError where it does not fit."""
        self.steps, self.missing = int(state["steps"]), int(state["missing"])
        self._time, self._interval = float(state["time"]), float(state["interval"])
        self._last = np.asarray(state["last"], float).reshape(len(self.names))
        self._alarms.load(state["alarms"])
        mine = self._recurrent.state
        shapes = [part.shape for part in (mine if isinstance(mine, tuple) else (mine,))]
        kept = [np.asarray(part, np.float32) for part in state["recurrent"]]
        if [part.shape for part in kept] != shapes:
            raise ValueError(f"states of other shapes than {shapes}")
        self._recurrent.state = tuple(kept)
        self._readout.load(state["readout"])
        for found, kept in zip(self._evidence, state["evidence"], strict=True):
            found.load(kept)


_STATE: Fields = {
    "steps": Field(int, minimum=0),
    "missing": Field(int, minimum=0),
    "time": Field(float, minimum=-1e15, maximum=1e15),
    "interval": Field(float, minimum=-1e15, maximum=1e15),
    "last": Numbers(1, maximum=LARGEST_WEIGHT),
    "alarms": alarms.STATE,
    "recurrent": Each(Numbers(3, maximum=LARGEST_WEIGHT)),
    "readout": least_squares.STATE,
    "evidence": Each(evidence.STATE),
}


def read_state(stream: AnomalyStream, files: FoundJson, name: str) -> FoundJson:
    """Read the state of a stream out of a saved model, trusting nothing in it.

    Args:
        stream: A stream of the model; it takes the state, which shows whether it can.
        files: Parsed JSON by file name.
        name: The file.

    Returns:
        The state.

    Raises:
        ArtifactError: If it is no state of such a stream.
    """
    found = read_fields(files, name, _STATE)
    try:
        stream.load(found)
    except ValueError as error:
        raise damaged(name, "content", "the state of this model", error) from error
    return found

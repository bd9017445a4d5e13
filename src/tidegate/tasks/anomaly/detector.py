"""AnomalyDetector: which values of a series are not as they should be, and why."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from sklearn.base import clone

from tidegate.data.batching import Array
from tidegate.data.series.panel import Panel
from tidegate.data.series.steps import StepsLike, as_steps
from tidegate.data.windows.windows import Windows
from tidegate.device import building
from tidegate.errors import InputError, message
from tidegate.files import FoundJson
from tidegate.nn.trace.selection import Names, Numbers
from tidegate.nn.trace.trace import Trace
from tidegate.tasks.anomaly.detections import Detections, Labels, agreement, watch
from tidegate.tasks.anomaly.encoder import (
    AnomalyEncoder,
    EncodedSteps,
    check_known,
    check_learnable,
)
from tidegate.tasks.anomaly.network import AnomalyNetwork
from tidegate.tasks.anomaly.settings import AnomalyDetectorSettings
from tidegate.tasks.anomaly.steps_task import StepsTask
from tidegate.tasks.anomaly.streaming.cold_start import ColdStartStream
from tidegate.tasks.anomaly.streaming.lines import LineWatch
from tidegate.tasks.anomaly.streaming.stream import AnomalyStream, read_state
from tidegate.tasks.core.encoders import Encoders
from tidegate.tasks.core.examples import DataWarning, Examples
from tidegate.tasks.core.fitting import checked_share
from tidegate.tasks.core.inspect.trace import stack_name
from tidegate.tasks.core.raw import Answers, Evaluation, JsonObject
from tidegate.tasks.core.settings.settings import Settings, build_layer
from tidegate.training.loop import Training
from tidegate.training.measure import measure
from tidegate.training.network import Network

if TYPE_CHECKING:
    pass


CALIBRATION_FILE = "calibration.json"

# Windows in an epoch, at most: what a longer series adds comes in later epochs.
_WINDOWS = 1024


class AnomalyDetector(StepsTask):
    """Finds what is unusual in one or several series of numbers, in a file or as they come.

    It is a scikit-learn estimator. The constructor takes every setting of
    `AnomalyDetectorSettings` as a keyword argument and only stores it.

    Attributes:
        encoder_: The fitted `AnomalyEncoder`.
        names_: What the variables are called.
        clocked_: Whether times were given, so that the time of day is known.
        detections_: What was found in the values of `fit`, while they were learned; not saved.

    Raises:
        InputError: If a setting is unknown.

    Example:
        >>> import numpy as np
        >>> wave = np.sin(np.arange(400) / 4)
        >>> model = AnomalyDetector(epochs=1, hidden_size=4, verbose=False).fit(wave)
        >>> model.predict(wave[:50]).shape
        (50,)
    """

    settings_class = AnomalyDetectorSettings
    roles: ClassVar[Mapping[str, str]] = {
        "value": "Column of the values, or several with commas between; all numbers unless given.",
        "time": "Column of the times; the time of day is then learned from.",
        "anomaly": "Column that says 1 where something is known to be wrong; for evaluate.",
    }
    input_role = "value"
    target_role = "anomaly"
    optional_roles = ("value", "time", "anomaly")
    whole_tables = True
    answers = "step"
    commands = ("watch",)
    encoders: ClassVar[Encoders] = {"encoder_": AnomalyEncoder}
    encoder_files = (CALIBRATION_FILE,)

    settings_: AnomalyDetectorSettings
    encoder_: AnomalyEncoder
    detections_: Detections
    _learned: list[Panel]
    _calibration: FoundJson

    @property
    def names_(self) -> tuple[str, ...]:
        """What the variables are called."""
        return self.encoder_.names

    @property
    def clocked_(self) -> bool:
        """Whether times were given, so that the time of day is known."""
        return self.encoder_.clocked

    def stream(self, names: Sequence[str] = ("value",)) -> AnomalyStream | ColdStartStream:
        """Return a stream of single steps, in constant memory.

        After a fit it goes on after the values of `fit`, each time it is called. Without one it
        begins cold: it learns the scale from its first `warmup` values and the rest on the way.

        Args:
            names: What the variables are called, for a cold stream.

        Returns:
            A stream; `update(value, time)` takes a step and returns a `Detection`.

        Example:
            >>> stream = AnomalyDetector(warmup=50).stream()
            >>> stream.update(20.5).ready
            False
        """
        if not hasattr(self, "network_"):
            return ColdStartStream(names, self._settings().warmup, self._warm)
        stream = self._new_stream(self.network_)
        stream.load(self._calibration)
        return stream

    def watch(self) -> LineWatch:
        """Begin to score lines of values as they come, after the values of `fit`.

        Raises:
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        return LineWatch(
            self.stream(),
            self.names_,
            clocked=self.clocked_,
            time=self.columns_.get("time"),
            named=self.encoder_.named,
        )

    def detect(self, X: StepsLike) -> Detections:
        """Look for anomalies in values that follow those of `fit`.

        Args:
            X: Numbers `[T]` or `[T, D]`, as for `fit`.

        Returns:
            What was found at each step: scores, alarms, explanations.

        Raises:
            InputError: If X is wrong, or has other variables than those of `fit`.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        stream = self.stream()
        assert isinstance(stream, AnomalyStream)
        return watch(stream, self._panel(self._examples(X)), clocked=self.clocked_)

    def predict(self, X: StepsLike) -> Array:
        """Say at which steps an alarm is raised, `[T]` bool."""
        return self.detect(X).alarm

    def score_samples(self, X: StepsLike) -> Array:
        """Say how surprising each step is, `[T]`: 3 is once in 1,000 normal steps."""
        return self.detect(X).score

    def fit_predict(self, X: StepsLike, y: Labels = None) -> Array:
        """Learn from values and say at which of them an alarm is raised, `[T]` bool.

        Each step is judged by what was read out and calibrated before it; the net itself has
        learned from all.
        """
        return self.fit(X, y).detections_.alarm

    def score(self, X: StepsLike, y: Labels = None, sample_weight: object = None) -> float:
        """Return the F1 score of the alarms, or minus the loss of the forecasts without y."""
        found = self.evaluate(X, y)
        return float(found.get("f1", -found["loss"]))

    def evaluate(
        self, X: StepsLike, y: Labels = None, *, sample_weight: object = None, report: bool = False
    ) -> Evaluation:
        """Measure forecasts and alarms on values that follow those of `fit`.

        Args:
            X: The values.
            y: Whether each step is anomalous, `[T]`, or None.
            sample_weight: Left out.
            report: Nothing is added.

        Returns:
            `loss` and `mae` of the forecasts, `alarms` and `alarm_rate`; with y also
            `precision`, the share of the alarms at anomalous steps, `recall`, the share of the
            runs of such steps that have an alarm, and `f1`.

        Raises:
            InputError: If the data is wrong.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        examples = self._examples(X, y, sample_weight)
        panel = self._panel(examples)
        if not len(panel.values):
            raise InputError(message(type(self).__name__, "X", "at least one row", "none"))
        check_known(panel, type(self).__name__, "values to measure on", each=False)
        result = measure(self.network_, self._loader(examples, training=False)).result()
        alarm = self.predict(panel)
        result |= {"alarms": int(alarm.sum()), "alarm_rate": float(alarm.mean())}
        return result if examples.targets is None else result | agreement(alarm, examples.targets)

    def trace(
        self,
        X: StepsLike,
        *,
        stack: str | None = None,
        layers: Numbers = None,
        units: Numbers = None,
        gates: Names = None,
    ) -> Trace:
        """Trace the gates and states of the recurrent stack while it reads a series: one row.

        Args:
            X: The values, as for `fit`; the state is zero before the first.
            stack: The name of the stack, "recurrent"; there is no other.
            layers: Which layers, by number; None for all.
            units: Which units, by number; None for all.
            gates: Which gates, by name; None for all.

        Returns:
            The trace.

        Raises:
            InputError: If X is wrong, or there is no such stack, layer, unit or gate.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        inputs = torch.from_numpy(self.encoder_.inputs(self._panel(self._examples(X))))[None]
        recurrent = self.network_.recurrent_stacks()[stack_name(self.network_, stack)]
        place = next(recurrent.parameters()).device
        return recurrent.trace(inputs.to(place), layers=layers, units=units, gates=gates)

    def answer(self, X: StepsLike) -> Answers:
        """Answer each step: `prediction` is 1 for an alarm, then score and explanation."""
        columns = self.detect(X).columns
        answers: Answers = {"prediction": columns["alarm"].astype(int).tolist()}
        for name in ("score", "variable", "kind", "expected", "deviations"):
            answers[name] = columns[name].tolist()
        return answers

    def facts(self) -> dict[str, str]:
        """Return the variables and the alarms they may expect besides."""
        rate = self.settings_.false_alarm_rate
        told = {"variables": ", ".join(self.names_), "false alarms": f"1 in {1 / rate:,.0f} values"}
        return super().facts() | told

    # What a task writes.

    def _split(
        self,
        examples: Examples,
        validation: float | tuple[StepsLike, Labels] | None,
        settings: Settings,
    ) -> tuple[Examples, Examples | None]:
        """Split by time: what is validated on comes after what is learned from."""
        assert isinstance(settings, AnomalyDetectorSettings)
        panel = self._panel(examples)
        check_learnable(panel, settings.lookback + settings.horizon, settings.owner)
        self._learned = [panel]
        if validation is None:
            return examples, None
        if isinstance(validation, tuple) and len(validation) == 2:
            X, y = validation
            clock = panel.clock if panel.dated else None
            held = self._examples(
                as_steps(X, settings.owner, learned=panel.columns, clock=clock), y
            )
            self._learned.append(self._panel(held))
            check_known(self._panel(held), settings.owner, "values to validate on", each=False)
            return examples, held
        # What is held out ends with the last value: measured on nothing, every epoch is as good.
        last = 1 + int(np.flatnonzero(~np.isnan(panel.values).all(axis=1))[-1])
        cut = last - max(1, round(checked_share(validation, settings.owner) * last))
        begin = max(0, cut - settings.lead_in)
        spans = np.array([[0, cut], [begin, len(panel.values)]])
        learned, after = (panel.cut(*span[:, None]) for span in spans)
        check_known(learned, settings.owner, "values of each variable before the validation span")
        return Examples([learned]), Examples([after])

    def _learn(self, examples: Examples) -> None:
        panel = self._panel(examples)
        self.encoder_ = AnomalyEncoder.learn(
            panel.targets,
            panel.values,
            clocked=panel.dated,
            clock=panel.clock if panel.dated else None,
            own=panel.named,
        )
        for name, constant in zip(self.names_, self.encoder_.scaling.constant, strict=True):
            if constant:
                what = f"{name} never changes in what is learned from: any change will be unusual."
                warnings.warn(DataWarning(what), stacklevel=4)

    def _settings(self) -> AnomalyDetectorSettings:
        settings = super()._settings()
        assert isinstance(settings, AnomalyDetectorSettings)
        return settings

    def _loader(self, examples: Examples, *, training: bool) -> Windows[EncodedSteps]:
        settings, panel = self.settings_, self._panel(examples)
        encoded = self.encoder_.encode(panel, settings.offsets, settings.lookback)
        # Windows that are measured overlap by what only leads up: each step counts once. The last
        # one may reach past the end.
        stride = 1 if training else max(1, encoded.lookback - settings.lead_in)
        return Windows(
            encoded,
            np.zeros(1, np.int64),
            panel.lengths + stride - 1,
            0,
            batch_size=settings.batch_size,
            seed=settings.random_state,
            most=_WINDOWS if training else None,
            stride=stride,
        )

    def _build(self) -> AnomalyNetwork:
        settings = self.settings_
        recurrent = build_layer(settings, self.encoder_.size)
        targets = len(settings.offsets) * len(self.names_)
        return AnomalyNetwork(recurrent, targets, settings.lead_in)

    def _keep(self, training: Training) -> None:
        super()._keep(training)
        stream = self._new_stream(self.network_)
        learned: list[Panel] = self.__dict__.pop("_learned")
        parts = [watch(stream, part, clocked=self.clocked_) for part in learned]
        self.detections_ = parts[0]
        self._calibration = stream.state()

    def _new_stream(self, network: Network) -> AnomalyStream:
        """Make a stream that has learned nothing but the net and the encoder.

        The settings of its alarms are those of now: they may be changed after the fit.
        """
        assert isinstance(network, AnomalyNetwork)
        settings = self._settings()
        return AnomalyStream(
            network.recurrent.stream(),
            self.encoder_,
            offsets=self.settings_.offsets,
            false_alarm_rate=settings.false_alarm_rate,
            silence=settings.silence,
            tolerance=settings.tolerance,
        )

    def _warm(self, encoder: AnomalyEncoder) -> AnomalyStream:
        """Make a stream of an untrained net, whose readout learns."""
        twin = clone(self)
        twin.settings_, twin.encoder_ = twin._settings(), encoder
        with building(twin.settings_.random_state, torch.device("cpu")):
            stream: AnomalyStream = twin._new_stream(twin._build())
        return stream

    def _files(self) -> JsonObject:
        return super()._files() | {CALIBRATION_FILE: self._calibration}

    def _restore(self, state: FoundJson, files: FoundJson) -> None:
        super()._restore(state, files)
        with building(0, torch.device("cpu")):  # whatever is wrong in it must be told here
            stream = self._new_stream(self._build())
        self._calibration = read_state(stream, files, CALIBRATION_FILE)

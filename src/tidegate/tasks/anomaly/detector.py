"""AnomalyDetector: which values of a series are not as they should be, and why."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.base import clone

from tidegate.device import seeded
from tidegate.errors import InputError, message
from tidegate.nn.trace.selection import Names, Numbers
from tidegate.nn.trace.trace import Trace
from tidegate.tasks.anomaly.cold import ColdStream
from tidegate.tasks.anomaly.findings import Findings, run
from tidegate.tasks.anomaly.network import AnomalyNetwork
from tidegate.tasks.anomaly.readings import Readings, Stretches, read_readings, readings_of_table
from tidegate.tasks.anomaly.scale import Scale
from tidegate.tasks.anomaly.settings import AnomalyDetectorSettings
from tidegate.tasks.anomaly.stream import AnomalyStream
from tidegate.tasks.core.rows import Array, DataWarning
from tidegate.tasks.core.settings import Settings, build_layer
from tidegate.tasks.core.task import Task
from tidegate.training.loop import Training
from tidegate.training.measure import Network, measure

if TYPE_CHECKING:
    from tidegate.nn import Recurrent

SCALE_FILE, CALIBRATION_FILE = "scale.json", "calibration.json"


class AnomalyDetector(Task):
    """Finds what is unusual in one or several series of numbers, in a file or as they come.

    It is a scikit-learn estimator. The constructor takes every setting of
    `AnomalyDetectorSettings` as a keyword argument and only stores it.

    Attributes:
        names_: What the variables are called.
        clocked_: Whether times were given, so that the time of day is known.
        scale_: What values are scaled by.
        findings_: What was found in the values of `fit`, while they were learned; not saved.

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
    encoder_files = (SCALE_FILE, CALIBRATION_FILE)

    settings_: AnomalyDetectorSettings
    names_: tuple[str, ...]
    clocked_: bool
    scale_: Scale
    findings_: Findings
    _learned: list[Readings]
    _calibration: dict[str, Any]

    def stream(self, names: Sequence[str] = ("value",)) -> AnomalyStream | ColdStream:
        """Return a stream of single steps, in constant memory.

        After a fit it goes on after the values of `fit`, each time it is called. Without one it
        begins cold: it learns the scale from its first `warmup` values and the rest on the way.

        Args:
            names: What the variables are called, for a cold stream.

        Returns:
            A stream; `update(value, time)` takes a step and returns a `Finding`.

        Example:
            >>> stream = AnomalyDetector(warmup=50).stream()
            >>> stream.update(20.5).ready
            False
        """
        if not hasattr(self, "network_"):
            return ColdStream(names, self._settings().warmup, self._warm)
        stream = self._new_stream(self.network_)
        stream.load(self._calibration)
        return stream

    def detect(self, X: Any) -> Findings:
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
        return run(stream, self._examples(X, None, None))

    def predict(self, X: Any) -> Array:
        """Say at which steps an alarm is raised, `[T]` bool."""
        return self.detect(X).alarm

    def score_samples(self, X: Any) -> Array:
        """Say how surprising each step is, `[T]`: 3 is once in 1,000 normal steps."""
        return self.detect(X).score

    def fit_predict(self, X: Any, y: Any = None) -> Array:
        """Learn from values and say at which of them an alarm is raised, `[T]` bool.

        Each step is judged by what was read out and calibrated before it; the net itself has
        learned from all.
        """
        return self.fit(X, y).findings_.alarm

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the F1 score of the alarms, or minus the loss of the forecasts without y."""
        found = self.evaluate(X, y)
        return float(found.get("f1", -found["loss"]))

    def evaluate(
        self, X: Any, y: Any = None, *, sample_weight: Any = None, report: bool = False
    ) -> dict[str, Any]:
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
        readings = self._examples(X, y, sample_weight)
        if not len(readings):
            raise InputError(message(type(self).__name__, "X", "at least one row", "none"))
        result: dict[str, Any] = measure(
            self.network_, self._loader(readings, training=False)
        ).result()
        alarm = self.predict(readings)
        result |= {"alarms": int(alarm.sum()), "alarm_rate": float(alarm.mean())}
        return result if readings.targets is None else result | _agreement(alarm, readings.targets)

    def trace(
        self, X: Any, *, layers: Numbers = None, units: Numbers = None, gates: Names = None
    ) -> Trace:
        """Trace the gates and states of the recurrent stack while it reads a series: one row.

        Args:
            X: The values, as for `fit`; the state is zero before the first.
            layers: Which layers, by number; None for all.
            units: Which units, by number; None for all.
            gates: Which gates, by name; None for all.

        Returns:
            The trace.

        Raises:
            InputError: If X is wrong.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        inputs = torch.from_numpy(self._examples(X, None, None).inputs(self.scale_))[None]
        recurrent: Recurrent = self.network_.recurrent  # type: ignore[assignment]
        place = next(recurrent.parameters()).device
        return recurrent.trace(inputs.to(place), layers=layers, units=units, gates=gates)

    def answer(self, X: Any) -> dict[str, Sequence[Any]]:
        """Answer each step: `prediction` is 1 for an alarm, then score and explanation."""
        columns = self.detect(X).columns
        answers: dict[str, Sequence[Any]] = {"prediction": columns["alarm"].astype(int).tolist()}
        for name in ("score", "variable", "kind", "expected", "deviations"):
            answers[name] = columns[name].tolist()
        return answers

    def inputs(self, frame: Any, columns: Mapping[str, str]) -> tuple[Any, Any]:
        """Read values, times and known anomalies out of a table."""
        return readings_of_table(frame, columns, type(self).__name__)

    def read_columns(
        self, columns: Mapping[str, str]
    ) -> tuple[Sequence[str] | None, Sequence[str]]:
        """Read all columns: which of them are needed, only the table can tell; times stay text."""
        return None, [columns.get("time", "time")]

    def check_table(
        self, frame: Any, columns: Mapping[str, str], *, drop_missing: bool, source: str
    ) -> tuple[Any, int]:
        """Leave rows as they are: a missing value is a step of its series."""
        return frame, 0

    def facts(self) -> dict[str, str]:
        """Return the variables and the alarms they may expect besides."""
        rate = self.settings_.false_alarm_rate
        told = {"variables": ", ".join(self.names_), "false alarms": f"1 in {1 / rate:,.0f} values"}
        return super().facts() | told

    # What a task writes.

    def _examples(self, X: Any, y: Any, sample_weight: Any) -> Any:
        owner = type(self).__name__
        if sample_weight is not None:
            got = type(sample_weight).__name__
            raise InputError(message(owner, "sample_weight", "left out", got))
        readings = read_readings(X, y, owner)
        if hasattr(self, "network_"):
            self._check_like(readings)
            if not self.clocked_:
                readings = replace(readings, seconds=None)
        return readings

    def _check_like(self, readings: Readings) -> None:
        owner, width = type(self).__name__, readings.values.shape[1]
        if width != len(self.names_):
            rule = f"of the {len(self.names_)} variables of `fit`: {', '.join(self.names_)}"
            raise InputError(message(owner, "X", rule, f"{width} columns"))
        if self.clocked_ and readings.seconds is None:
            rule = "with times, as in `fit`"
            raise InputError(message(owner, "X", rule, "values alone", "Index it by its times"))

    def _split(self, examples: Any, validation: Any, settings: Settings) -> tuple[Any, Any]:
        """Split by time: what is validated on comes after what is learned from."""
        assert isinstance(settings, AnomalyDetectorSettings)
        readings: Readings = examples
        fewest = settings.lookback + settings.horizon
        if len(readings) < fewest:
            rule = f"at least lookback + horizon = {fewest} values"
            raise InputError(message(settings.owner, "X", rule, len(readings)))
        empty = np.isnan(readings.values).all(axis=0)
        if empty.any():
            got = f"only missing ones of {readings.names[int(empty.argmax())]}"
            raise InputError(message(settings.owner, "X", "values of each variable", got))
        self._learned = [readings]
        if validation is None:
            return readings, None
        if isinstance(validation, tuple) and len(validation) == 2:
            held = self._examples(*validation, None)
            self._learned.append(held)
            return readings, held
        cut = len(readings) - max(1, round(self._share(validation, settings) * len(readings)))
        skip = settings.lookback // 4
        begin = max(0, cut - skip)
        return readings.part(0, cut), readings.part(begin, len(readings))

    def _learn(self, examples: Any) -> None:
        self._measure(examples)
        for name, constant in zip(self.names_, self.scale_.constant, strict=True):
            if constant:
                what = f"{name} never changes in what is learned from: any change will be unusual."
                warnings.warn(DataWarning(what), stacklevel=4)

    def _settings(self) -> AnomalyDetectorSettings:
        settings = super()._settings()
        assert isinstance(settings, AnomalyDetectorSettings)
        return settings

    def _measure(self, readings: Readings) -> None:
        """Learn what the variables are called and how large their values are."""
        self.names_, self.clocked_ = readings.names, readings.seconds is not None
        self.scale_ = Scale.fit(readings.values)

    def _loader(self, examples: Any, *, training: bool) -> Stretches:
        settings = self.settings_
        return Stretches(
            examples,
            self.scale_,
            settings.offsets,
            length=settings.lookback,
            skip=settings.lookback // 4,
            batch_size=settings.batch_size,
            seed=settings.random_state,
        )

    def _build(self) -> AnomalyNetwork:
        settings, count = self.settings_, len(self.names_)
        recurrent = build_layer(settings, 2 * count + 2 * self.clocked_)
        targets = len(settings.offsets) * count
        return AnomalyNetwork(recurrent, targets, settings.lookback // 4)

    def _keep(self, training: Training) -> None:
        super()._keep(training)
        stream = self._new_stream(self.network_)
        parts = [run(stream, part) for part in self.__dict__.pop("_learned")]
        self.findings_ = parts[0]
        self._calibration = stream.state()

    def _new_stream(self, network: Network) -> AnomalyStream:
        """Make a stream that has learned nothing but the net and the scale.

        The settings of its alarms are those of now: they may be changed after the fit.
        """
        assert isinstance(network, AnomalyNetwork)
        settings = self._settings()
        return AnomalyStream(
            network.recurrent.stream(),
            self.scale_,
            names=self.names_,
            clocked=self.clocked_,
            offsets=self.settings_.offsets,
            false_alarm_rate=settings.false_alarm_rate,
            silence=settings.silence,
            tolerance=settings.tolerance,
        )

    def _warm(self, readings: Readings) -> AnomalyStream:
        """Make a stream out of its first values: an untrained net, whose readout learns."""
        twin = clone(self)
        twin.settings_ = twin._settings()
        twin._measure(readings)
        with seeded(twin.settings_.random_state, torch.device("cpu")):
            stream: AnomalyStream = twin._new_stream(twin._build())
        return stream

    def _files(self) -> dict[str, Any]:
        scale = {name: getattr(self.scale_, name).tolist() for name in _SCALE}
        told = {"names": list(self.names_), "clocked": self.clocked_}
        return {SCALE_FILE: scale | told, CALIBRATION_FILE: self._calibration}

    def _restore(self, state: Mapping[str, Any], files: Mapping[str, Any]) -> None:
        super()._restore(state, files)
        found = files[SCALE_FILE]
        self.names_, self.clocked_ = tuple(map(str, found["names"])), bool(found["clocked"])
        parts = (np.array(found[name]).reshape(len(self.names_)) for name in _SCALE)
        center, spread, constant = parts
        self.scale_ = Scale(center.astype(float), spread.astype(float), constant.astype(bool))
        self._calibration = files[CALIBRATION_FILE]
        with seeded(0, torch.device("cpu")):  # whatever is wrong in it must be told here
            self._new_stream(self._build()).load(self._calibration)


_SCALE = ("center", "spread", "constant")


def _agreement(alarm: Array, anomalous: Array) -> dict[str, float]:
    """How well alarms agree with runs of anomalous steps."""
    begins = anomalous & ~np.concatenate(([False], anomalous[:-1]))
    runs = np.where(anomalous, np.cumsum(begins), 0)
    found = len(set(runs[alarm & anomalous].tolist()))
    precision = float((alarm & anomalous).sum() / max(1, alarm.sum()))
    recall = found / max(1, int(begins.sum()))
    f1 = 2 * precision * recall / (precision + recall) if found else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}

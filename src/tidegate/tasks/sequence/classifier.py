"""SequenceClassifier: one of several classes for each sequence of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np

from tidegate.data.sequences.encoder import SequenceEncoder
from tidegate.heads import ClassifyHead
from tidegate.tasks.core.classifier import Classifier, ClassifierSettings
from tidegate.tasks.core.examples import Array, Examples
from tidegate.tasks.core.settings.option import changed
from tidegate.tasks.core.task import Task
from tidegate.tasks.sequence.sequence_task import SequenceSettings, SequenceTask, per_step
from tidegate.training.network import Metrics


@dataclass(frozen=True, kw_only=True)
class SequenceClassifierSettings(SequenceSettings, ClassifierSettings):
    """The settings of a SequenceClassifier."""

    label_smoothing: float = changed(ClassifierSettings, "label_smoothing", 0.1)


class SequenceClassifier(SequenceTask, Classifier):
    """Puts sequences of numbers into classes: activities from sensors, speakers, heartbeats.

    It is a scikit-learn estimator. The constructor takes every setting of
    `SequenceClassifierSettings` as a keyword argument and only stores it.

    X is an array `[N, T, C]`, or `[N, T]` for one channel, or a list of `[T, C]` arrays or
    DataFrames of any lengths; NaN is a missing value.

    Attributes:
        classes_: The labels, sorted, `[C]`.
        encoder_: The fitted `SequenceEncoder`.
        channels_: Names of the channels, or None.

    Raises:
        InputError: If a setting is unknown.

    Example:
        >>> import numpy as np
        >>> rising = [np.arange(n, dtype=float) for n in (4, 6, 5, 7)]
        >>> model = SequenceClassifier(epochs=20, hidden_size=4, verbose=False)
        >>> X, y = [*rising, *[-row for row in rising]], ["up"] * 4 + ["down"] * 4
        >>> model.fit(X, y, validation=None).predict([np.arange(5.0)]).tolist()
        ['up']
    """

    settings_class = SequenceClassifierSettings
    roles: ClassVar[Mapping[str, str]] = {
        "id": "Column that says which sequence a row belongs to; without it each row is one.",
        "time": "Column that orders the steps of a sequence; else the order of the rows.",
        "values": "Columns of the channels, with commas between; else all other numbers.",
        "label": "Column of the classes.",
    }
    input_role = "values"
    target_role = "label"

    settings_: SequenceClassifierSettings
    encoder_: SequenceEncoder

    def read_columns(self, columns: Mapping[str, str]) -> tuple[None, Sequence[str]]:
        """Read everything, as any sequence task does; the labels are texts."""
        label = columns.get(self.target_role)
        return None, [label] if label is not None else []

    def _learn(self, examples: Examples) -> None:
        if examples.targets is not None and examples.targets.dtype == object:
            examples = Examples(examples.inputs, np.concatenate(examples.targets))
        super()._learn(examples)

    def _hold_out(self, examples: Examples, share: float, seed: int) -> Array:
        if examples.targets is not None and examples.targets.dtype == object:
            return Task._hold_out(self, examples, share, seed)
        return super()._hold_out(examples, share, seed)

    def _numbered(self, targets: Array | None) -> Array | None:
        return None if targets is None else self.class_encoder_.encode(targets)

    def _make_head(self, features: int) -> ClassifyHead:
        smoothing = self.settings_.label_smoothing
        return ClassifyHead(features, len(self.classes_), label_smoothing=smoothing)

    def _rank(self, metrics: Metrics) -> tuple[float, ...]:
        # Often a few rows are held out: the loss tells epochs apart that the accuracy cannot.
        return (-metrics["loss"],)

    def unseen(self, y: object, others: object) -> list[int]:
        """List the positions in `others` of labels, or of rows with labels, that are not in `y`."""
        if not per_step(y):
            return super().unseen(y, others)
        known = [label for row in y for label in row]
        return [
            row
            for row, labels in enumerate(cast(Iterable[Iterable[object]], others))
            if super(SequenceClassifier, self).unseen(known, list(labels))
        ]

"""Classifier: what every task that answers with one of several classes shares."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard, cast

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from torch import Tensor

from tidegate.data.classes import ClassEncoder, find_labels, read_labels
from tidegate.data.rows import Rows
from tidegate.data.splits import hold_out
from tidegate.errors import InputError, message
from tidegate.heads import ClassifyHead, ClassifyMeter
from tidegate.tasks.core.ensemble import members
from tidegate.tasks.core.examples import Array, DataWarning, Examples
from tidegate.tasks.core.files.columns import check_lengths, checked_weights, listed
from tidegate.tasks.core.raw import Raw
from tidegate.tasks.core.settings.option import setting
from tidegate.tasks.core.settings.settings import Settings
from tidegate.tasks.core.task import Task
from tidegate.training.measure import Loader, answers
from tidegate.training.memory import check_pairs
from tidegate.training.network import Meter, Metrics, Network

_TABLES = 2  # of mistakes, in training and in validation


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings(Settings):
    """The settings of every classifier."""

    class_weight: Mapping[str, float] | str | None = setting(
        None,
        help="How much each class counts in the loss: a dictionary from class to number, or "
        "'balanced' for n / (classes * rows of the class).",
        choices=("balanced",),
        group="Training",
    )
    label_smoothing: float = setting(
        0.0,
        help="Share of each true label spread over all classes.",
        minimum=0,
        maximum=0.99,
        group="Training",
    )


class Classifier(ClassifierMixin, Task):
    """Base of the classifiers: labels, class weights, stratified validation, scores.

    A subclass writes what `Task` asks for besides, and builds a network whose `head` is a
    `ClassifyHead`.

    Attributes:
        class_encoder_: The fitted `ClassEncoder`.
    """

    settings_: ClassifierSettings
    class_encoder_: ClassEncoder

    @property
    def classes_(self) -> Array:
        """The labels, sorted, `[C]`."""
        return self.class_encoder_.classes

    def read_columns(
        self, columns: Mapping[str, str]
    ) -> tuple[Sequence[str] | None, Sequence[str]]:
        """Say which columns to read, None for all, and which are text: the labels are."""
        named, text = super().read_columns(columns)
        label = columns.get(self.target_role or "")
        return named, [*text, *([label] if label is not None else [])]

    def predict(self, X: object) -> Array:
        """Answer the most probable class of each row.

        Args:
            X: The inputs, one a row.

        Returns:
            Labels `[rows]`.

        Raises:
            InputError: If the input is wrong.
            NotFittedError: If the task was not fitted.
        """
        chosen = self.predict_proba(X).argmax(1)
        return self.class_encoder_.decode(chosen)

    def predict_proba(self, X: object) -> Array:
        """Answer the probability of each class for each row.

        Args:
            X: The inputs, one a row.

        Returns:
            `[rows, C]` float32 in the order of `classes_`; each row adds up to 1.

        Raises:
            InputError: If the input is wrong.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        loader = self._loader(self._examples(X, None, None), training=False)
        result = np.empty((len(loader), len(self.classes_)), np.float32)
        for rows, _, scores in answers(self.network_, loader, shown=self.settings_.verbose):
            result[rows] = self._head(self.network_).answer(scores.float()).cpu().numpy()
        return result

    def score(self, X: object, y: object = None, sample_weight: object = None) -> float:
        """Return the accuracy on labelled data, from 0 to 1."""
        return float(self.evaluate(X, y, sample_weight=sample_weight)["accuracy"])

    def answer(self, X: object) -> dict[str, Sequence[object]]:
        """Answer rows as the columns `prediction` and `probability_CLASS`."""
        probabilities = self.predict_proba(X)
        labels = self.class_encoder_.decode(probabilities.argmax(1)).tolist()
        columns = {
            f"probability_{label}": probabilities[:, index].tolist()
            for index, label in enumerate(self.classes_.tolist())
        }
        return {"prediction": labels, **columns}

    def _head(self, network: Network) -> ClassifyHead:
        return cast(ClassifyHead, network.head)

    def _output_names(self) -> tuple[str, ...]:
        return tuple(map(str, self.classes_.tolist()))

    def _answers(self, outputs: Tensor) -> Tensor:
        return self._head(self.network_).answer(outputs)

    def _rank(self, metrics: Metrics) -> tuple[float, ...]:
        return metrics["accuracy"], -metrics["loss"]

    def _examples(self, X: object, y: object, sample_weight: object) -> Examples:
        """Check inputs and labels; a subclass checks each input besides."""
        owner = type(self).__name__
        inputs = listed(X, owner, "X")
        targets = None if y is None else self._column(y)
        weights = None if sample_weight is None else checked_weights(sample_weight, owner)
        check_lengths(len(inputs), owner, {"y": targets, "sample_weight": weights})
        return Examples(inputs, targets, weights)

    def _column(self, y: object) -> Array:
        """Check labels, one a row."""
        owner = type(self).__name__
        return read_labels(listed(y, owner, "y"), owner)

    def _hold_out(self, examples: Examples, share: float, seed: int) -> Array:
        owner = type(self).__name__
        labels = _required(examples.targets, owner)
        ClassEncoder(owner).fit(labels)  # says what is wrong with them
        chosen = hold_out(self._groups(examples.inputs), labels.tolist(), share, seed)
        tell_held_out(labels, chosen, share)
        return chosen

    def _groups(self, inputs: Sequence[Raw]) -> Array:
        """Number the inputs; those of one number are not parted between training and validation."""
        return np.arange(len(inputs))

    def _learn(self, examples: Examples) -> None:
        """Learn the classes; a subclass learns its encoder besides."""
        owner = self.settings_.owner
        self.class_encoder_ = ClassEncoder(owner).fit(_required(examples.targets, owner))

    def _targets(self, examples: Examples) -> Array | None:
        """Turn labels into class indices `[rows]` int64."""
        return None if examples.targets is None else self.class_encoder_.encode(examples.targets)

    def _state(self) -> dict[str, object]:
        return super()._state() | self.class_encoder_.to_files()

    def _restore(self, state: Mapping[str, object], files: Mapping[str, object]) -> None:
        super()._restore(state, files)
        self.class_encoder_ = ClassEncoder.from_files(state)
        self.class_encoder_.owner = type(self).__name__

    def unseen(self, y: object, others: object) -> list[int]:
        """List the positions in `others` of labels that are not in `y`.

        Where fit goes on from a fitted model, they are those that the model does not know.
        """
        going_on = self.warm_start and hasattr(self, "class_encoder_")
        known = np.unique(self.classes_ if going_on else self._column(y)).tolist()
        found = find_labels(self._column(others).tolist(), known)
        return [row for row, place in enumerate(found) if place is None]

    def facts(self) -> dict[str, str]:
        """Return the classes besides what every task tells."""
        facts = super().facts()
        return facts | {"classes": shortened(map(str, self.classes_.tolist()))}

    def _begin(
        self, network: Network, examples: Examples, loader: Loader, *, going_on: bool
    ) -> None:
        """Tell the head how much each class counts in these training rows."""
        super()._begin(network, examples, loader, going_on=going_on)
        check_pairs(self.settings_.owner, "classes", len(self.classes_), _TABLES)
        given = self.settings_.class_weight
        heads = [self._head(member) for member in members(network)]
        for head in heads:
            head.class_weights = None
        if given is None:
            return
        assert isinstance(loader, Rows)
        assert loader.targets is not None
        counts = np.bincount(loader.targets, loader.weights, len(self.classes_))
        if given == "balanced":
            weights = counts.sum() / (len(counts) * counts.clip(min=1e-12))
        else:
            weights = self._given_weights(cast(Mapping[object, object], given))
        # A mean of 1 over the rows: weights shift the balance, not the size of the steps.
        weights = weights * counts.sum() / (weights * counts).sum()
        for head in heads:
            head.class_weights = torch.from_numpy(weights).float()

    def _given_weights(self, given: Mapping[object, object]) -> Array:
        """Read the dictionary `class_weight`; JSON and the command line name classes by text."""
        labels = self.classes_.tolist()
        weights = np.ones(len(labels))
        places = find_labels(given, labels)
        for (label, value), place in zip(given.items(), places, strict=True):
            if place is None or places.count(place) > 1 or not _is_weight(value):
                names = ", ".join(map(str, labels))
                rule = f"a dictionary from the labels {names} to numbers > 0, each label once"
                raise InputError(
                    message(self.settings_.owner, "class_weight", rule, {label: value})
                )
            weights[place] = value
        return weights

    def _report(self, meter: Meter) -> dict[str, object]:
        """Scores by class, and the confusion matrix: true classes down, answers across."""
        assert isinstance(meter, ClassifyMeter)
        labels = self.classes_.tolist()
        support = meter.confusion.sum(1)
        precision, recall, f1, _ = meter.by_class()
        rows = zip(labels, precision, recall, f1, support, strict=True)
        names = ("precision", "recall", "f1", "support")
        by_class = {
            label: dict(zip(names, map(float, scores), strict=True)) for label, *scores in rows
        }
        return {
            "classes": labels,
            "per_class": by_class,
            "confusion_matrix": meter.confusion.tolist(),
        }


def tell_held_out(labels: Array, chosen: Array, share: float) -> None:
    """Warn of classes that validation rows cannot speak for, and of more such rows than asked for.

    Args:
        labels: One a row, `[rows]`.
        chosen: Which rows are held out, `[rows]` bool.
        share: The share that was asked for.
    """
    classes, counts = np.unique(labels, return_counts=True)
    absent = ~np.isin(classes, labels[chosen])
    if absent.any():
        told = [
            f"{label!r} ({count:,} row{'s' * (count > 1)})"
            for label, count in zip(classes[absent].tolist(), counts[absent].tolist(), strict=True)
        ]
        what = f"classes have no row to validate on: {shortened(told)}; they are learned from."
        warnings.warn(DataWarning(what, len(told), len(classes)), stacklevel=4)
    if np.ceil(share * len(labels)) < (~absent).sum():
        what = "rows are held out for validation, so that each class has one there."
        warnings.warn(DataWarning(what, int(chosen.sum()), len(labels)), stacklevel=4)


def _is_weight(value: object) -> TypeGuard[float]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < cast(float, value) < np.inf


def _required(targets: Array | None, owner: str) -> Array:
    if targets is None:
        raise InputError(message(owner, "y", "given: one label a row", None))
    return targets


def shortened(words: Iterable[str], most: int = 12) -> str:
    """Put words in a line, the first few of many.

    Example:
        >>> shortened(["ham", "spam", "scam"], most=2)
        'ham, spam, ...'
    """
    listed = list(words)
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")

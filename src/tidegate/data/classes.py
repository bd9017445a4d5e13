"""ClassEncoder: labels in, numbers of classes out, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.tables.columns import plain_text
from tidegate.data.text.cleaning import WITHOUT_SURROGATES, lone_surrogate
from tidegate.errors import InputError, message

CLASSES = "classes"
"""Where a saved model keeps the labels."""


def read_labels(values: Sequence[object], owner: str) -> Array:
    """Check labels.

    Args:
        values: One label a row: all texts, all integers or all True/False; 1.0 counts as 1.
        owner: Who complains.

    Returns:
        The labels `[rows]`.

    Raises:
        InputError: If one is something else; the message names its row.

    Example:
        >>> read_labels(["no", "yes"], "docs").tolist()
        ['no', 'yes']
    """
    labels = [
        int(label) if isinstance(label, float) and label.is_integer() else label for label in values
    ]
    kinds = {type(label) for label in labels}
    if len(kinds) > 1 or not kinds <= {str, int, bool}:
        allowed = (str, int, bool) if kinds - {str, int, bool} else (type(labels[0]),)
        row = next(row for row, label in enumerate(labels) if type(label) not in allowed)
        rule = "a text, an integer or True/False, of one kind in all rows"
        got = f"{labels[row]!r} in row {row + 1}"
        raise InputError(message(owner, "y", rule, got, "Correct that row or drop it"))
    for label in set(labels) if kinds == {str} else ():
        if found := lone_surrogate(str(label)):
            got = f"{found} in row {labels.index(label) + 1}"
            raise InputError(message(owner, "y", "valid Unicode", got, WITHOUT_SURROGATES))
    return np.array(labels)


def find_labels(labels: Iterable[object], classes: Sequence[object]) -> list[int | None]:
    """Find labels among classes, whether a file or Python spelled them.

    A label is the class of the same text: 1 and "1" are one, "007" and 7 are not. Where there is
    no such class, true and false are the one class that differs in nothing but case.

    Args:
        labels: Labels.
        classes: The labels of the classes.

    Returns:
        For each label the place of its class, None where it has none.

    Example:
        >>> find_labels(["no", "True", 1], ["no", "true"])
        [0, 1, None]
    """
    texts = [str(plain_text(known)) for known in classes]
    places: dict[str, int | None] = {text: place for place, text in enumerate(texts)}
    folded = [text.lower() for text in texts]
    found = []
    for label in labels:
        text = str(plain_text(label))
        if text not in places and (truth := text.lower()) in ("true", "false"):
            places[text] = folded.index(truth) if folded.count(truth) == 1 else None
        found.append(places.get(text))
    return found


def nearest_label(label: object, classes: Sequence[object]) -> str:
    """Say which class a label that is none differs from by its spelling alone; else nothing.

    Example:
        >>> nearest_label("pos ", ["neg", "pos"])
        "It differs from 'pos' in nothing but white space or case: correct it"
    """
    plain = str(label).strip().lower()
    near = [known for known in classes if str(known).strip().lower() == plain]
    if near:
        return f"It differs from {near[0]!r} in nothing but white space or case: correct it"
    return ""


class ClassEncoder:
    """Numbers the classes of a classifier by their sorted labels.

    Args:
        owner: Who complains.

    Attributes:
        classes: The labels, sorted, index = number, `[C]`; empty before `fit`.

    Example:
        >>> encoder = ClassEncoder().fit(np.array(["spam", "ham", "spam"]))
        >>> encoder.encode(np.array(["ham", "spam"])).tolist(), encoder.decode(np.array([1]))
        ([0, 1], array(['spam'], dtype='<U4'))
    """

    def __init__(self, owner: str = "ClassEncoder") -> None:
        self.owner = owner
        self.classes: Array = np.zeros(0, str)

    def __len__(self) -> int:
        """Number of classes C."""
        return len(self.classes)

    def fit(self, labels: Array) -> ClassEncoder:
        """Learn the classes.

        Args:
            labels: Those of the training rows `[rows]`.

        Returns:
            This encoder.

        Raises:
            InputError: If they are all the same, or there are none.
        """
        classes = np.unique(labels)
        if len(classes) < 2:
            got = f"only {classes.tolist()[0]!r}" if len(classes) else "no rows"
            remedy = "Check the label column; a classifier needs examples of each class"
            rule = "labels of at least two classes"
            raise InputError(message(self.owner, "y", rule, got, remedy))
        self.classes = classes
        return self

    def encode(self, labels: Array) -> Array:
        """Turn labels `[rows]` into numbers of classes `[rows]` int64.

        Raises:
            InputError: If a label was not seen in `fit`; the message names its row.
        """
        known, given = self.classes.tolist(), labels.tolist()
        numbers = find_labels(given, known)
        if None in numbers:
            row = numbers.index(None)
            more = len({given[row] for row, number in enumerate(numbers) if number is None}) - 1
            others = f" and {more:,} more labels" if more else ""
            rule = f"made of the labels seen in training, {', '.join(map(repr, known[:20]))}"
            got = f"{given[row]!r} in row {row + 1}{others}"
            remedy = "Correct those labels or drop the rows; for new classes, fit a new model"
            remedy = nearest_label(given[row], known) or remedy
            raise InputError(message(self.owner, "y", rule, got, remedy))
        return np.array(numbers, dtype=np.int64)

    def decode(self, numbers: Array) -> Array:
        """Turn numbers of classes `[rows]` into labels `[rows]`."""
        labels: Array = self.classes[numbers]
        return labels

    def to_files(self) -> dict[str, object]:
        """Return what `from_files` needs: the labels, by the name `CLASSES`."""
        return {CLASSES: self.classes.tolist()}

    @classmethod
    def from_files(cls, files: Mapping[str, object], owner: str = "load") -> ClassEncoder:
        """Take back what `to_files` gave, trusting nothing in it.

        Args:
            files: The labels by the name `CLASSES`; other names are left alone.
            owner: Who complains.

        Raises:
            InputError: If they are no labels of several classes.
        """
        found = files[CLASSES]
        if not isinstance(found, list):
            raise InputError(message(owner, CLASSES, "a list of labels", type(found).__name__))
        return cls(owner).fit(read_labels(found, owner))

"""Splits: the files of a fit, those that train, validate and test, checked against each other."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tidegate.data.classes import nearest_label
from tidegate.errors import InputError, message, quoted, suggest
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.files.reading import ROW, Reads, Split, read_split
from tidegate.tasks.core.raw import Evaluation, Raw
from tidegate.training.network import Metrics
from tidegate.training.progress import Event

# What a --split column may say, and the part that it means.
_PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


class Fits(Reads, Protocol):
    """A task, as far as learning from files goes."""

    metrics_: dict[str, Metrics]

    def fit(
        self,
        X: Raw,
        y: Raw = None,
        *,
        validation: float | tuple[Raw, Raw] | None = 0.1,
        sample_weight: Raw = None,
        callbacks: Sequence[Callable[[Event], object]] = (),
        checkpoint: str | Path | None = None,
        resume: bool = False,
    ) -> object:
        """Learn from examples."""

    def evaluate(
        self, X: Raw, y: Raw = None, *, sample_weight: Raw = None, report: bool = False
    ) -> Evaluation:
        """Measure on labelled data."""

    def unseen(self, y: Raw, others: Raw) -> list[int]:
        """Positions of targets that cannot be learned from `y`."""


@dataclass(frozen=True)
class Splits:
    """What a task is fitted, validated and measured on.

    Attributes:
        train: The rows to learn from.
        validation: The rows that choose the best epoch, their share of `train`, or None.
        test: The rows to measure the finished task on, or None.
    """

    train: Split
    validation: Split | float | None
    test: Split | None

    def fit(self, task: Fits, *, checkpoint: Path, resume: bool) -> Evaluation:
        """Fit a task and measure it, after all parts have been checked against each other.

        Args:
            task: The task.
            checkpoint: The folder that keeps what is needed to go on after a crash.
            resume: Whether to go on from it.

        Returns:
            What `Task.evaluate(report=True)` found on the test rows; nothing without such rows.

        Raises:
            InputError: If a row, or a part beside another, is wrong.
            TrainingError: If the loss stops being a number.
        """
        with self.train.naming(task):
            X, y = self.train.rows(task)
        held = self.validation
        if isinstance(held, Split):
            _check_targets(task, held, y)
        if self.test is not None:
            _check_targets(task, self.test, y)
        validation = held.rows(task) if isinstance(held, Split) else held
        with self.train.naming(task):
            task.fit(X, y, validation=validation, checkpoint=checkpoint, resume=resume)
        task.columns_ = dict(self.train.columns)
        if self.test is None:
            return {}
        found = measure_split(task, self.test)
        task.metrics_["test"] = {name: found[name] for name in task.metrics_["train"]}
        return found


def measure_split(task: Fits, split: Split, options: Mapping[str, Raw] | None = None) -> Evaluation:
    """Evaluate a fitted task on the rows of a file, with all details.

    Args:
        task: The task.
        split: The rows.
        options: What is said to its `evaluate` besides.

    Returns:
        What `Task.evaluate` found.

    Raises:
        InputError: If a row is wrong; it names the file and the column.
    """
    with split.naming(task):
        found = task.evaluate(*split.rows(task), report=True, **(options or {}))
    by_class = found.get("per_class", {})
    absent = [repr(label) for label, told in by_class.items() if not told["support"]]
    if absent:
        told = f"{split.source}: no row has the label {' or '.join(absent)}."
        warnings.warn(DataWarning(told), stacklevel=2)
    return found


def read_splits(task: Reads, columns: Mapping[str, str], values: Mapping[str, Raw]) -> Splits:
    """Read all the files of a fit.

    Args:
        task: The task that will read them.
        columns: The column of each role.
        values: The parameters `data`, `validation`, `test`, `split` and `drop_missing`.

    Returns:
        The parts, every row complete.

    Raises:
        InputError: If a file, a column or a row is wrong.
    """
    drop = values["drop_missing"]
    given = values["validation"]
    share = 0.1 if given is None else _share(given)
    table = read_split(task, values["data"], columns, drop, also=values["split"])
    parts: dict[str, Split] = {"train": table}
    if values["split"] is not None:
        parts = _divided(table, values["split"])
    for name in ("validation", "test"):
        path = values[name]
        if path is not None and name in parts:
            remedy = f"Leave out --{name}, or the rows"
            got = f"{name} rows in `{values['split']}` besides"
            raise InputError(message("fit", f"--{name}", "the only one of its kind", got, remedy))
        if path is not None and (name == "test" or share is None):
            parts[name] = read_split(task, path, columns, drop)
    validation = parts.get("validation", share or None)
    return Splits(parts["train"], validation, parts.get("test"))


def _check_targets(task: Fits, split: Split, known: Raw) -> None:
    """Refuse targets of validation or test rows that the training rows rule out."""
    with split.naming(task):
        _, targets = split.rows(task)
        unseen = task.unseen(known, targets)
    if not unseen:
        return
    first = unseen[0]
    column = split.columns[str(task.target_role)]
    others = f", and {len(unseen) - 1} more such rows" if len(unseen) > 1 else ""
    got = f"{quoted(targets[first])} in row {split.number(first)}{others}"
    hint = nearest_label(targets[first], known if isinstance(known[0], str) else ())
    remedy = hint or "Correct those labels, drop the rows, or add such rows to the training data"
    rule = "made of the labels seen in training"
    raise InputError(message(split.source, column, rule, got, remedy))


def _share(text: str) -> float | None:
    """Read --validation as a number; 0 or "none" is no validation, None is the name of a file."""
    if text.lower() == "none":
        return 0.0
    try:
        share = float(text)
    except ValueError:
        return None
    if not 0 <= share < 1:
        remedy = "0.1 holds out a tenth of the rows; none holds out nothing"
        rule = "a file, or a share of the rows from 0 to below 1"
        raise InputError(message("fit", "--validation", rule, text, remedy))
    return share


def _divided(table: Split, column: str) -> dict[str, Split]:
    """Divide a table by a column that names the part of each row."""
    if column not in table.frame:  # it was in the file: rows that became one differed in it
        rule = "the same in all rows of a sequence"
        remedy = "Give all rows of a sequence one part"
        raise InputError(message(table.source, column, rule, "different parts", remedy))
    names = table.frame[column].astype(str).str.strip().str.lower().map(_PARTS)
    wrong = names.isna()
    if wrong.any():
        row = table.frame[wrong].iloc[0]
        rule, got = (
            "train, validation or test in each row",
            f"{quoted(row[column])} in row {row[ROW]}",
        )
        raise InputError(
            message(table.source, column, rule, got, suggest(str(row[column]), _PARTS))
        )
    if not (names == "train").any():
        raise InputError(message(table.source, column, "train in some rows", "none such"))
    return {
        name: Split(table.source, table.columns, table.frame[names == name])
        for name in dict.fromkeys(names)
    }

"""Tables as the commands read them: columns by role, parts by file or by a column."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.cli import console
from tidegate.cli.commands import flag
from tidegate.errors import InputError, message, suggest

if TYPE_CHECKING:
    import pandas as pd

    from tidegate.tasks.core.task import Task

ROW = "\0row"  # no column of a file begins like this

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


@dataclass(frozen=True)
class Part:
    """The rows of a table that serve one purpose, checked.

    Attributes:
        source: The file's name, for messages.
        columns: The column of each role.
        frame: The rows, with their number in the file, from 1, in the column `ROW`.
        given: X and y of a file that the task reads itself and not as a table, or None.
    """

    source: str
    columns: Mapping[str, str]
    frame: pd.DataFrame
    given: tuple[Any, Any] | None = None

    def rows(self, task: Task) -> tuple[Any, Any]:
        """Return X and y."""
        if self.given is not None:
            return self.given
        X, y = task.inputs(self.frame, self.columns)
        return X, y

    def number(self, place: int) -> int:
        """Return the number in the file, from 1, of the row at a place, from 0."""
        return place + 1 if self.given is not None else int(self.frame[ROW].iloc[place])

    def measure(self, task: Task) -> dict[str, Any]:
        """Evaluate a fitted task on the rows, with all details."""
        with self.naming(task):
            found = task.evaluate(*self.rows(task), report=True)
        by_class = found.get("per_class", {})
        absent = [repr(label) for label, told in by_class.items() if not told["support"]]
        if absent:
            console.warning(f"{self.source}: no row has the label {' or '.join(absent)}.")
        return found

    @contextlib.contextmanager
    def naming(self, task: Task) -> Iterator[None]:
        """Let an error about `X` or `y` name the file and the column instead."""
        try:
            yield
        except InputError as error:
            from tidegate.data.tags.table import located

            text = located(error, self.frame)
            sides = (("X", task.input_role), ("y", task.target_role or ""))
            for argument, role in (*sides, *((role, role) for role in task.roles)):
                start = f"{type(task).__name__}: `{argument}`"
                column = self.columns.get(role)
                if column is not None and text.startswith(start):
                    told = f"{self.source}: `{column}`{text.removeprefix(start)}"
                    raise InputError(told) from error
            raise


@dataclass(frozen=True)
class Parts:
    """What a task is fitted, validated and measured on.

    Attributes:
        train: The rows to learn from.
        validation: The rows that choose the best epoch, their share of `train`, or None.
        test: The rows to measure the finished task on, or None.
    """

    train: Part
    validation: Part | float | None
    test: Part | None

    def fit(self, task: Task, *, checkpoint: Path, resume: bool) -> dict[str, Any]:
        """Fit a task and measure it, after all parts have been checked against each other.

        Returns:
            What `Task.evaluate(report=True)` found on the test rows; nothing without such rows.
        """
        with self.train.naming(task):
            X, y = self.train.rows(task)
        held = self.validation
        if isinstance(held, Part):
            _check_targets(task, held, y)
            held_out: Any = held.rows(task)
        else:
            held_out = held
        if self.test is not None:
            _check_targets(task, self.test, y)
        with self.train.naming(task):
            task.fit(
                X,
                y,
                validation=held_out,
                checkpoint=checkpoint,
                resume=resume,
            )
        task.columns_ = dict(self.train.columns)
        if self.test is None:
            return {}
        found = self.test.measure(task)
        task.metrics_["test"] = {name: found[name] for name in task.metrics_["train"]}
        return found


def _check_targets(task: Task, part: Part, known: Any) -> None:
    """Refuse targets of validation or test rows that the training rows rule out."""
    with part.naming(task):
        _, targets = part.rows(task)
        unseen = task.unseen(known, targets)
    if not unseen:
        return
    first = unseen[0]
    column = part.columns[str(task.target_role)]
    others = f", and {len(unseen) - 1} more such rows" if len(unseen) > 1 else ""
    got = f"{targets[first]!r} in row {part.number(first)}{others}"
    remedy = "Correct those labels, drop the rows, or add such rows to the training data"
    rule = "made of the labels seen in training"
    raise InputError(message(part.source, column, rule, got, remedy))


def fitted_columns(task: Task, given: Mapping[str, str | None]) -> dict[str, str]:
    """Say which column a fitted task reads for each role.

    Args:
        task: The task.
        given: Column by role, None where the user named none; roles of other tasks among them.

    Returns:
        Column by role: as given, else as in training, else of the role's own name.

    Raises:
        InputError: If a role was given that this task does not have.
    """
    for role, column in given.items():
        if column is not None and role not in task.roles:
            rule = f"left out for a {task.task_name()}"
            raise InputError(message("model", flag(role), rule, column))
    known = {role: given.get(role) or task.columns_.get(role) for role in task.roles}
    return {
        role: column or role
        for role, column in known.items()
        if column or role not in task.optional_roles
    }


def read_parts(task: Task, columns: Mapping[str, str], values: Mapping[str, Any]) -> Parts:
    """Read all the tables of a `fit`.

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
    table = read_part(task, values["data"], columns, drop, also=values["split"])
    parts: dict[str, Part] = {"train": table}
    if values["split"] is not None:
        parts = _split(table, values["split"])
    for name in ("validation", "test"):
        path = values[name]
        if path is not None and name in parts:
            remedy = f"Leave out --{name}, or the rows"
            got = f"{name} rows in `{values['split']}` besides"
            raise InputError(message("fit", f"--{name}", "the only one of its kind", got, remedy))
        if path is not None and (name == "test" or share is None):
            parts[name] = read_part(task, path, columns, drop)
    validation = parts.get("validation", share or None)
    return Parts(parts["train"], validation, parts.get("test"))


def read_part(
    task: Task,
    path: Path | str,
    columns: Mapping[str, str],
    drop_missing: bool,
    *,
    also: str | None = None,
) -> Part:
    """Read the columns of one table that a task needs.

    Args:
        task: The task.
        path: The file.
        columns: The column of each role.
        drop_missing: Whether to leave out rows with an empty cell instead of stopping.
        also: One more column to read.

    Returns:
        The rows, every one complete.

    Raises:
        InputError: If the file, a column or a row is wrong.
    """
    import pandas as pd

    from tidegate.data import read_table

    given = task.read_file(Path(path), columns)
    if given is not None:
        if also is not None:
            rule = "left out for a file that is no table"
            raise InputError(message("fit", "--split", rule, also))
        return Part(str(path), columns, pd.DataFrame(), given)
    named, text = task.read_columns(columns)
    wanted = None if named is None else list(dict.fromkeys([*named, *([also] if also else [])]))
    frame = read_table(path, columns=wanted, text=text)
    frame[ROW] = range(1, len(frame) + 1)
    frame, dropped = task.check_table(frame, columns, drop_missing=drop_missing, source=str(path))
    if dropped:
        console.warning(f"{path}: {dropped:,} rows with an empty cell were left out.")
    return Part(str(path), columns, frame)


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


def _split(table: Part, column: str) -> dict[str, Part]:
    """Divide a table by a column that names the part of each row."""
    if column not in table.frame:  # it was in the file: rows that became one differed in it
        rule = "the same in all rows of a sequence"
        raise InputError(message(table.source, column, rule, "different parts"))
    names = table.frame[column].astype(str).str.strip().str.lower().map(_PARTS)
    wrong = names.isna()
    if wrong.any():
        row = table.frame[wrong].iloc[0]
        rule, got = "train, validation or test in each row", f"{row[column]!r} in row {row[ROW]}"
        raise InputError(
            message(table.source, column, rule, got, suggest(str(row[column]), _PARTS))
        )
    if not (names == "train").any():
        raise InputError(message(table.source, column, "train in some rows", "none such"))
    return {
        name: Part(table.source, table.columns, table.frame[names == name])
        for name in dict.fromkeys(names)
    }

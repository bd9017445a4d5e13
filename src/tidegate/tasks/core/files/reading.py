"""Reading: how a task takes X and y out of a file, and what is said of a file that is wrong."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import pandas as pd

from tidegate.data.tables.complete import is_missing
from tidegate.data.tables.reader import read_table
from tidegate.errors import InputError, message
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.raw import Raw

ROW = "\0row"  # no column of a file begins like this


class Reads(Protocol):
    """A task, as far as files go; its attributes and hooks are those of `Task`."""

    roles: ClassVar[Mapping[str, str]]
    input_role: ClassVar[str]
    target_role: ClassVar[str | None]
    optional_roles: ClassVar[tuple[str, ...]]
    columns_: Mapping[str, str]

    @classmethod
    def task_name(cls) -> str:
        """The kebab-case name."""

    def read_file(self, path: Path, columns: Mapping[str, str]) -> tuple[Raw, Raw] | None:
        """X and y of a file that is no table, or None."""

    def read_columns(
        self, columns: Mapping[str, str]
    ) -> tuple[Sequence[str] | None, Sequence[str]]:
        """Which columns to read, and which of them stay text."""

    def check_table(
        self, frame: pd.DataFrame, columns: Mapping[str, str], *, drop_missing: bool, source: str
    ) -> tuple[pd.DataFrame, int]:
        """The rows that can be used, and how many were left out."""

    def inputs(self, frame: pd.DataFrame, columns: Mapping[str, str]) -> tuple[Raw, Raw]:
        """X and y out of a table."""

    def located(self, error: InputError, frame: pd.DataFrame) -> str:
        """What an error says, with the place in the file."""


@dataclass(frozen=True)
class Split:
    """The rows of a file that serve one purpose, such as training, checked.

    Attributes:
        source: The file's name, for messages.
        columns: The column of each role.
        frame: The rows, with their number in the file, from 1, in the column `ROW`.
        given: X and y of a file that the task reads itself and not as a table, or None.
    """

    source: str
    columns: Mapping[str, str]
    frame: pd.DataFrame
    given: tuple[Raw, Raw] | None = None

    def rows(self, task: Reads) -> tuple[Raw, Raw]:
        """Return X and y."""
        if self.given is not None:
            return self.given
        return task.inputs(self.frame, self.columns)

    def number(self, place: int) -> int:
        """Return the number in the file, from 1, of the row at a place, from 0."""
        return place + 1 if self.given is not None else int(self.frame[ROW].iloc[place])

    @contextlib.contextmanager
    def naming(self, task: Reads) -> Iterator[None]:
        """Let an error about `X` or `y` name the file and the column instead."""
        try:
            yield
        except InputError as error:
            text = task.located(error, self.frame)
            sides = (("X", task.input_role), ("y", task.target_role or ""))
            for argument, role in (*sides, *((role, role) for role in task.roles)):
                start = f"{type(task).__name__}: `{argument}`"
                column = self.columns.get(role)
                if column is not None and text.startswith(start):
                    told = f"{self.source}: `{column}`{text.removeprefix(start)}"
                    raise InputError(told) from error
            raise


def fitted_columns(task: Reads, given: Mapping[str, str | None]) -> dict[str, str]:
    """Say which column a fitted task reads for each role.

    Args:
        task: The task.
        given: Column by role, None where the user named none.

    Returns:
        Column by role: as given, else as in training, else of the role's own name.
    """
    known = {role: given.get(role) or task.columns_.get(role) for role in task.roles}
    return {
        role: column or role
        for role, column in known.items()
        if column or role not in task.optional_roles
    }


def read_split(
    task: Reads,
    path: Path | str,
    columns: Mapping[str, str],
    drop_missing: bool,
    *,
    also: str | None = None,
    answering: bool = False,
) -> Split:
    """Read what a task needs of one file.

    Args:
        task: The task.
        path: The file.
        columns: The column of each role.
        drop_missing: Whether to leave out rows with an empty cell instead of stopping.
        also: One more column to read.
        answering: Whether the rows are only to be answered: targets need not be there.

    Returns:
        The rows, every one complete.

    Raises:
        InputError: If the file, a column or a row is wrong.
    """
    given = task.read_file(Path(path), columns)
    if given is not None:
        if also is not None:
            rule = "left out for a file that is no table"
            raise InputError(message("fit", "--split", rule, also))
        return Split(str(path), columns, pd.DataFrame(), given)
    named, text = task.read_columns(columns)
    wanted = None if named is None else list(dict.fromkeys([*named, *([also] if also else [])]))
    frame = read_table(path, columns=wanted, text=text)
    if answering:
        frame, columns = _without_targets(task, frame, columns)
    frame[ROW] = range(1, len(frame) + 1)
    frame, dropped = task.check_table(frame, columns, drop_missing=drop_missing, source=str(path))
    warn_of_dropped(path, dropped, "cell")
    return Split(str(path), columns, frame)


def _without_targets(
    task: Reads, frame: pd.DataFrame, columns: Mapping[str, str]
) -> tuple[pd.DataFrame, Mapping[str, str]]:
    """Leave out a column of targets that some rows do not have."""
    target = columns.get(task.target_role or "")
    if target is None or (target in frame and not is_missing(frame[target]).any()):
        return frame, columns
    others = {role: name for role, name in columns.items() if role != task.target_role}
    return frame.drop(columns=target, errors="ignore"), others


def read_row(task: Reads, path: Path, given: Mapping[str, str | None], number: int) -> Raw:
    """Read one input of a file.

    Args:
        task: The fitted task.
        path: The file.
        given: Column by role, None where the user named none.
        number: Which input, from 1.

    Returns:
        The input.

    Raises:
        InputError: If something is wrong with the file, or it has no such input.
    """
    columns = fitted_columns(task, given)
    columns.pop(task.target_role or "", None)
    split = read_split(task, path, columns, False)
    X, _ = split.rows(task)
    if not 1 <= number <= len(X):
        rule = f"from 1 to {len(X)}, the rows of {path}"
        raise InputError(message("explain", "--row", rule, number))
    return X[number - 1]


def warn_of_dropped(path: Path | str, dropped: int, what: str) -> None:
    """Tell how many rows of a file were left out because something in them was empty."""
    if dropped:
        told = f"{path}: {dropped:,} rows with an empty {what} were left out."
        warnings.warn(DataWarning(told), stacklevel=3)

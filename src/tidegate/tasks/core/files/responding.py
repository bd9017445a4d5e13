"""Responding: how a task that answers rows answers a file, or texts as they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import pandas as pd

from tidegate.data.tables.complete import clean_rows, is_missing
from tidegate.data.tables.reader import iter_table, read_table
from tidegate.errors import InputError, message
from tidegate.tasks.core.examples import names_are_texts
from tidegate.tasks.core.files.answer import Answer, Question, TableAnswer, beside
from tidegate.tasks.core.files.reading import (
    ROW,
    Reads,
    fitted_columns,
    read_split,
    warn_of_dropped,
)
from tidegate.tasks.core.raw import Answers, Raw


class Responds(Reads, Protocol):
    """A task, as far as answers to files go."""

    whole_tables: ClassVar[bool]

    def answer(self, X: Raw) -> Answers:
        """Columns of answers by name, `prediction` first."""


def respond(task: Responds, question: Question) -> Answer:
    """Answer a file or texts; what `tidegate predict` shows.

    Args:
        task: The fitted task.
        question: What is asked.

    Returns:
        The answer, which is made while it is shown or saved.

    Raises:
        InputError: If something is wrong with the file, or the task answers no such thing.
    """
    path, role = question.path, task.input_role
    if task.whole_tables and question.more:
        raise question.refused("one table")
    if path is not None and task.whole_tables:
        return TableAnswer(iter([_answer_table(task, path, question)]))
    if path is not None:
        column = _column(task, path, question.columns)
        frames = _all_frames(question.paths, column, question.drop_missing)
        return TableAnswer(_answered(task, frames, column), column)
    if question.texts is None or task.whole_tables:
        rule = "a table" if task.whole_tables else "a table, texts or -"
        raise question.refused(rule)
    chunks = (pd.DataFrame({role: texts}) for texts in question.texts)
    return TableAnswer(_answered(task, chunks, role), role, "lines" if question.live else "table")


def _answered(
    task: Responds, frames: Iterator[pd.DataFrame], column: str
) -> Iterator[pd.DataFrame]:
    for frame in frames:
        X, _ = task.inputs(frame, {task.input_role: column})
        with names_are_texts():
            answers = task.answer(X)
        yield beside(frame, answers)


def _answer_table(task: Responds, path: Path, question: Question) -> pd.DataFrame:
    """A row for each answer to a table whose rows belong together."""
    columns = fitted_columns(task, question.columns)
    split = read_split(task, path, columns, question.drop_missing, answering=True)
    with split.naming(task):
        answers = task.answer(split.rows(task)[0])
    own = [name for name in split.frame.columns if str(name).startswith(ROW[0])]
    return beside(split.frame.drop(columns=own), answers)


def _column(task: Responds, path: Path, given: Mapping[str, str | None]) -> str:
    """Say which column of a file to answer; that of a .txt is always called text."""
    if path.name.lower().endswith((".txt", ".txt.gz")) and not any(given.values()):
        return "text"
    return fitted_columns(task, given)[task.input_role]


def _all_frames(paths: Sequence[Path], column: str, drop_missing: bool) -> Iterator[pd.DataFrame]:
    """Read files one after the other as if they were one; what is wrong is found before."""
    first, *others = ([*next(iter_table(path)).columns] for path in paths)
    for path, found in zip(paths[1:], others, strict=True):
        if sorted(found) != sorted(first):
            rule, remedy = f"those of {paths[0]}, {first}", "Answer each file by itself"
            raise InputError(message(str(path), "columns", rule, found, remedy))
    for frames in [_file_frames(path, column, drop_missing) for path in paths]:
        for frame in frames:
            yield frame[first] if others else frame


def _file_frames(path: Path, column: str, drop_missing: bool) -> Iterator[pd.DataFrame]:
    """Check a whole file before its first answer, then read it piece by piece.

    Raises:
        InputError: If something is wrong with the file.
    """
    texts = read_table(path, columns=[column], text=[column])
    _, dropped = clean_rows(texts, column, None, drop_missing, str(path))
    warn_of_dropped(path, dropped, column)
    del texts
    for frame in iter_table(path):
        kept = frame[~is_missing(frame[column])]
        if len(kept):
            yield clean_rows(kept, column, None, drop_missing, str(path))[0]

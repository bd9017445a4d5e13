"""Answer: what `predict` found, for people and programs; and Question, what was asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tidegate.data.tables.formats import table_suffix
from tidegate.data.tables.writer import WRITABLE, table_text, write_table
from tidegate.errors import InputError, message, suggest
from tidegate.tasks.core.raw import Raw
from tidegate.terminal import Screen, cell, one_line, visible


@dataclass(frozen=True)
class Question:
    """What a fitted task is asked: to answer a file, or texts as they come.

    Attributes:
        path: The file, or None.
        texts: Texts, some at a time as they come; None where there is a file or nothing.
        live: Whether the texts are lines that come one after the other.
        columns: The column of each role, None where the user named none.
        drop_missing: Whether to leave out rows with an empty cell instead of stopping.
        options: What the task lets be said besides, by name; see `Task.predict_options`.
        more: Further files, which are read one after the other.
    """

    path: Path | None = None
    texts: Iterable[list[str]] | None = None
    live: bool = False
    columns: Mapping[str, str | None] = field(default_factory=dict)
    drop_missing: bool = False
    options: Mapping[str, Raw] = field(default_factory=dict)
    more: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files, in their order."""
        return () if self.path is None else (self.path, *self.more)

    def refused(self, rule: str) -> InputError:
        """Say that a task answers no such thing.

        Args:
            rule: What DATA must be.
        """
        given = (t for some in self.texts or () for t in some)
        words = "-" if self.live else " ".join([*map(str, self.paths), *given])
        return InputError(message("predict", "DATA", rule, words or "nothing"))


class Answer(ABC):
    """What `predict` found; it is made piece by piece, while it is shown or saved.

    Attributes:
        formats: The forms in which it can be printed.
        suffixes: The files it can be written to, each perhaps followed by .gz.
        form: The form in which it is printed unless the user says how.
        rows: How many rows have been answered so far.
    """

    formats: ClassVar[tuple[str, ...]] = ()
    suffixes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, form: str) -> None:
        self.form = form
        self.rows = 0

    @abstractmethod
    def show(self, form: str, to: Console) -> None:
        """Print it, each piece as soon as it is there.

        Args:
            form: One of `formats`.
            to: Where; what is for programs goes to its file as it is.
        """

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write it to a file, as its suffix says; a crash leaves an old one whole.

        Raises:
            InputError: If it cannot be written.
        """

    @classmethod
    def check_form(cls, form: str) -> None:
        """Raise an InputError if there is no such form."""
        if form not in cls.formats:
            rule = f"one of {', '.join(cls.formats)}"
            remedy = suggest(form, cls.formats, listed=True)
            raise InputError(message("predict", "--format", rule, form, remedy))

    @classmethod
    def check_path(cls, path: Path) -> None:
        """Raise an InputError if no such file can be written."""
        table_suffix(path, cls.suffixes)


class TableAnswer(Answer):
    """Rows with their answers beside them.

    Args:
        frames: Tables of rows, with the column `prediction` and any `probability_CLASS`.
        shown: The column to show beside the answers in a readable table.
        form: See `Answer`.

    Example:
        >>> frame = pd.DataFrame({"text": ["a fine film"], "prediction": ["good"]})
        >>> TableAnswer(iter([frame]), "text").show("csv", Console())
        text,prediction
        a fine film,good
    """

    formats = ("table", "lines", "csv", "tsv", "jsonl")
    suffixes = WRITABLE

    def __init__(self, frames: Iterator[pd.DataFrame], shown: str = "", form: str = "csv") -> None:
        super().__init__(form)
        self._frames, self._shown = frames, shown

    def show(self, form: str, to: Console) -> None:
        """Print the rows as they are answered."""
        write = self._writer(form, to)
        for frame in self._counted():
            write(frame)

    def save(self, path: Path) -> None:
        """Write a table."""
        write_table(self._counted(), path)

    def _counted(self) -> Iterator[pd.DataFrame]:
        for frame in self._frames:
            self.rows += len(frame)
            yield frame

    def _writer(self, form: str, to: Console) -> Callable[[pd.DataFrame], None]:
        if form == "table":
            return lambda frame: to.print(_readable(frame, self._shown))
        if form == "lines":
            return lambda frame: _write_lines(frame, Screen(to.file))
        return _table_writer(form, Screen(to.file))


def beside(frame: pd.DataFrame, answers: Mapping[str, Sequence[Raw]]) -> pd.DataFrame:
    """Put answers beside the rows of a table.

    Args:
        frame: The rows.
        answers: Values by name, one a row.

    Returns:
        The frame with the answers as its last columns, probabilities to six digits.

    Raises:
        InputError: If the frame has a column of such a name.
    """
    taken = [name for name in answers if name in frame.columns]
    if taken:
        rule, remedy = "free for the answers", "Rename that column of the table"
        raise InputError(message("predict", taken[0], rule, "a column of this name", remedy))
    columns = [
        pd.Series(
            [round(value, 6) for value in values] if name.startswith("probability_") else values,
            frame.index,
            name=name,
        )
        for name, values in answers.items()
    ]
    return pd.concat([frame, *columns], axis=1)


def _table_writer(form: str, handle: Screen) -> Callable[[pd.DataFrame], None]:
    first = True

    def write(frame: pd.DataFrame) -> None:
        nonlocal first
        handle.write(table_text(frame, f".{form}", header=first))
        first = False
        handle.flush()

    return write


def _write_lines(frame: pd.DataFrame, handle: Screen) -> None:
    for answer, probability in _answers(frame):
        more = [f"{probability:.4f}"] if probability is not None else []
        handle.write("\t".join([one_line(answer), *more]) + "\n")
    handle.flush()


def _readable(frame: pd.DataFrame, shown: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    if shown not in frame:
        return _whole(frame, table)
    answers = [_visible(answer) for answer in frame["prediction"]]
    # Only the last column may be cut when the terminal is narrow.
    widest = max(map(len, ["prediction", *answers]))
    table.add_column("prediction", no_wrap=True, style="bold", min_width=widest)
    if any(probability is not None for _, probability in _answers(frame)):
        table.add_column("probability", justify="right", no_wrap=True, min_width=len("probability"))
    table.add_column(cell(shown))
    for (answer, probability), value in zip(_answers(frame), frame[shown], strict=True):
        number = [f"{probability:.4f}"] if probability is not None else []
        text = Text(visible(" ".join(str(value).split())), no_wrap=True, overflow="ellipsis")
        table.add_row(Text(_visible(answer)), *number, text)
    return table


def _whole(frame: pd.DataFrame, table: Table) -> Table:
    """All columns of answers that are no rows of the user's."""
    for name, column in frame.items():
        number = pd.api.types.is_numeric_dtype(column)
        table.add_column(cell(name), justify="right" if number else "left", no_wrap=True)
    for row in frame.itertuples(index=False, name=None):
        table.add_row(*(Text(f"{value:,.6g}" if isinstance(value, float) else cell(value))
                        for value in row))  # fmt: skip
    return table


def _visible(answer: object) -> str:
    """Put quotes around an answer that would be nothing but a gap, such as a line end."""
    text = str(answer)
    return repr(text) if text.isspace() else cell(text)


def _answers(frame: pd.DataFrame) -> Iterator[tuple[object, float | None]]:
    """Yield the prediction of each row, and its probability where there is one."""
    names = [name for name in frame.columns if str(name).startswith("probability_")]
    best = frame[names].max(axis=1) if names else [None] * len(frame)
    yield from zip(frame["prediction"], best, strict=True)

"""`tidegate predict`: answers for a file, for texts on the command line, for lines as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from tidegate.cli import console, tag
from tidegate.cli.forecast import forecast, refuse_forecast_options
from tidegate.cli.paths import is_true, typed
from tidegate.cli.tables import ROW, fitted_columns, read_part
from tidegate.cli.writers import FORMATS, to_screen
from tidegate.errors import InputError, message

if TYPE_CHECKING:
    import pandas as pd

    from tidegate.tasks.core.task import Task

_PIPE_BYTES = 1 << 16  # read from standard input at once, or less when less is there
_TABLES = (".csv", ".tsv", ".jsonl", ".parquet", ".gz", ".txt", ".conll", ".conllu", ".iob", ".bio")


Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write here instead: .csv .tsv .jsonl .parquet, or .gz; tags to .conll and .txt too.",
    ),
]


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a saved model.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DATA|TEXT...|-",
            help="A table, a .txt, or for a tagger a .conll or .conllu file; or texts; or - for "
            "standard input. A forecaster may do without.",
        ),
    ] = None,
    out: Out = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(dict.fromkeys((*FORMATS, *tag.FORMATS))),
            help="How to print [dim](default: csv for a file, lines for -, else table; of a "
            "tagger conll, and text for texts)[/dim].",
        ),
    ] = None,
    drop_missing: Annotated[
        bool,
        typer.Option("--drop-missing", metavar="", help="Leave out rows with an empty cell."),
    ] = False,
    horizon: Annotated[
        int | None,
        typer.Option(metavar="N", help="Steps to forecast [dim](default as in training)[/dim]."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the forecast: .png .svg .pdf.")
    ] = None,
    **columns: str | None,
) -> None:
    """Answer new data with a saved model.

    A table keeps its rows and columns and gets prediction and, for classes, probability_CLASS.
    """
    from tidegate import tasks

    inputs = inputs or []
    path = _table(inputs)
    if path is None:
        inputs = [typed(text, "predict", "DATA") for text in inputs]
    task = tasks.load(model)
    if out is not None:
        _check_out(out, path, form, tags=tag.is_tagger(task))
    if tag.is_tagger(task):
        refuse_forecast_options(task, horizon, plot)
        _tag(task, path, inputs, columns, drop_missing, out, form)
        return
    _check_data(task, path, inputs, columns)
    sums = console.WarningSums()
    with sums.collected():
        if task.forecasts:
            found = Answers(iter([forecast(task, path, columns, horizon, plot)]))
        else:
            refuse_forecast_options(task, horizon, plot)
            found = _answers(task, path, inputs, columns, drop_missing, sums)
        _put(found, out, form)


def _tag(
    task: Task,
    path: Path | None,
    inputs: list[str],
    columns: Mapping[str, str | None],
    drop_missing: bool,
    out: Path | None,
    form: str | None,
) -> None:
    """Tag a file, the lines of standard input or the texts of the command line."""
    if path is not None:
        found = tag.tag_file(task, path, columns, drop_missing=drop_missing)
    else:
        _refuse_columns(columns)
        if not inputs:
            rule = "a CoNLL file, a table, texts or -"
            raise InputError(message("predict", "DATA", rule, "nothing"))
        lines = stream_lines(sys.stdin.buffer) if inputs == ["-"] else [inputs]
        found = tag.tag_texts(task, lines)
    if out is not None:
        tag.save(found, out)
        return
    form = form or ("conll" if path is not None or inputs == ["-"] else "text")
    tag.show(task, found, form)


@dataclass(frozen=True)
class Answers:
    """What a model says of some rows, piece by piece.

    Attributes:
        frames: Tables of rows and answers.
        column: The column that was answered; "" where the answers are not one for each row.
        form: How they are printed unless the user says how.
    """

    frames: Iterator[pd.DataFrame]
    column: str = ""
    form: str = "csv"


def _put(found: Answers, out: Path | None, form: str | None) -> None:
    """Write answers to a file, or print them as they come."""
    from tidegate.data import write_table

    if out is not None:
        write_table(found.frames, out)
        return
    show = to_screen(form or found.form, found.column)
    for frame in found.frames:
        show(frame)


def _check_data(
    task: Task, path: Path | None, inputs: list[str], columns: Mapping[str, str | None]
) -> None:
    """Refuse arguments that are not of a kind that the task answers."""
    if path is not None:
        return
    _refuse_columns(columns)
    if bool(inputs) == task.forecasts or task.whole_tables:
        rule = "a table, texts or -"
        if task.forecasts or task.whole_tables:
            rule = "a table, or left out" if task.forecasts else "a table"
        raise InputError(message("predict", "DATA", rule, " ".join(inputs) or "nothing"))


def _answers(
    task: Task,
    path: Path | None,
    inputs: list[str],
    columns: Mapping[str, str | None],
    drop_missing: bool,
    sums: console.WarningSums,
) -> Answers:
    """Answer a file, the lines of standard input or the texts of the command line."""
    if path is not None and task.whole_tables:
        return Answers(iter([answer_table(task, path, columns, drop_missing)]))
    if path is not None:
        column, form = _column(task, path, columns), "csv"
        frames = _file_frames(path, column, drop_missing)
    elif inputs == ["-"]:
        column, form = task.input_role, "lines"
        frames = (as_frame(column, lines) for lines in stream_lines(sys.stdin.buffer))
    else:
        column, form = task.input_role, "table"
        frames = iter([as_frame(column, inputs)])
    return Answers(_answered(task, frames, column, sums), column, form)


def _column(task: Task, path: Path, given: Mapping[str, str | None]) -> str:
    """Say which column of a file to answer; that of a .txt is always called text."""
    if path.name.endswith((".txt", ".txt.gz")) and not any(given.values()):
        return "text"
    return fitted_columns(task, given)[task.input_role]


def _answered(
    task: Task, frames: Iterator[pd.DataFrame], column: str, sums: console.WarningSums
) -> Iterator[pd.DataFrame]:
    for frame in frames:
        sums.rows += len(frame)
        yield answered(task, frame, column)


def stream_lines(stream: BinaryIO) -> Iterator[list[str]]:
    """Read lines as soon as they arrive, all that are there at once.

    Args:
        stream: Standard input, as bytes.

    Yields:
        Complete lines without their ends; the last one may lack it.

    Raises:
        InputError: If a line is not UTF-8; the lines before it have been yielded.
    """
    rest, done = b"", 0
    while chunk := stream.read1(_PIPE_BYTES):  # type: ignore[attr-defined]
        *whole, rest = (rest + chunk).split(b"\n")
        if whole:
            yield from _decoded(whole, done)
            done += len(whole)
    if rest:
        yield from _decoded([rest], done)


def _decoded(lines: list[bytes], done: int) -> Iterator[list[str]]:
    texts: list[str] = []
    for number, line in enumerate(lines, done + 1):
        try:
            texts.append(line.removesuffix(b"\r").decode("utf-8"))
        except UnicodeDecodeError as error:
            if texts:
                yield texts
            rule, got = "UTF-8 text", f"{error.object[error.start]:#x} in line {number}"
            remedy = "Convert it first, for example with iconv -f latin1 -t utf-8"
            raise InputError(message("predict", "standard input", rule, got, remedy)) from error
    yield texts


def _table(inputs: list[str]) -> Path | None:
    """Say which file the arguments name, or None when they are texts or -.

    Raises:
        InputError: If they name a folder.
    """
    if not inputs:
        return None
    first = Path(inputs[0])
    named = len(inputs) == 1 and inputs[0] != "-"
    if named and inputs[0] and is_true(first.is_dir):
        rule, remedy = "a file, or texts", "A text of this name can be given as a line of -"
        raise InputError(message("predict", "DATA", rule, f"the folder {inputs[0]}", remedy))
    if named and (is_true(first.is_file) or inputs[0].endswith(_TABLES)):
        return first  # a file that is missing is told of when it is read
    return None


def _file_frames(path: Path, column: str, drop_missing: bool) -> Iterator[pd.DataFrame]:
    """Check a whole file before its first answer, then read it piece by piece.

    Raises:
        InputError: If something is wrong with the file.
    """
    from tidegate.data import clean_rows, iter_table, read_table
    from tidegate.data.tables.complete import is_missing

    texts = read_table(path, columns=[column], text=[column])
    _, dropped = clean_rows(texts, column, None, drop_missing, str(path))
    if dropped:
        console.warning(f"{path}: {dropped:,} rows with an empty {column} were left out.")
    del texts
    for frame in iter_table(path):
        kept = frame[~is_missing(frame[column])]
        if len(kept):
            yield clean_rows(kept, column, None, drop_missing, str(path))[0]


def _refuse_columns(columns: Mapping[str, str | None]) -> None:
    if named := next(filter(None, columns.values()), None):
        raise InputError(message("predict", "COLUMN", "left out unless DATA is a table", named))


def _check_out(out: Path, path: Path | None, form: str | None, *, tags: bool) -> None:
    from tidegate.data.tables.formats import table_suffix
    from tidegate.data.tables.writer import WRITABLE

    if tags:
        tag.form_of(out)
    else:
        table_suffix(out, WRITABLE)
    if not out.absolute().parent.is_dir() or out.is_dir():
        rule = "a file in a folder that exists"
        raise InputError(message("predict", "--out", rule, str(out)))
    if path is not None and out.resolve() == path.resolve():
        raise InputError(message("predict", "--out", "another file than DATA", str(out)))
    if form is not None:
        remedy = "The suffix of --out says the format"
        raise InputError(message("predict", "--format", "left out with --out", form, remedy))


def as_frame(column: str, values: list[str]) -> pd.DataFrame:
    """Make a table of one column."""
    import pandas as pd

    frame: pd.DataFrame = pd.DataFrame({column: values})
    return frame


def answered(task: Task, frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Put a task's answers beside the rows.

    Args:
        task: The fitted task.
        frame: The rows.
        column: The column that it reads.

    Returns:
        The frame with `prediction`, and `probability_CLASS` where there are classes.

    Raises:
        InputError: If the frame has a column of such a name, or the rows are wrong.
    """
    X, _ = task.inputs(frame, {task.input_role: column})
    return _beside(frame, task.answer(X))


def answer_table(
    task: Task, path: Path, columns: Mapping[str, str | None], drop_missing: bool
) -> pd.DataFrame:
    """Answer a table whose rows belong together.

    Args:
        task: A fitted task with `whole_tables`.
        path: The table.
        columns: Columns by role, None where the user named none.
        drop_missing: Whether to leave out incomplete rows.

    Returns:
        A row for each answer: what the task makes of the table, and the answers.

    Raises:
        InputError: If something is wrong with the table.
    """
    part = read_part(task, path, fitted_columns(task, columns), drop_missing)
    with part.naming(task):
        answers = task.answer(part.rows(task)[0])
    own = [name for name in part.frame.columns if str(name).startswith(ROW[0])]
    return _beside(part.frame.drop(columns=own), answers)


def _beside(frame: pd.DataFrame, answers: Mapping[str, Any]) -> pd.DataFrame:
    """Put answers beside the rows of a table."""
    taken = [name for name in answers if name in frame.columns]
    if taken:
        rule, remedy = "free for the answers", "Rename that column of the table"
        raise InputError(message("predict", taken[0], rule, "a column of this name", remedy))
    rounded: dict[str, Any] = {
        name: [round(value, 6) for value in values] if name.startswith("probability_") else values
        for name, values in answers.items()
    }
    result: pd.DataFrame = frame.assign(**rounded)
    return result

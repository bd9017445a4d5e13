"""`tidegate predict`: answers for a file, for texts on the command line, for lines as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from tidegate.cli import console
from tidegate.cli.lines import split_lines
from tidegate.cli.options import given_options
from tidegate.cli.parameters import Trust
from tidegate.cli.paths import names_existing, typed
from tidegate.errors import InputError, message

if TYPE_CHECKING:
    from tidegate.tasks.core.files.answer import Question
    from tidegate.tasks.core.task import Task

_PIPE_BYTES = 1 << 16  # read from standard input at once, or less when less is there
# Of a line: a longer one was not meant to be one text.
_MOST_BYTES = 10_000_000


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a saved model.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DATA|TEXT...|-",
            help="Files of the kind that the model learned from, read one after the other; or "
            "texts; or - for standard input. A model that goes on after its own data may do "
            "without.",
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="A text, whatever it looks like; may be given again. Beside a table: the column "
            "of its texts.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write here instead: .csv .tsv .jsonl .parquet, or .gz; some models know more.",
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORM",
            help="How to print: table, lines, csv, tsv, jsonl; some models know others "
            "[dim](default: what suits the model and DATA)[/dim].",
        ),
    ] = None,
    drop_missing: Annotated[
        bool,
        typer.Option("--drop-missing", metavar="", help="Leave out rows with an empty cell."),
    ] = False,
    trust: Trust = None,
    **values: str | None,
) -> None:
    """Answer new data with a saved model.

    A table keeps its rows and columns and gets prediction and, for classes, probability_CLASS.
    tidegate predict MODEL --help names what this model reads and can be told.
    """
    from tidegate import tasks

    task = tasks.load(model, trust=trust or ())
    paths = _files(inputs or [])
    if out is not None:
        _check_out(task, out, paths, form)
    elif form is not None:
        task.answer_class.check_form(form)
    if paths and text:  # then it is the column's name, as of the other commands
        values, text = values | {"text": _column(task, text)}, None
    question = _question(task, paths, [inputs or [], text or []], values, drop_missing)
    _respond(task, question, out, form)


def _respond(task: Task, question: Question, out: Path | None, form: str | None) -> None:
    """Show or save the answer, what is warned of summed up over all rows."""
    sums = console.WarningSums()
    with sums.collected():
        answer = task.respond(question)
        if out is not None:
            answer.save(out)
        else:
            answer.show(form or answer.form, console.out())
        sums.rows = answer.rows


def _question(
    task: Task,
    paths: list[Path],
    words: list[list[str]],
    values: Mapping[str, str | None],
    drop_missing: bool,
) -> Question:
    """What the words of the command ask."""
    from tidegate.tasks.core.files.answer import Question

    columns = {name: value for name, value in values.items() if name in task.roles}
    named = next(filter(None, columns.values()), None)
    if not paths and named:
        raise InputError(message("predict", "COLUMN", "left out unless DATA is a table", named))
    inputs, marked = words
    live = inputs == ["-"]
    if live and marked:
        raise InputError(message("predict", "--text", "left out beside -", marked[0]))
    texts: Iterator[list[str]] | None = None
    if live:
        texts = stream_lines(sys.stdin.buffer)
    elif not paths and (inputs or marked):
        texts = iter([[typed(text, "predict", "DATA") for text in [*inputs, *marked]]])
    options = given_options(task.predict_options, values, "predict")
    first = paths[0] if paths else None
    return Question(first, texts, live, columns, drop_missing, options, tuple(paths[1:]))


def _column(task: Task, text: list[str]) -> str:
    """What --text says of a table."""
    if "text" not in task.roles or len(text) > 1:
        rule = "one column beside a file" if "text" in task.roles else "left out beside a file"
        raise InputError(message("predict", "--text", rule, text[-1]))
    return text[0]


def stream_lines(stream: BinaryIO) -> Iterator[list[str]]:
    """Read lines as soon as they arrive, all that are there at once.

    Args:
        stream: Standard input, as bytes.

    Yields:
        Complete lines without their ends; the last one may lack it.

    Raises:
        InputError: If a line is not UTF-8 or does not end, the lines before it have been yielded;
            or there is no line.
    """
    done = 0
    read = partial(stream.read1, _PIPE_BYTES)  # type: ignore[attr-defined]
    for whole in split_lines(iter(read, b""), "predict", "standard input", _MOST_BYTES):
        if whole is not None:
            yield from _decoded(whole, done)
            done += len(whole)
    if not done:
        raise InputError(message("predict", "standard input", "a line or more", "nothing"))


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


def _files(inputs: list[str]) -> list[Path]:
    """Say which files the arguments name; none when they are texts or -.

    Raises:
        InputError: If they name a folder, a file that is not there, or files and texts at once.
    """
    if inputs == ["-"]:
        return []
    named = [given for given in inputs if names_existing(given, "predict", "DATA")]
    if named and len(named) < len(inputs):
        rule = "files, or texts"
        remedy = "--text takes anything as a text: give it before each text"
        raise InputError(message("predict", "DATA", rule, f"the file {named[0]} too", remedy))
    return list(map(Path, named))


def _check_out(task: Task, out: Path, paths: list[Path], form: str | None) -> None:
    task.answer_class.check_path(out)
    if not out.absolute().parent.is_dir() or out.is_dir():
        rule = "a file in a folder that exists"
        raise InputError(message("predict", "--out", rule, str(out)))
    if out.resolve() in [path.resolve() for path in paths]:
        raise InputError(message("predict", "--out", "another file than DATA", str(out)))
    if form is not None:
        remedy = "The suffix of --out says the format"
        raise InputError(message("predict", "--format", "left out with --out", form, remedy))

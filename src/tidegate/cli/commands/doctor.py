"""`tidegate doctor`: what is wrong with a saved model, what it costs and what to change."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from tidegate.cli import console
from tidegate.cli.parameters import Trust
from tidegate.errors import InputError, message, suggest

if TYPE_CHECKING:
    from tidegate.explain.doctor.doctor import Diagnosis
    from tidegate.tasks.core.task import Task

_FORMATS = ("table", "json")
_STYLES = {"serious": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def doctor(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a saved model.")],
    data: Annotated[
        Path | None,
        typer.Argument(metavar="DATA", help="Data to try it on, best with the true answers."),
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", metavar="", help="Leave out rows with an empty cell.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", metavar="|".join(_FORMATS), help="How to print.")
    ] = "table",
    trust: Trust = None,
    **columns: str | None,
) -> None:
    """Look for what is wrong with a saved model.

    Each finding comes with the evidence, what it costs and what to change. Without DATA, only
    what the model itself tells is checked. Findings do not change the exit code.
    """
    from tidegate import tasks
    from tidegate.files import json_text

    if form not in _FORMATS:
        hint = suggest(form, _FORMATS, listed=True)
        raise InputError(message("doctor", "--format", "table or json", repr(form), hint))
    named = [column for column in columns.values() if column is not None]
    if data is None and named:
        raise InputError(message("doctor", "COLUMN", "left out without DATA", named[0]))
    task = tasks.load(model, trust=trust or ())
    found = task.doctor() if data is None else _with_data(task, data, columns, drop_missing)
    if form == "json":
        print(json_text(found.to_json()))
        return
    show(found)
    if data is None:
        command = shlex.join(["doctor", str(model), task.data_example])
        title = "Labelled data shows more:"
        console.print_commands(console.out(), title, [f"{console.program()} {command}"])


def show(found: Diagnosis) -> None:
    """Print a diagnosis.

    Args:
        found: What `Task.doctor` returned.
    """
    to = console.out()
    for finding in found.findings:
        style = _STYLES[finding.severity]
        to.print(Text.assemble((finding.severity, style), "  ", (finding.name, "bold")))
        told = {"seen": finding.evidence, "costs": finding.cost, "change": finding.remedy}
        to.print(console.pairs({f"  {name}": f"{text}." for name, text in told.items()}))
        to.print()
    for line in found.summary():
        to.print(line, style="dim" if line.startswith("Not") and found.findings else "")


def _with_data(
    task: Task, data: Path, given: Mapping[str, str | None], drop_missing: bool
) -> Diagnosis:
    from tidegate.data import iter_table
    from tidegate.tasks.core.files.reading import fitted_columns, read_split

    columns: dict[str, Any] = fitted_columns(task, given)
    target = task.target_role or ""
    if given.get(target) is None and target in columns:
        header = next(iter_table(data, chunk_rows=1)).columns
        if columns[target] not in header:
            columns.pop(target)  # rows without answers are welcome too
    split = read_split(task, data, columns, drop_missing)
    with split.naming(task):
        return task.doctor(*split.rows(task))

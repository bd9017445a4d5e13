"""`tidegate evaluate`: how good a saved model is on labelled rows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from tidegate.cli import console
from tidegate.cli.options import given_options
from tidegate.cli.parameters import Trust


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a saved model.")],
    data: Annotated[Path, typer.Argument(metavar="DATA", help="File with the true answers.")],
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", metavar="", help="Leave out rows with an empty cell.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print everything as one line of JSON.")
    ] = False,
    trust: Trust = None,
    **columns: str | None,
) -> None:
    """Measure a saved model on labelled data.

    Prints loss and scores, and for classes the scores of each and the confusion matrix, or
    what is mistaken most often where it is too wide; --json has all of it.
    tidegate evaluate MODEL --help names the columns that this model reads.
    """
    from tidegate import tasks
    from tidegate.files import json_text
    from tidegate.tasks.core.files.reading import fitted_columns, read_split
    from tidegate.tasks.core.files.splits import measure_split

    task = tasks.load(model, trust=trust or ())
    split = read_split(task, data, fitted_columns(task, columns), drop_missing)
    options = given_options(task.evaluate_options, columns, "evaluate")
    found = measure_split(task, split, options)
    if as_json:
        print(json_text(found))
    else:
        show(found, str(data))


def show(found: dict[str, Any], title: str) -> None:
    """Print what `Task.evaluate(report=True)` found.

    Args:
        found: Scores, and where there are classes `per_class`, `classes`, `confusion_matrix`.
        title: What was measured.
    """
    to = console.out()
    plain = {name: value for name, value in found.items() if isinstance(value, float)}
    to.print(console.scores({title: plain}))
    if "per_class" in found:
        to.print()
        to.print(console.per_class(found["per_class"]))
    if "confusion_matrix" in found:
        to.print()
        classes, counts = found["classes"], found["confusion_matrix"]
        # A column has three places and more: that of many classes need not be laid out to know.
        table = console.confusion(classes, counts) if 3 * len(classes) <= to.width else None
        endless = to.options.update(max_width=sys.maxsize)
        if table is None or to.measure(table, options=endless).minimum > to.width:
            table = console.mistakes(classes, counts)
        to.print(table)
    show_figures(found)


def show_figures(found: Mapping[str, Any]) -> None:
    """Print a table of figures and what it says, where there is one.

    Args:
        found: Perhaps `figures`, rows of names and texts, and `verdict`, a sentence.
    """
    to = console.out()
    if found.get("figures"):
        to.print()
        to.print(console.figures(found["figures"]))
    if found.get("verdict"):
        to.print(found["verdict"])

"""`tidegate watch`: scores for values as they come, line by line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from tidegate.cli import console
from tidegate.cli.lines import lines
from tidegate.cli.parameters import Trust
from tidegate.errors import InputError, message, suggest
from tidegate.terminal import Screen, one_line

if TYPE_CHECKING:
    from tidegate.tasks.core.commands import Remark, Watch, Watches

_FORMATS = ("lines", "json")


def watch(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder of a saved model that watches.")
    ],
    source: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="Lines to read; - is standard input.")
    ] = "-",
    alarms: Annotated[
        bool, typer.Option("--alarms", metavar="", help="Print alarms only.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", metavar="|".join(_FORMATS), help="How to print.")
    ] = "lines",
    stall: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.001,
            help="Score a missing value whenever nothing came for so long.",
        ),
    ] = None,
    false_alarm_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Expected share of false alarms [dim](default as in training)[/dim].",
        ),
    ] = None,
    trust: Trust = None,
) -> None:
    """Score values as they come, and tell what is wrong with them.

    A line holds a value, or the values of all variables with commas between, after the time if
    the model learned with times; a first line that names the columns may say otherwise. Every
    line is answered at once. What is no number is scored as missing, and counted. The stream goes
    on after the values of fit.
    """
    from tidegate import tasks

    if form not in _FORMATS:
        hint = suggest(form, _FORMATS, listed=True)
        raise InputError(message("watch", "--format", "lines or json", repr(form), hint))
    if stall is not None and source != "-":
        raise InputError(message("watch", "--stall", "left out for a file", stall))
    task = tasks.load_for(model, "watch", trust=trust or ())
    if false_alarm_rate is not None:
        task.set_params(false_alarm_rate=false_alarm_rate)
    watching = cast("Watches", task).watch()
    count = 0
    try:
        for number, found in watching.scan(lines(source, stall)):
            count += found.alarm
            if found.alarm or not alarms:
                print(_told(number, found, form), file=Screen(sys.stdout), flush=True)
    except InputError:
        raise  # of what was not read there is nothing to sum up
    except BaseException:
        _sum_up(watching, count)  # stopped by Ctrl-C, say
        raise
    _sum_up(watching, count)


def _sum_up(watching: Watch, count: int) -> None:
    for remark in watching.remarks():
        console.warning(remark)
    console.note(f"{count:,} alarm{'' if count == 1 else 's'}.")


def _told(number: int, found: Remark, form: str) -> str:
    if form != "json":
        return f"{number:>8}  {one_line(found.line())}"
    from tidegate.files import json_text

    return json_text({"line": number, **found.to_json()})

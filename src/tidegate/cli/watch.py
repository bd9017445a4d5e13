"""`tidegate watch`: scores for values as they come, line by line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli import console
from tidegate.cli.live import LineLayout, lines
from tidegate.errors import InputError, message, suggest

if TYPE_CHECKING:
    from tidegate.tasks.anomaly.cold_start import ColdStartStream
    from tidegate.tasks.anomaly.detector import AnomalyDetector
    from tidegate.tasks.anomaly.stream import AnomalyStream, Detection

_FORMATS = ("lines", "json")


def watch(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder of a saved anomaly detector.")
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
) -> None:
    """Score values as they come, and tell what is wrong with them.

    A line holds a value, or the values of all variables with commas between, after the time if
    the model learned with times; a first line that names the columns may say otherwise. Every
    line is answered at once. What is no number is scored as missing, and counted. The stream goes
    on after the values of fit.
    """
    if form not in _FORMATS:
        hint = suggest(form, _FORMATS)
        raise InputError(message("watch", "--format", "lines or json", repr(form), hint))
    if stall is not None and source != "-":
        raise InputError(message("watch", "--stall", "left out for a file", stall))
    task = _detector(model)
    if false_alarm_rate is not None:
        task.set_params(false_alarm_rate=false_alarm_rate)
    stream = task.stream()
    counts = {"rubbish": 0, "stalls": 0, "alarms": 0}
    try:
        for number, found in _detections(task, stream, lines(source, stall), counts):
            counts["alarms"] += found.alarm
            if found.alarm or not alarms:
                print(_as_json(number, found) if form == "json" else _as_line(number, found),
                      flush=True)  # fmt: skip
    finally:
        _tell(counts)


def _detector(path: Path) -> AnomalyDetector:
    from tidegate import tasks
    from tidegate.tasks.anomaly.detector import AnomalyDetector

    task = tasks.load(path)
    if not isinstance(task, AnomalyDetector):
        rule = "a saved anomaly-detector"
        raise InputError(message("watch", "MODEL", rule, f"a {task.task_name()}"))
    return task


def _detections(
    task: AnomalyDetector,
    stream: AnomalyStream | ColdStartStream,
    arrived: Iterable[bytes | None],
    counts: dict[str, int],
) -> Iterator[tuple[int, Detection]]:
    """Yield the number of each line and what was found in it."""
    names = task.names_
    layout = LineLayout.plain(len(names), clocked=task.clocked_)
    nothing = [math.nan] * len(names)
    number = 0
    for line in arrived:
        if line is None:
            counts["stalls"] += 1
            yield number, stream.update(nothing)
            continue
        number += 1
        if number == 1 and (named := LineLayout.of_header(line, names, task.columns_.get("time"))):
            layout = named
            continue
        time, values, whole = layout.read(line)
        try:
            found = stream.update(values, time)
        except InputError:  # a time that is none: the clock goes on by itself
            found, whole = stream.update(values), False
        counts["rubbish"] += not whole
        yield number, found


def _as_line(number: int, found: Detection) -> str:
    mark = "ALARM" if found.alarm else "     "
    return f"{number:>8}  {found.score:6.2f}  {mark}  {found}"


def _as_json(number: int, found: Detection) -> str:
    told: dict[str, Any] = {"line": number, **found._asdict()}
    plain = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in told.items()
    }
    return json.dumps(plain, ensure_ascii=False)


def _tell(counts: dict[str, int]) -> None:
    """Say at the end what could not be read."""
    if counts["rubbish"]:
        told = f"{counts['rubbish']:,} lines were not as they should be"
        console.warning(f"{told}: what could not be read was scored as missing.")
    if counts["stalls"]:
        console.warning(f"{counts['stalls']:,} times nothing came; it was scored as missing.")
    console.note(f"{counts['alarms']:,} alarms.")

"""Outcome: what every demo hands back to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.errors import InputError, message

if TYPE_CHECKING:
    from tidegate.tasks.core.task import Task


@dataclass(frozen=True)
class FreshInputs:
    """What to ask a trained model.

    Attributes:
        title: Says what the inputs are.
        model: The fitted task.
        inputs: Inputs that are in no part of the data.
    """

    title: str
    model: Task
    inputs: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """What came out of a demo, in the order in which it is shown; what it has not is left out.

    Attributes:
        summary: One line: how long it took, and what was written where.
        report: What `Task.evaluate(report=True)` found on the test rows.
        figures: Rows of a table, each the same names and their values as text.
        verdict: A sentence or two on what the figures say.
        answers: What to ask the model.
        commands: Command lines worth trying next, without the program's name.
    """

    summary: str
    report: Mapping[str, Any] = field(default_factory=dict)
    figures: Sequence[Mapping[str, str]] = ()
    verdict: str = ""
    answers: FreshInputs | None = None
    commands: Sequence[Sequence[str]] = ()


def check_folder(out: Path) -> None:
    """Make the folder that a demo writes to.

    Raises:
        InputError: If it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remedy = "Choose another one with --out"
        rule = "a folder that can be written to"
        raise InputError(message("demo", str(out), rule, error.strerror, remedy)) from error

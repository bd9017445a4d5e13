"""Commands about a saved model, whose options are those of the model's task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from tidegate import tasks
from tidegate.cli.options import declare
from tidegate.cli.parameters import Parameters, column_parameters, fill
from tidegate.cli.paths import is_true
from tidegate.errors import a

if TYPE_CHECKING:
    from tidegate.tasks.core.task import Task


def of_model(
    function: Callable[..., None], *, targets: bool = True, options: str = ""
) -> type[TyperCommand]:
    """Make the class of a command about a saved model: its options are those of the model's task.

    Args:
        function: A function with typer's declarations, among them `model`, and `**columns`.
        targets: Whether the command reads targets.
        options: The attribute of the task that says what can be said besides; "" for nothing.

    Returns:
        A class for `Typer.command(cls=...)`. Until a model is named the options are those that
        the function declares.
    """

    class OfModel(TyperCommand):
        subject = ""  # what the model is, for errors

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            task = _saved_task(args)
            if task is None:  # whatever is said of it: that there is no model is told first
                ctx.ignore_unknown_options = ctx.allow_extra_args = bool(args)
            added = [] if task is None else _of_task(task, targets=targets, options=options)
            declared = _declared(function)
            # An option of the command itself keeps its name: `explain --target` names a class.
            taken = {p.name for p in declared}
            fill(self, function, [*declared, *(p for p in added if p.name not in taken)])
            self.subject = "" if task is None else a(task.task_name())
            return super().parse_args(ctx, args)

        def get_params(self, ctx: Any) -> list[Any]:
            if self.callback is None or not self.params:
                fill(self, function, _declared(function))
            return super().get_params(ctx)

    return OfModel


def _declared(function: Callable[..., None]) -> Parameters:
    """What a function declares itself."""
    signature = inspect.signature(function, eval_str=True).parameters.values()
    named = [p for p in signature if p.kind is not inspect.Parameter.VAR_KEYWORD]
    return [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in named]


def _of_task(task: type[Task], *, targets: bool, options: str) -> Parameters:
    """The options that a task adds to a command."""
    roles = {r: text for r, text in task.roles.items() if targets or r != task.target_role}
    more = getattr(task, options) if options else {}
    declared = [p for name, option in more.items() for p in declare(name, option)]
    return [*column_parameters(roles, fitted=True), *declared]


def _saved_task(args: Sequence[str]) -> type[Task] | None:
    """The task of the first saved model among the words of a command."""
    for word in args:
        if not word.startswith("-") and is_true((Path(word) / "config.json").is_file):
            return tasks.of_model(word)
    return None

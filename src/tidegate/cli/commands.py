"""Commands whose options depend on the tasks there are, and are made when they are needed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from tidegate import tasks

Parameters = list[inspect.Parameter]


def flag(name: str) -> str:
    """Spell a name as an option: "hidden_size" as "--hidden-size"."""
    return "--" + name.replace("_", "-")


def parameter(name: str, kind: Any, default: Any, info: Any) -> inspect.Parameter:
    """Declare one parameter of a command as typer reads it."""
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info]
    )


def column_parameters(roles: Mapping[str, str], *, fitted: bool) -> Parameters:
    """Declare an option for each column that a task reads.

    Args:
        roles: Help text by role.
        fitted: Whether a saved model knows its columns already.

    Returns:
        The parameters, named like the roles; None where the user names no column.
    """
    default = "default as in training" if fitted else "default of that name"
    return [
        parameter(
            role,
            str | None,
            None,
            typer.Option(
                flag(role),
                metavar="COLUMN",
                help=f"{escape(text)} [dim]({default})[/dim]",
                rich_help_panel="Data",
                show_default=False,
            ),
        )
        for role, text in roles.items()
    ]


def fill(command: TyperCommand, function: Callable[..., None], parameters: Parameters) -> None:
    """Give a command its options and what it runs.

    Args:
        command: The command.
        function: Called with the parameters by name.
        parameters: Typer's declarations.
    """

    def run(**values: Any) -> None:
        function(**values)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {}
    single = typer.Typer(add_completion=False)
    single.command()(run)
    made = get_command(single)
    command.params, command.callback = made.params, made.callback


def with_columns(function: Callable[..., None], *, inputs_only: bool) -> type[TyperCommand]:
    """Make the class of a command that takes the columns of whatever task its model is of.

    Args:
        function: A function with typer's declarations and `**columns`.
        inputs_only: Whether the command reads no targets.

    Returns:
        A class for `Typer.command(cls=...)`.
    """

    class WithColumns(TyperCommand):
        complete = False

        def get_params(self, ctx: Any) -> list[Any]:
            if not self.complete:
                self.complete = True
                signature = inspect.signature(function, eval_str=True).parameters.values()
                declared = [p for p in signature if p.kind is not inspect.Parameter.VAR_KEYWORD]
                columns = column_parameters(_roles(inputs_only), fitted=True)
                keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in declared]
                fill(self, function, [*keywords, *columns])
            return super().get_params(ctx)

    return WithColumns


def _roles(inputs_only: bool) -> dict[str, str]:
    """The columns of all tasks: the task is not known before the model is loaded."""
    found: dict[str, str] = {}
    for name in tasks.names():
        outline = tasks.outline(name)
        roles = outline.roles
        targets = {outline.target_role} if inputs_only else set()
        found |= {role: text for role, text in roles.items() if role not in targets}
    return found


def escape(text: str) -> str:
    """Keep rich from taking brackets in a text for markup."""
    return text.replace("[", "\\[")

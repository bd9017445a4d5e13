"""Commands whose options are made when they are needed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

Parameters = list[inspect.Parameter]
_TRUST = typer.Option(
    "--trust",
    metavar="NAME",
    help="Let the model call this function, package.module:function; may be given again.",
    rich_help_panel="Run",
    show_default=False,
)
Trust = Annotated[list[str] | None, _TRUST]


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


def escape(text: str) -> str:
    """Keep rich from taking brackets in a text for markup."""
    return text.replace("[", "\\[")

"""Options that are made when they are needed: their names, their help, and what they run."""

from __future__ import annotations

import pytest
import typer
from typer.core import TyperCommand
from typer.testing import CliRunner

from tidegate.cli.parameters import column_parameters, escape, fill, flag, parameter

ROLES = {"text": "Column of the texts.", "sample_weight": "How much a row counts [0 to 1]."}


def command(parameters, function):
    made = TyperCommand("run")
    fill(made, function, parameters)
    return made


def test_a_name_is_spelled_as_an_option():
    assert flag("hidden_size") == "--hidden-size"


def test_a_command_runs_its_function_with_the_values_by_name():
    seen = []
    parameters = [
        parameter("data", str, ..., typer.Argument(metavar="DATA")),
        parameter("num_layers", int, 1, typer.Option("--num-layers")),
    ]
    made = command(parameters, lambda **values: seen.append(values))
    made.main(["a.csv", "--num-layers", "3"], standalone_mode=False)
    made.main(["b.csv"], standalone_mode=False)
    assert seen == [{"data": "a.csv", "num_layers": 3}, {"data": "b.csv", "num_layers": 1}]
    with pytest.raises(typer.BadParameter.__mro__[2], match="valid integer"):
        made.main(["a.csv", "--num-layers", "x"], standalone_mode=False)


def test_a_command_can_be_filled_anew():
    made = command([parameter("one", str, "a", typer.Option("--one"))], lambda one: None)
    fill(made, lambda two: None, [parameter("two", str, "b", typer.Option("--two"))])
    assert [option.name for option in made.params] == ["two"]


@pytest.mark.parametrize(("fitted", "default"), [(True, "as in training"), (False, "of that name")])
def test_every_column_has_an_option_that_says_where_its_name_comes_from(fitted, default):
    seen = []
    made = command(column_parameters(ROLES, fitted=fitted), lambda **values: seen.append(values))
    assert [option.opts for option in made.params] == [["--text"], ["--sample-weight"]]
    assert all(f"(default {default})" in option.help for option in made.params)
    made.main(["--text", "review"], standalone_mode=False)
    assert seen == [{"text": "review", "sample_weight": None}]


def test_brackets_in_help_are_no_markup():
    assert escape("from [0, 1]") == r"from \[0, 1]"
    single = typer.Typer(rich_markup_mode="rich")

    @single.command()
    def run(size: int = typer.Option(1, help=escape("from [0, 1] on"))) -> None: ...

    assert "from [0, 1] on" in CliRunner().invoke(single, ["--help"]).stdout

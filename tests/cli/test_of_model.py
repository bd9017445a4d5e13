"""Commands about a saved model: their options are those of the model's task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from tests.cli.conftest import one_line
from tidegate import Forecaster, tasks
from tidegate.cli.of_model import of_model


@pytest.fixture(scope="module")
def forecaster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecaster") / "model"
    sizes = {"lookback": 4, "horizon": 2, "segment": 2, "hidden_size": 2}
    Forecaster(**sizes, epochs=1, verbose=False).fit([float(n % 5) for n in range(40)]).save(folder)
    return folder


def asked(*words: object, **options: bool) -> tuple[dict[str, Any], str]:
    """What the function of such a command is called with, and what is printed."""
    seen: dict[str, Any] = {}

    def run(
        model: Annotated[str, typer.Argument()],
        quiet: Annotated[bool, typer.Option("--quiet")] = False,
        **columns: Any,
    ) -> None:
        seen.update(model=model, quiet=quiet, **columns)

    app = typer.Typer(add_completion=False)
    app.command(cls=of_model(run, **options))(lambda: None)
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "100"})
    return seen, done.output


def test_columns_are_those_of_the_task(model, forecaster):
    seen, _ = asked(model, "--text", "review")
    assert seen == {"model": str(model), "quiet": False, "text": "review", "label": None}
    seen, _ = asked("--quiet", forecaster, "--time", "when")
    assert seen["quiet"]
    assert seen["time"] == "when"
    assert {"target", "id", "known", "past", "static"} <= seen.keys()
    assert "horizon" not in seen


def test_targets_and_options_come_where_the_command_takes_them(model, forecaster):
    seen, _ = asked(model, targets=False)
    assert "label" not in seen
    seen, _ = asked(forecaster, "--horizon", "3", options="predict_options")
    assert seen["horizon"] in (3, "3")


def test_help_is_that_of_the_model_that_was_named(model):
    assert "default as in training" in asked(model, "--help")[1]
    bare = asked("--help")[1]
    assert "--quiet" in bare
    assert "--text" not in bare


def test_that_there_is_no_model_is_told_before_what_is_said_of_it(run, model, tmp_path):
    assert "must be a model's folder" in one_line(
        run("predict", tmp_path / "gone", "x", "--horizon", 3)
    )
    told = one_line(run("predict", model, "x", "--horizon", 3))
    assert "--horizon is no option for a text-classifier" in told


@pytest.mark.parametrize("command", ["predict", "evaluate", "doctor", "explain"])
@pytest.mark.parametrize("name", tasks.names())
def test_every_command_knows_every_task(run, command, name):
    """No column of a task takes the name of an option that the command has itself."""
    folder = Path(__file__).parents[1] / "saved" / name
    shown = run(command, folder, "--help")
    assert shown.exit_code == 0, shown.output
    assert "Folder of a saved model" in shown.stdout
    wrong = one_line(run(command, folder, "x", "--no-such-option"))
    assert "--no-such-option is no option for " in wrong

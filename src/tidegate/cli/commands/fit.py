"""`tidegate fit TASK DATA`: every task is a command, every one of its settings an option."""

from __future__ import annotations

import contextlib
import inspect
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from tidegate import tasks
from tidegate.cli import console
from tidegate.cli.commands import evaluate
from tidegate.cli.options import given_settings, setting_parameters
from tidegate.cli.parameters import Parameters, Trust, column_parameters, fill, flag, parameter
from tidegate.errors import InputError, TidegateError, TrainingError, message

if TYPE_CHECKING:
    from tidegate.tasks.core.task import Task


class FitGroup(TyperGroup):
    """The commands below `tidegate fit`: the tasks, each made when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the tasks."""
        return tasks.names()

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand:
        """Return the command of a task.

        Raises:
            InputError: If there is no such task.
        """
        return TaskCommand(cmd_name, tasks.outline(cmd_name))


class TaskCommand(TyperCommand):
    """`tidegate fit TASK`; the task and its options are imported only to parse or to teach."""

    def __init__(self, name: str, outline: tasks.Outline) -> None:
        super().__init__(
            name, help=outline.sentence, epilog=_example(outline), rich_markup_mode="rich"
        )

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options, made on the first call."""
        if self.callback is None:
            task = tasks.get(str(self.name))
            fill(self, lambda **values: fit_task(task, values), _parameters(task))
        return super().get_params(ctx)


def _example(outline: tasks.Outline) -> str:
    roles = "".join(f" {flag(role)} {role}" for role in outline.usual)
    suffix = Path(outline.data_example).suffix
    lines = (
        f"tidegate fit {outline.name} train{suffix}{roles} --out model/",
        f"tidegate fit {outline.name} train{suffix} --test test{suffix} --epochs 5 --out model/",
        f"tidegate fit {outline.name} new{suffix} --from model/ --out better/",
    )
    return "\n".join(["Examples:", *lines])


_VALIDATION = "Rows that choose the best epoch: a file, a share of DATA, or none."
_HELP: dict[str, tuple[str, str]] = {
    "validation": ("FILE|SHARE", f"{_VALIDATION} [dim](default 0.1)[/dim]"),
    "test": ("FILE", "Rows to measure the finished model on."),
    "split": ("COLUMN", "Column that says train, validation or test for each row of DATA."),
    "out": ("FOLDER", "Where to save the model."),
    "base": ("MODEL", "Go on training a saved model, on new data."),
}


def _parameters(task: type[Task]) -> Parameters:
    """Declare everything that `tidegate fit TASK` takes."""

    def text(name: str, panel: str, default: Any = None, spelled: str = "") -> inspect.Parameter:
        metavar, help_text = _HELP[name]
        info = typer.Option(
            spelled or flag(name),
            metavar=metavar,
            help=help_text,
            rich_help_panel=panel,
            show_default=False,
        )
        return parameter(name, str | None, default, info)

    def switch(name: str, panel: str, help_text: str) -> inspect.Parameter:
        info = typer.Option(flag(name), metavar="", help=help_text, rich_help_panel=panel)
        return parameter(name, bool, False, info)

    data = typer.Argument(metavar="DATA", help=task.data_help)
    return [
        parameter("data", Path, inspect.Parameter.empty, data),
        *column_parameters(task.roles, fitted=False),
        text("validation", "Data"),
        text("test", "Data"),
        text("split", "Data"),
        switch("drop_missing", "Data", "Leave out rows with an empty cell instead of stopping."),
        text("out", "Run", inspect.Parameter.empty),
        text("base", "Run", spelled="--from"),
        inspect.Parameter("trust", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Trust),
        switch("resume", "Run", "Go on with a run that was stopped."),
        switch("quiet", "Run", "Say nothing but warnings and errors."),
        *setting_parameters(task),
    ]


def fit_task(task: type[Task], values: Mapping[str, Any]) -> None:
    """Fit a task, measure it, save it and say what came out.

    Args:
        task: The task's class.
        values: The command's parameters by name.

    Raises:
        InputError: If a setting, the data or the output folder is wrong; nothing was written.
        TrainingError: If the loss stops being a number; the best epoch so far is saved.
    """
    from tidegate.artifact import check_replaceable
    from tidegate.tasks.core.files.splits import read_splits
    from tidegate.training import checkpoint

    out, quiet = Path(values["out"]), values["quiet"]
    check_replaceable(out)
    model = _model(task, values)
    columns = {
        role: values[role] or role
        for role in task.roles
        if values[role] or role not in task.optional_roles
    }
    splits = read_splits(model, columns, values)
    kept = checkpoint_folder(out)
    if kept.is_dir():
        with _alone(kept):  # told before whatever else there is to say of it
            pass
    resume = _can_resume(kept, out, values["resume"], model.epochs)
    before = getattr(model, "history_", None)
    began = time.monotonic()
    _tell_replaced(out, values)
    try:
        with _marked(kept):
            tested = splits.fit(model, checkpoint=kept, resume=resume)
            _save(model, out, kept)
    except KeyboardInterrupt:
        _tell_stopped(checkpoint.exists(kept))
        raise typer.Exit(130) from None
    except TrainingError:
        if getattr(model, "history_", None) is not before:
            model.save(out)
            console.note(f"{out}/ holds the model of epoch {model.best_epoch_}.")
        raise
    if not quiet:
        _tell_done(model, out, values, time.monotonic() - began, {**model.beside(), **tested})


@contextlib.contextmanager
def _marked(kept: Path) -> Iterator[None]:
    """Have the folder of checkpoints from the start, so that a killed run can be told from none.

    The run holds it as long as it lives, so that no other one writes to the same place.
    """
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        rule = "a place that can be written to"
        raise InputError(message("fit", "--out", rule, f"{kept} ({error.strerror})")) from error
    try:
        with _alone(kept):
            yield
    except TidegateError:
        with contextlib.suppress(OSError):  # it holds a checkpoint
            kept.rmdir()
        raise


@contextlib.contextmanager
def _alone(kept: Path) -> Iterator[None]:
    """Hold the folder of checkpoints; refuse where another run does."""
    from tidegate.folders import HeldError, held

    try:
        with held(kept):
            yield
    except HeldError as error:
        rule, remedy = "a folder that no other run writes to", "Wait for its end, or name another"
        got = "one that a run goes on in"
        raise InputError(message("fit", "--out", rule, got, remedy)) from error


def _save(model: Task, out: Path, kept: Path) -> None:
    """Save what was learned; where that fails, the last checkpoint is still worth something."""
    from tidegate.training import checkpoint

    try:
        model.save(out)
    except TidegateError:
        if checkpoint.exists(kept):
            console.note(f"{kept}/ keeps what was learned: add --resume once the save can succeed.")
        raise
    checkpoint.remove(kept)


def _tell_replaced(out: Path, values: Mapping[str, Any]) -> None:
    """Say that a model will be replaced, unless it is the one that is gone on from."""
    from tidegate.artifact import is_model

    base = values["base"]
    same = base is not None and Path(base).resolve() == out.resolve()
    if not values["quiet"] and not same and is_model(out):
        console.note(
            f"{out}/ holds a model, which the end of this run will replace; "
            "to keep it, press Ctrl-C and name another --out."
        )


def checkpoint_folder(out: Path) -> Path:
    """Say where the checkpoints of a model that is being fitted lie: beside it.

    Example:
        >>> checkpoint_folder(Path("models/spam/")).as_posix()
        'models/spam.checkpoint'
    """
    return out.with_name(f"{out.name}.checkpoint")


def _model(task: type[Task], values: Mapping[str, Any]) -> Task:
    """Make the task, or load the one to go on from, with the settings that were given."""
    given = given_settings(task, values) | {"verbose": not values["quiet"]}
    if values["base"] is None:
        if values["trust"]:
            rule, got = "left out without --from", ", ".join(values["trust"])
            raise InputError(message("fit", "--trust", rule, got))
        model = task(**given)
    else:
        model = tasks.load(values["base"], trust=values["trust"] or ())
        if model.task_name() != task.task_name():
            rule = f"a model of the task {task.task_name()}"
            raise InputError(message("fit", "--from", rule, model.task_name()))
        model.set_params(warm_start=True, **given)
    task.settings_class.from_dict(model.get_params(deep=False))
    return model


def _check_finished(out: Path, epochs: int) -> None:
    """Refuse to resume a finished model with more epochs than it was to have.

    Raises:
        InputError: If more are asked for.
    """
    from tidegate.artifact import Artifact

    had = Artifact.open(out).settings.get("epochs")
    if isinstance(had, int) and epochs > had:
        rule = f"left out: {out}/ is finished, with epochs={had}"
        remedy = f"To train it further: --from {shlex.quote(str(out))} in place of --resume"
        raise InputError(message("fit", "--resume", rule, f"epochs={epochs}", remedy))


def _can_resume(kept: Path, out: Path, wanted: bool, epochs: int) -> bool:
    """Say whether there is a run to go on with, and tell when it is not as the user thinks."""
    from tidegate.artifact import is_model
    from tidegate.training.checkpoint import exists

    there = exists(kept)
    if wanted and not there:
        if is_model(out) and not kept.exists():
            _check_finished(out, epochs)
            console.note(
                f"{out}/ is finished: there is nothing to resume. "
                f"To train it further: --from {shlex.quote(str(out))} in place of --resume."
            )
            raise typer.Exit
        why = f"there is no stopped run of {out}/"
        if kept.exists():
            why = "no checkpoint was written before the run stopped"
        console.note(f"{why}: starting anew.")
    if there and not wanted:
        console.note(
            f"{kept}/ holds a stopped run, which the end of the first epoch will replace; "
            "to go on with it instead, press Ctrl-C and add --resume."
        )
    return wanted and there


def _tell_stopped(kept: bool) -> None:
    """Say how to go on after Ctrl-C."""
    words = sys.argv[1:] if "--resume" in sys.argv else [*sys.argv[1:], "--resume"]
    state = "what was learned is kept" if kept else "before anything was kept"
    console.note(f"stopped by Ctrl-C; {state}.")
    command = f"{console.program()} {shlex.join(words)}"
    console.print_commands(console.err(), "To go on:", [command])


def _tell_done(
    model: Task, out: Path, values: Mapping[str, Any], seconds: float, beside: Mapping[str, Any]
) -> None:
    shown = {name: scores for name, scores in model.metrics_.items() if name != "train"}
    to = console.out()
    to.print()
    to.print(console.scores(shown or model.metrics_))
    evaluate.show_figures(beside)
    to.print(
        f"\nbest epoch {model.best_epoch_} of {len(model.history_)} · {seconds:.0f} s · "
        f"saved in {out}/",
        soft_wrap=True,
    )
    folder, data = shlex.quote(f"{out}/"), shlex.quote(str(values["data"]))
    program, test = console.program(), values["test"]
    use = model.use.format(model=folder, data=data)
    commands = [f"{program} {use}", f"{program} info {folder}"]
    if test:
        commands.insert(1, f"{program} evaluate {folder} {shlex.quote(test)}")
    console.print_commands(to, "Next:", commands)

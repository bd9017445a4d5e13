"""`tidegate info` and `tidegate tasks`: what is here, on this machine and in a saved model."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from tidegate.cli import console
from tidegate.cli.parameters import Trust, flag

if TYPE_CHECKING:
    from tidegate.tasks.core.task import Task

_LIBRARIES = ("torch", "numpy", "pandas", "tokenizers", "scikit-learn")


def tasks() -> None:
    """List the tasks: what each does, and a command to start with."""
    from tidegate import tasks as known

    to, program = console.out(), console.program()
    for name in known.names():
        outline = known.outline(name)
        roles = "".join(f" {flag(role)} {role.upper()}" for role in outline.usual)
        to.print(Text(name, style="bold"))
        to.print(Text(f"  {outline.sentence}"))
        to.print(
            Text(
                f"  {program} fit {name} {outline.data_example}{roles} --out model/", style="cyan"
            ),
            soft_wrap=True,
        )


def info(
    model: Annotated[
        Path | None,
        typer.Argument(metavar="MODEL", help="Folder of a saved model."),
    ] = None,
    trust: Trust = None,
) -> None:
    """Tell about this installation, or about a saved model."""
    if model is None:
        _tell_machine()
    else:
        _tell_model(model, trust or ())


def _tell_machine() -> None:
    import torch

    from tidegate.kernels import library

    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    to = console.out()
    to.print(
        console.pairs(
            {
                "tidegate": importlib.metadata.version("tidegate"),
                "python": f"{platform.python_version()} on {platform.platform(terse=True)}",
                "libraries": ", ".join(f"{name} {found}" for name, found in versions.items()),
                "processors": f"{os.cpu_count()}, of which torch uses {torch.get_num_threads()}",
                "gpu": gpu,
                "native library": library.describe(),
            }
        )
    )
    to.print("\nWhat runs a layer of each cell, plain, on this machine:", style="dim")
    to.print(console.pairs(_backends()))


def _backends() -> dict[str, str]:
    """Which backend trains a plain layer of each cell here, and why the others do not."""
    import torch

    from tidegate import cells, nn

    device = "cuda" if torch.cuda.is_available() else "cpu"
    found = {}
    for name in cells.names():
        layer = nn.recurrent_layer(name, input_size=8, hidden_size=8).to(device)
        found[name] = layer.explain_backend(torch.zeros(2, 1, 8, device=device))
    return found


def _tell_model(path: Path, trust: Collection[str]) -> None:
    from tidegate import tasks as known

    task = known.load(path, trust=trust)
    to = console.out()
    size = sum(file.stat().st_size for file in path.iterdir())
    facts = {
        "task": task.task_name(),
        "on disk": f"{size / 1e6:.1f} MB",
        "trained": f"{len(task.history_)} epochs, the best was {task.best_epoch_}",
        "columns": ", ".join(f"{role} = {name}" for role, name in task.columns_.items()),
        **task.facts(),
    }
    to.print(console.pairs({name: value for name, value in facts.items() if value}))
    to.print()
    to.print(console.scores(task.metrics_))
    to.print("\nSettings", style="dim")
    to.print(console.pairs(_settings(task)))
    place = shlex.quote(str(path))
    use = task.use.format(model=place, data=task.data_example)
    console.print_commands(to, "Use it in a shell:", [f"{console.program()} {use}"])
    trusted = f", trust={list(trust)}" if trust else ""
    python = ["import tidegate", f'model = tidegate.load("{path.as_posix()}"{trusted})']
    console.print_commands(to, "Use it in Python:", python)


def _settings(task: Task) -> Mapping[str, Any]:
    """The settings by name, those that differ from the defaults marked."""
    shown = {}
    for name, option in task.settings_class.options().items():
        value = getattr(task.settings_, name)
        shown[name] = value if value == option.default else f"{value}  (default {option.default})"
    return shown

"""All commands of `tidegate`; what a command needs is imported when it runs, so help is instant."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command

from tidegate.cli.commands import about
from tidegate.cli.commands.doctor import doctor
from tidegate.cli.commands.evaluate import evaluate
from tidegate.cli.commands.explain import explain
from tidegate.cli.commands.fit import FitGroup
from tidegate.cli.commands.generate import generate
from tidegate.cli.commands.predict import predict
from tidegate.cli.commands.watch import watch
from tidegate.cli.of_model import of_model
from tidegate.cli.root import Root, report_bug

app = typer.Typer(
    cls=Root,
    name="tidegate",
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
fit = typer.Typer(cls=FitGroup)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", metavar="", help="Show the version.")
    ] = False,
) -> None:
    """Recurrent networks, from raw sequences to a working model.

    Start with tidegate demo. What can be learned from data of yours: tidegate tasks.
    How: tidegate fit TASK --help.
    """
    if version:
        print(f"tidegate {importlib.metadata.version('tidegate')}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        ctx.get_help()


@fit.callback()
def fit_help() -> None:
    """Train a model on your data and save it.

    Each task has options of its own: tidegate fit TASK --help teaches them.
    """


app.add_typer(fit, name="fit", subcommand_metavar="TASK DATA [OPTIONS]...")
_OPTIONS = {predict: "predict_options", evaluate: "evaluate_options"}
for function in (predict, evaluate, doctor, explain):
    app.command(
        function.__name__,
        cls=of_model(
            function, targets=function in (evaluate, doctor), options=_OPTIONS.get(function, "")
        ),
        help=inspect.getdoc(function),
    )(lambda: None)
app.command()(generate)
app.command()(watch)
app.command()(about.info)
app.command()(about.tasks)


@app.command()
def demo(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which demo.")] = "spam",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the model and the pictures [dim](default tidegate-demo/NAME)[/dim].",
            metavar="FOLDER",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", metavar="", help="Show no progress.")] = False,
) -> None:
    """See it work: train on data that ships with tidegate, and look at what came out.

    spam: an LSTM that tells spam from real text messages, in about a minute.
    memory: which nets remember what was long ago, and which do not, in a minute or two.
    forecast: the CO2 in the air of the next year, with intervals, in a few seconds.
    anomaly: a sensor breaks four times, and an alarm says when and how, in half a minute.
    tag: an LSTM learns the parts of speech, and colours sentences by them, in a minute or two.
    write: an LSTM learns to write like Shakespeare, and shows it, in two or three minutes.
    """
    from tidegate.cli.commands.demo import show

    show(name, out or Path("tidegate-demo", name), quiet)


@app.command()
def bench(
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", help="Threads to use; as many as torch takes, unless given."),
    ] = None,
    seconds: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to time each layer, about.")
    ] = 1.0,
) -> None:
    """Measure layers beside torch.nn, and against this machine's limit.

    Takes under a minute, and checks that both compute the same.
    """
    from tidegate.cli.commands.bench import show

    show(threads, seconds)


def main() -> None:
    """Run the command line: the entry point of the script `tidegate`."""
    sys.excepthook = report_bug
    # Whoever closed them wants to see nothing; what takes their place stays open to the end.
    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its escape, never a traceback; what goes into
        # a file or a program is UTF-8 whatever the terminal is.
        encoding = None if stream.isatty() else "utf-8"
        stream.reconfigure(encoding=encoding, errors="backslashreplace")  # type: ignore[union-attr]
    get_command(app)(prog_name="tidegate")

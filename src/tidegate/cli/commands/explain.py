"""`tidegate explain`: why a saved model answered one input as it did, as a page to look at."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn

from tidegate.cli import console
from tidegate.cli.parameters import Trust
from tidegate.cli.paths import decoded, is_true, names_existing, typed
from tidegate.errors import InputError, message
from tidegate.terminal import cell

if TYPE_CHECKING:
    from tidegate.tasks.core.task import Task

_MOST_BYTES = 10_000_000  # of a text; a longer one was not meant to be one


Given = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="One text, or a file that holds it, or - for standard input; or a table, see --row.",
    ),
]
Row = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, help="Explain this row, or this sequence, of a table, from 1."
    ),
]


def explain(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a saved model.")],
    given: Given,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write here [dim](default report.html)[/dim]."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="html|png|json",
            help="Page, picture or numbers [dim](default: what the suffix of --out says)[/dim].",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="CLASS", help="Explain this class instead of the one answered."),
    ] = None,
    layer: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Show this layer only, from 0; may be given again."),
    ] = None,
    unit: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Show this unit only, from 0; may be given again."),
    ] = None,
    row: Row = None,
    quiet: Annotated[bool, typer.Option("--quiet", metavar="", help="Show no progress.")] = False,
    trust: Trust = None,
    **columns: str | None,
) -> None:
    """Show why a saved model answered one input as it did.

    The page needs no network: the text coloured by what moved the answer, every gate of every
    step, and how long each unit remembers. Of a table one row is explained:
    tidegate explain MODEL --help names the columns that this model reads.
    """
    path = out or Path(f"report.{form or 'html'}")
    if is_true(Path(given).is_file) and path.resolve() == Path(given).resolve():
        raise InputError(message("explain", "--out", "another file than INPUT", str(path)))
    with _busy(quiet):
        from tidegate import tasks
        from tidegate.explain.report.report import check_output

        form = check_output(path, form)
        task = tasks.load(model, trust=trust or ())
        x = _input(task, given, columns, row)
        report = task.explain(x, target=target, layers=layer or None, units=unit or None)
        replaced = path.exists()
        report.save(path, form)
    to = console.out()
    share = report.probabilities.get(report.prediction)
    to.print(cell(report.prediction) + ("" if share is None else f" ({share:.1%})"), soft_wrap=True)
    size = path.stat().st_size / 1e6
    more = "; open it in a browser, it needs no network" if form == "html" else ""
    written = "replaced" if replaced else "written"
    to.print(f"{written}: {path} ({size:.2f} MB){more}", soft_wrap=True)


def _input(task: Task, given: str, columns: Mapping[str, str | None], row: int | None) -> Any:
    """What is to be explained: a text, or a row of a table."""
    from tidegate.tasks.core.files.reading import read_row
    from tidegate.tasks.core.inspect.limits import inspectable

    inspectable(task, "explain")
    if task.whole_tables or row is not None:
        found = read_row(task, Path(given), columns, row or 1)
        if row is None:
            console.note("the first sequence of the table is explained; --row N explains another.")
        return found
    return read_text(given, task.suffixes)


def read_text(given: str, suffixes: tuple[str, ...]) -> str:
    """Read what the user named: a text itself, a file that holds one, or standard input.

    Args:
        given: The text, a path, or "-".
        suffixes: How the names of files end that the task reads.

    Returns:
        The text.

    Raises:
        InputError: If it is a folder, a table, a file that is not there, too long or no UTF-8.
    """
    path = Path(given)
    if given == "-":
        return _decoded(sys.stdin.buffer.read(_MOST_BYTES + 1), "standard input")
    if not names_existing(given, "explain", "INPUT"):
        return typed(given, "explain", "INPUT")
    if path.suffix.lower() in (*suffixes, ".gz") and path.suffix.lower() != ".txt":
        raise _wrong(given, "a table", "Name one of its rows: --row N")
    try:
        with path.open("rb") as handle:
            return _decoded(handle.read(_MOST_BYTES + 1), given)
    except OSError as error:
        raise _wrong(given, error.strerror) from error


def _decoded(content: bytes, name: str) -> str:
    if len(content) > _MOST_BYTES:
        raise _wrong(name, f"more than {_MOST_BYTES:,} bytes")
    return decoded(content, "explain", name)


def _wrong(name: str, got: object, remedy: str = "") -> InputError:
    rule = "a text, a file that holds one, or -"
    return InputError(message("explain", name, rule, got, remedy))


@contextlib.contextmanager
def _busy(quiet: bool) -> Iterator[None]:
    """Show on a terminal that work is going on, and nothing of it afterwards."""
    to = console.err()
    columns = TextColumn("explaining"), BarColumn(bar_width=24)
    with Progress(*columns, console=to, transient=True, disable=quiet or not to.is_terminal) as bar:
        bar.add_task("", total=None)
        yield

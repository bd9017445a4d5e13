"""What the commands print: one line for an error or a warning, calm tables for scores."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from tidegate.terminal import cell, visible


class _Console(Console):
    """A console that nothing out of data can steer.

    It lets a closed pipe be what it is, too, instead of leaving with exit code 1.
    """

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        """Show the control characters of texts; those of colours are put in by what comes next."""
        if self.is_terminal:
            buffer = [
                part if part.control else part._replace(text=visible(part.text)) for part in buffer
            ]
        return super()._render_buffer(buffer)

    def on_broken_pipe(self) -> None:
        """Go on with the BrokenPipeError that rich has just caught."""
        raise  # noqa: PLE0704


def out() -> Console:
    """Return a console on standard output; made anew because tests exchange the stream."""
    return _Console(highlight=False, markup=False, emoji=False)


def err() -> Console:
    """Return a console on standard error."""
    return _Console(stderr=True, highlight=False, markup=False, emoji=False)


def error(text: str) -> None:
    """Print an error as one line on standard error."""
    _line("error", "bold red", text)


def warning(text: str) -> None:
    """Print a warning as one line on standard error."""
    _line("warning", "yellow", text)


def note(text: str) -> None:
    """Print a remark as one line on standard error."""
    _line("note", "cyan", text)


def _line(label: str, style: str, text: str) -> None:
    joined = " ".join(text.splitlines())
    err().print(Text.assemble((f"{label}: ", style), joined), soft_wrap=True)


def program() -> str:
    """Name this program as the user can call it again: by its path where it is not on PATH.

    Returns:
        "tidegate", or for example ".venv/bin/tidegate" or "python -m tidegate".
    """
    called = Path(sys.argv[0])
    if called.name == "__main__.py" and called.parent.name == "tidegate":
        return "python -m tidegate"
    if called.name != "tidegate" or len(called.parts) == 1:
        return "tidegate"
    found = shutil.which("tidegate")
    return "tidegate" if found and called.samefile(found) else shlex.quote(str(called))


@contextlib.contextmanager
def plain_warnings() -> Iterator[None]:
    """Print the warnings given in a block as one line each, and only those meant for users."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("default", category)
        warnings.showwarning = _show_warning
        yield


class WarningSums:
    """Adds up the warnings that count rows: one line each at the end, not one for every piece.

    Attributes:
        rows: Rows seen so far; whoever reads them counts them.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._sums: Counter[str] = Counter()

    @contextlib.contextmanager
    def collected(self) -> Iterator[None]:
        """Collect the warnings of a block and print their sums at its end."""
        from tidegate.tasks.core.examples import DataWarning

        def show(message: Warning | str, *_: Any, **__: Any) -> None:
            if isinstance(message, DataWarning) and message.total:
                self._sums[message.what] += message.count
            else:
                warning(str(message))

        with warnings.catch_warnings():
            warnings.simplefilter("always", DataWarning)
            warnings.showwarning = show
            yield
        for what, count in self._sums.items():
            warning(str(DataWarning(what, count, self.rows)))


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    warning(str(message))


def scores(parts: Mapping[str, Mapping[str, float]]) -> Table:
    """Lay out scores, one row a part of the data.

    Args:
        parts: Such as `{"validation": {"loss": 0.1, "accuracy": 0.97}}`.

    Returns:
        A table to print.
    """
    names = list(dict.fromkeys(name for found in parts.values() for name in found))
    table = _table("", *(name.replace("_", " ") for name in names))
    for part, found in parts.items():
        table.add_row(
            cell(part), *(f"{found[name]:.4f}" if name in found else "" for name in names)
        )
    return table


def per_class(report: Mapping[str, Mapping[str, float]]) -> Table:
    """Lay out the scores of each class, one row a class.

    Args:
        report: Precision, recall, F1 and support by class.

    Returns:
        A table to print.
    """
    names = list(next(iter(report.values()), {}))
    table = _table("class", *names)
    for label, found in report.items():
        table.add_row(
            cell(label),
            *(f"{found[n]:,.0f}" if n == "support" else f"{found[n]:.4f}" for n in names),
        )
    return table


def confusion(classes: Sequence[Any], counts: Sequence[Sequence[float]]) -> Table:
    """Lay out a confusion matrix: a row for each true class, a column for each predicted one.

    Args:
        classes: The classes, in the order of both axes.
        counts: How many rows of each true class were given each class.

    Returns:
        A table to print; what is right stands out.
    """
    table = _table("true \\ predicted", *map(cell, classes))
    for index, (label, row) in enumerate(zip(classes, counts, strict=True)):
        cells = [
            Text(f"{count:,.0f}", style="bold" if index == column else "" if count else "dim")
            for column, count in enumerate(row)
        ]
        table.add_row(cell(label), *cells)
    return table


def mistakes(classes: Sequence[Any], counts: Sequence[Sequence[float]], most: int = 20) -> Table:
    """Lay out what of a confusion matrix is wrong, the most frequent first.

    Args:
        classes: The classes, in the order of both axes.
        counts: How many rows of each true class were given each class.
        most: How many mistakes to show.

    Returns:
        A table to print.
    """
    found = [
        (-count, true, given)
        for true, row in enumerate(counts)
        for given, count in enumerate(row)
        if count and true != given
    ]
    table = _table("true", "predicted", f"rows; {len(found):,} pairs in all")
    for count, true, given in sorted(found)[:most]:
        table.add_row(cell(classes[true]), cell(classes[given]), f"{-count:,.0f}")
    return table


def figures(rows: Sequence[Mapping[str, str]]) -> Table:
    """Lay out rows of names and figures; the first column names the row."""
    table = _table(*map(cell, rows[0]))
    for row in rows:
        table.add_row(*map(cell, row.values()))
    return table


def pairs(rows: Mapping[str, object]) -> Table:
    """Lay out names and values, one row each."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(cell(name), Text(cell(value)))
    return table


def print_commands(console: Console, title: str, commands: Sequence[str]) -> None:
    """Print commands worth trying, each on a line of its own, ready to be copied."""
    console.print(f"\n{title}", style="dim")
    for command in commands:
        console.print(Text(f"  {command}", style="cyan"), soft_wrap=True)


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    # A long path folds; the numbers beside it must stay whole.
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    return table

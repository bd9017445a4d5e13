"""How answers are printed: as lines, a readable table, or a table's text, piece by piece."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO

from rich import box
from rich.table import Table
from rich.text import Text

from tidegate.cli import console
from tidegate.errors import InputError, message, suggest

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("table", "lines", "csv", "tsv", "jsonl")
Write = Callable[["pd.DataFrame"], None]


def to_screen(form: str, shown: str) -> Write:
    """Make a function that prints answers and hands them on at once.

    Args:
        form: One of `FORMATS`.
        shown: The column to show beside the answers in a readable table.

    Returns:
        It takes a frame with the column `prediction` and any `probability_CLASS`.

    Raises:
        InputError: If there is no such format.
    """
    if form not in FORMATS:
        rule = f"one of {', '.join(FORMATS)}"
        raise InputError(message("predict", "--format", rule, form, suggest(form, FORMATS)))
    if form == "table":
        return lambda frame: console.out().print(_readable(frame, shown))
    if form == "lines":
        return _print_lines
    return _to_stream(form, sys.stdout)


def _to_stream(form: str, handle: TextIO) -> Write:
    first = True

    def write(frame: pd.DataFrame) -> None:
        nonlocal first
        if form == "jsonl":
            if len(frame):
                frame.to_json(
                    handle, orient="records", lines=True, force_ascii=False, date_format="iso"
                )
        else:
            separator = "\t" if form == "tsv" else ","
            frame.to_csv(handle, sep=separator, index=False, header=first, lineterminator="\n")
        first = False
        handle.flush()

    return write


def _print_lines(frame: pd.DataFrame) -> None:
    for answer, probability in _answers(frame):
        print(answer, *([f"{probability:.4f}"] if probability is not None else []), sep="\t")
    sys.stdout.flush()


def _readable(frame: pd.DataFrame, shown: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    answers = [_visible(answer) for answer in frame["prediction"]]
    # Only the last column may be cut when the terminal is narrow.
    widest = max(map(len, ["prediction", *answers]))
    table.add_column("prediction", no_wrap=True, style="bold", min_width=widest)
    if any(probability is not None for _, probability in _answers(frame)):
        table.add_column("probability", justify="right", no_wrap=True, min_width=len("probability"))
    table.add_column(shown)
    for (answer, probability), value in zip(_answers(frame), frame[shown], strict=True):
        number = [f"{probability:.4f}"] if probability is not None else []
        text = Text(" ".join(str(value).split()), no_wrap=True, overflow="ellipsis")
        table.add_row(Text(_visible(answer)), *number, text)
    return table


def _visible(answer: object) -> str:
    """Put quotes around an answer that would be nothing but a gap, such as a line end."""
    text = str(answer)
    return repr(text) if text.isspace() else text


def _answers(frame: pd.DataFrame) -> Iterator[tuple[object, float | None]]:
    """Yield the prediction of each row, and its probability where there is one."""
    names = [name for name in frame.columns if str(name).startswith("probability_")]
    best = frame[names].max(axis=1) if names else [None] * len(frame)
    yield from zip(frame["prediction"], best, strict=True)

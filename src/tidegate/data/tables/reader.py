"""Tables from files: whole, or piece by piece."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from tidegate.data.tables.columns import (
    as_text,
    column_from_json,
    column_from_strings,
    column_of_strings,
    frame_from_arrow,
)
from tidegate.data.tables.complete import check_column, clean_rows
from tidegate.data.tables.formats import (
    check_file,
    parquet_columns,
    read_json_rows,
    read_parquet_tables,
    read_text_rows,
    table_suffix,
)
from tidegate.data.tables.writer import write_table
from tidegate.data.tags.conll import read_conll
from tidegate.errors import InputError, message

__all__ = ["check_column", "clean_rows", "iter_table", "read_table", "write_table"]

CONLL = (
    ".conll",
    ".conllu",
    ".iob",
    ".iob1",
    ".iob2",
    ".bio",
    ".bio2",
    ".iobes",
    ".bioes",
    ".bilou",
)
READABLE = (".csv", ".tsv", ".jsonl", ".parquet", ".txt", *CONLL)
ARROW_ROWS = 65_536


def read_table(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    text: Sequence[str] = (),
) -> pd.DataFrame:
    """Read a table from a .csv, .tsv, .jsonl, .parquet, .txt or CoNLL file.

    Files are UTF-8; a gzipped one ends in .gz (parquet packs itself). An empty field is missing;
    "NA", "null" and "None" are texts like any other. A column in which every field is a number
    becomes one of numbers. A .txt has one column, "text", with a row a line; a .conll, .conllu,
    .iob, .bio or the like (.iob2, .bilou) has a row a word, see `read_conll`.

    Args:
        path: The file.
        columns: The columns wanted, in that order; None for all.
        text: Columns that are text even if every field is a number: what stands in the file, and
            where a file has types, whole numbers by their digits and true or false.

    Returns:
        A frame of at least one row, numbered from 0.

    Raises:
        InputError: If the file is missing, empty, damaged, not UTF-8 or badly quoted, or has no
            such column; one line that names the file and where it can the line.

    Example:
        >>> read_table("reviews.csv", columns=["text", "label"])  # doctest: +SKIP
    """
    path = Path(path)
    suffix = _checked_suffix(path)
    if suffix == ".parquet":
        wanted = _wanted(parquet_columns(path), columns, path)
        tables = list(read_parquet_tables(path, wanted, ARROW_ROWS))
        frame = frame_from_arrow(pa.concat_tables(tables)) if tables else pd.DataFrame()
    elif suffix in CONLL:
        frame = read_conll(path)
        frame = frame[_wanted(list(frame.columns), columns, path)]
    elif suffix == ".jsonl":
        rows = list(read_json_rows(path))
        names = list(dict.fromkeys(name for row in rows for name in row))
        frame = _json_frame(rows, _wanted(names, columns, path))
    else:
        fields = read_text_rows(path, suffix)
        header = next(fields, [])
        kept = _wanted(header, columns, path)
        makers = {name: column_of_strings if name in text else column_from_strings for name in kept}
        frame = _text_frame(list(fields), header, makers)
    if frame.empty:
        raise _no_rows(path)
    typed = [name for name in text if name in frame and suffix in (".jsonl", ".parquet")]
    for name in typed:
        frame[name] = as_text(frame[name])
    return frame


def iter_table(path: str | os.PathLike[str], chunk_rows: int = 4096) -> Iterator[pd.DataFrame]:
    """Read the same files as `read_table`, piece by piece.

    Columns of .csv, .tsv and .txt files stay text as it stands in the file: what a later chunk
    holds cannot be known, and so nothing is rewritten.

    Args:
        path: The file.
        chunk_rows: Rows of a piece; the last one may have fewer.

    Returns:
        Frames, each numbered from 0; at least one.

    Raises:
        InputError: As `read_table`; a fault further down is raised when it is reached.

    Example:
        >>> for frame in iter_table("reviews.csv"):  # doctest: +SKIP
        ...     print(len(frame))
    """
    if chunk_rows < 1:
        raise InputError(message("iter_table", "chunk_rows", "an integer >= 1", chunk_rows))
    path = Path(path)
    return _chunks(path, _checked_suffix(path), chunk_rows)


def _chunks(path: Path, suffix: str, size: int) -> Iterator[pd.DataFrame]:
    frames: Iterator[pd.DataFrame]
    if suffix == ".parquet":
        frames = map(frame_from_arrow, read_parquet_tables(path, None, size))
    elif suffix in CONLL:
        frames = iter([read_conll(path)])
    elif suffix == ".jsonl":
        frames = _json_chunks(read_json_rows(path), size)
    else:
        fields = read_text_rows(path, suffix)
        header = next(fields, [])
        makers = dict.fromkeys(header, column_of_strings)
        frames = (_text_frame(rows, header, makers) for rows in _groups(fields, size))
    first = next(frames, None)
    if first is None:
        raise _no_rows(path)
    yield first
    yield from frames


def _groups(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while group := list(itertools.islice(rows, size)):
        yield group


def _json_chunks(rows: Iterator[dict[str, Any]], size: int) -> Iterator[pd.DataFrame]:
    """Frames whose columns only grow: a later row may bring in a new name."""
    names: dict[str, None] = {}
    for group in _groups(rows, size):
        names |= dict.fromkeys(name for row in group for name in row)
        yield _json_frame(group, list(names))


def _json_frame(rows: list[dict[str, Any]], names: list[str]) -> pd.DataFrame:
    return _frame({name: column_from_json([row.get(name) for row in rows]) for name in names})


def _text_frame(
    rows: list[list[Any]], header: list[str], makers: dict[str, Callable[..., pd.Series[Any]]]
) -> pd.DataFrame:
    places = {name: place for place, name in enumerate(header)}
    return _frame(
        {name: make([row[places[name]] for row in rows]) for name, make in makers.items()}
    )


def _frame(columns: dict[str, pd.Series[Any]]) -> pd.DataFrame:
    frame: pd.DataFrame = pd.DataFrame(columns)
    return frame


def _checked_suffix(path: Path) -> str:
    check_file(path)
    return table_suffix(path, READABLE)


def _wanted(known: Sequence[str], columns: Sequence[str] | None, path: Path) -> list[str]:
    for name in columns or ():
        check_column(name, known, str(path))
    return list(known if columns is None else columns)


def _no_rows(path: Path) -> InputError:
    return InputError(message(str(path), "rows", "one or more", "none", "Add rows to the file"))

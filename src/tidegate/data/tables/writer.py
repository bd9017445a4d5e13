"""Tables into files."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import itertools
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tidegate.data.tables.formats import table_suffix
from tidegate.errors import InputError, message
from tidegate.files import json_text

WRITABLE = (".csv", ".tsv", ".jsonl", ".parquet")


def write_table(frame: pd.DataFrame | Iterable[pd.DataFrame], path: str | os.PathLike[str]) -> None:
    """Write a table as its suffix says: .csv, .tsv, .jsonl, .parquet, the first three also .gz.

    It is written to a temporary file beside and renamed, so that no half file is ever seen.

    Args:
        frame: The table, or frames with the same columns that follow each other.
        path: The file to write or replace.

    Raises:
        InputError: If the suffix is unknown, the folder is missing or the file cannot be written.

    Example:
        >>> write_table(pd.DataFrame({"text": ["fine"]}), "out.csv")  # doctest: +SKIP
    """
    path = Path(path)
    suffix = table_suffix(path, WRITABLE)
    if not path.parent.is_dir():
        got = f"no folder {path.parent}"
        raise InputError(message(str(path), "path", "in a folder that exists", got))
    frames = iter([frame] if isinstance(frame, pd.DataFrame) else frame)
    first = next(frames, None)
    if first is None:
        raise InputError(message("write_table", "frame", "one frame or more", "none"))
    frames = itertools.chain([first], frames)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        if suffix == ".parquet":
            _write_parquet(frames, temporary)
        else:
            _write_text(frames, temporary, suffix, packed=path.name.lower().endswith(".gz"))
        temporary.replace(path)
    except OSError as error:
        got = error.strerror or str(error)
        raise InputError(message(str(path), "path", "writable", got)) from None
    finally:
        temporary.unlink(missing_ok=True)


def _write_parquet(frames: Iterator[pd.DataFrame], path: Path) -> None:
    tables = (pa.Table.from_pandas(frame, preserve_index=False) for frame in frames)
    first = next(tables)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table.cast(first.schema))


def _write_text(frames: Iterator[pd.DataFrame], path: Path, suffix: str, *, packed: bool) -> None:
    with path.open("wb") as file, contextlib.ExitStack() as stack:
        target: io.BufferedIOBase = file
        if packed:  # without a time in it, the same table always gives the same bytes
            target = stack.enter_context(gzip.GzipFile("", "wb", 6, file, mtime=0))
        for number, frame in enumerate(frames):
            target.write(table_text(frame, suffix, header=number == 0).encode("utf-8"))


def table_text(frame: pd.DataFrame, suffix: str, *, header: bool) -> str:
    """Write rows as the text of a file, every number to its last bit.

    Args:
        frame: The rows.
        suffix: ".csv", ".tsv" or ".jsonl", in which an infinity is null: JSON has none.
        header: Whether the names of the columns come first; a .jsonl has them in each row.
    """
    if suffix == ".jsonl":
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        return "".join(json_text(row) + "\n" for row in rows)
    nested = [name for name in frame if frame[name].dtype == object]
    frame = frame.assign(**{str(name): frame[name].map(_cell) for name in nested})
    return frame.to_csv(
        sep="," if suffix == ".csv" else "\t",
        index=False,
        header=header,
        quoting=_quoting(frame),
        lineterminator="\n",
    )


def _cell(value: object) -> object:
    """Write a list or dictionary in a cell as JSON."""
    return json_text(value) if isinstance(value, np.ndarray | list | dict) else value


def _quoting(frame: pd.DataFrame) -> Literal[0, 2]:
    """Quote every text when one holds a carriage return, which Python's csv leaves bare."""
    texts = frame.select_dtypes(exclude=["number", "bool"])
    returns = any("\r" in str(value) for name in texts for value in texts[name])
    return csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL

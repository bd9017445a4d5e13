"""The rows of a table that can be used: with a text, and with a label where one is needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from tidegate.data.tables.columns import as_text
from tidegate.errors import InputError, message, suggest


def check_column(name: str, known: Iterable[str], source: str) -> None:
    """Refuse the name of a column that a table does not have.

    Args:
        name: The name.
        known: The names that it has.
        source: The file, for the message.

    Raises:
        InputError: If it is not among them; it says which one was probably meant.

    Example:
        >>> check_column("text", ["text", "label"], "reviews.csv")
    """
    names = [str(column) for column in known]
    if name not in names:
        # Columns that were added while reading begin with \0: nobody knows of them.
        own = [column for column in names if not column.startswith("\0")]
        got = f"no column {name!r}"
        raise InputError(message(source, "columns", "there", got, suggest(name, own)))


def clean_rows(
    frame: pd.DataFrame, text: str, label: str | None, drop_missing: bool, source: str
) -> tuple[pd.DataFrame, int]:
    """Check the texts and labels of a table, and leave out rows that lack one.

    A text that is missing or only white space is empty. Texts come out as strings, numbers
    written out; labels as strings, whole numbers (1.0 becomes 1) or whatever else they were.

    Args:
        frame: The table.
        text: Its column of texts.
        label: Its column of labels, or None.
        drop_missing: Leave rows out that lack a text or label, instead of complaining.
        source: The file, for the message.

    Returns:
        The rows that are complete, numbered from 0, and how many were left out.

    Raises:
        InputError: If a column does not exist, a text is not text, rows lack something, or
            no row is left.

    Example:
        >>> frame = pd.DataFrame({"text": ["fine", ""], "label": [1, 0]})
        >>> clean_rows(frame, "text", "label", True, "reviews.csv")[1]
        1
    """
    for name in (text,) if label is None else (text, label):
        check_column(name, frame.columns, source)
    empty = is_missing(frame[text])
    unlabelled = is_missing(frame[label]) if label is not None else empty & False
    dropped = int((empty | unlabelled).sum())
    if dropped and not drop_missing:
        found = [
            f"{int(rows.sum())} empty {what} ({_row_numbers(rows)})"
            for what, rows in (("texts", empty), ("labels", unlabelled))
            if rows.any()
        ]
        remedy = "Fill them in, or drop these rows with drop_missing=True (--drop-missing)"
        raise InputError(message(source, "rows", "complete", " and ".join(found), remedy))
    kept = frame[~(empty | unlabelled)].reset_index(drop=True)
    if kept.empty:
        raise InputError(message(source, "rows", "one or more with a text", f"{dropped} empty"))
    kept[text] = _texts(kept[text], source)
    if label is not None:
        kept[label] = _labels(kept[label])
    return kept, dropped


def is_missing(column: pd.Series[Any]) -> pd.Series[bool]:
    """Say which values are missing, or text of nothing but white space.

    Args:
        column: The values.

    Returns:
        True where there is nothing to read.

    Example:
        >>> is_missing(pd.Series(["fine", " ", None])).tolist()
        [False, True, True]
    """
    blank = column.map(lambda value: isinstance(value, str) and not value.strip())
    return column.isna() | blank.astype(bool)


def _row_numbers(rows: pd.Series[bool]) -> str:
    """Name the first rows, counted from 1 below the header."""
    numbers = [str(row + 1) for row in rows.to_numpy().nonzero()[0]]
    shown = ", ".join(numbers[:5]) + (", ..." if len(numbers) > 5 else "")
    return f"row {shown}" if len(numbers) == 1 else f"rows {shown}"


def _texts(column: pd.Series[Any], source: str) -> pd.Series[Any]:
    texts = as_text(column)
    for row, value in enumerate(texts, 1):
        if not isinstance(value, str):
            got = f"{type(value).__name__} {value!r} in row {row}"
            raise InputError(message(source, str(column.name), "text", got))
    return texts


def _labels(column: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if pd.api.types.is_float_dtype(column) and (column == column.round()).all():
        return column.astype("int64")
    return column.astype("int64") if str(column.dtype) == "Int64" else column

"""Sequences out of tables: long ones, a step a row, or wide ones, a sequence a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.sequences.rows import table_rows
from tidegate.data.series.dates.times import read_times
from tidegate.data.tables.complete import check_column, is_missing
from tidegate.errors import InputError, message, quoted

Columns = str | Sequence[str]

OWN = "\0"
"""How columns begin that no file has; of the command line's own the first row's value is kept."""

SEQUENCE, TARGETS = f"{OWN}sequence", f"{OWN}targets"
"""The columns of a gathered table that hold sequences, and targets of their steps."""


# What columns are called that number the rows, and measure nothing.
_NO_CHANNELS = ("id", "")
# So few runs of equal numbers may be a mark, and so few numbers in a row chance.
_FEWEST_RUNS = 3


def gather_sequences(
    frame: pd.DataFrame,
    *,
    id: str | None,  # the column's usual name
    time: str | None = None,
    values: Columns | None = None,
    target: str | None = None,
    steps: bool = False,
    drop_missing: bool = False,
    source: str = "gather_sequences",
) -> tuple[pd.DataFrame, int]:
    """Make a table with a sequence a row out of one with a step a row.

    Args:
        frame: The table, its rows numbered from 1 in messages.
        id: The column that says which sequence a row belongs to. None is for a wide table, in
            which each row is a sequence of one channel, its steps side by side in `values`.
        time: The column that orders the steps: dates or numbers; None keeps the order of the rows.
        values: The columns of the channels, a list or a text with commas between; None takes all
            columns of numbers that have no other purpose, do not count the rows (unless all do),
            and are not called "id" or nothing.
        target: The column of the target, the same in all rows of a sequence; None for none.
        steps: Whether each step has a target of its own.
        drop_missing: Leave out rows without an id, a time or a target instead of complaining.
        source: The file, for messages.

    Returns:
        A table with the column `SEQUENCE`, of DataFrames `[T, C]` whose index is the time if there
        is one, and besides it id, target (the last step's) and every column that is constant
        within each sequence; with `steps` the column `TARGETS` holds arrays `[T]`. And the number
        of rows that were left out.

    Raises:
        InputError: If a column is missing or holds what it should not, two steps of a sequence
            have one time, or the targets of a sequence differ; one line that names the row.

    Example:
        >>> table = pd.DataFrame({"run": ["a", "b", "a"], "speed": [1.0, 5.0, 2.0]})
        >>> found, _ = gather_sequences(table, id="run")
        >>> found["run"].tolist(), found[SEQUENCE][0]["speed"].tolist()
        (['a', 'b'], [1.0, 2.0])
    """
    named = {"id": id, "time": time, "target": target}
    for name in filter(None, named.values()):
        check_column(name, frame.columns, source)
    if id is None and values is None:
        _check_alone(frame.drop(columns=list(filter(None, named.values()))), source)
    frame, dropped = _complete(frame, named, drop_missing, source)
    channels = _channels(frame, values, list(filter(None, named.values())), source)
    numbers = pd.DataFrame({name: _numbers(frame, name, source) for name in channels})
    if id is None:
        return _wide(frame, numbers), dropped
    groups = _groups(frame, id, time, source)
    if target is not None and not steps:
        _check_constant(frame[target], groups, frame[id], source)
    return _long(frame, numbers, groups, named, steps), dropped


def _check_alone(frame: pd.DataFrame, source: str) -> None:
    """Refuse rows that look like the steps of sequences where each is taken for a sequence."""
    for name in (name for name in frame.columns if not str(name).startswith(OWN)):
        column = frame[name]
        if not (_names_runs(column) or (name == "id" and column.duplicated().any())):
            continue
        row = int(column.duplicated().to_numpy().argmax())
        got = f"{quoted(column.iloc[row])} again in row {_row(frame, row)}"
        remedy = (
            f"Name it with id (--id {name}), or the columns of the steps with values (--values)"
        )
        raise InputError(message(source, str(name), "different in each row", got, remedy))


def _names_runs(column: pd.Series[Any]) -> bool:
    """Whether whole numbers stand in runs, each in one alone, as those of sequences do."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return False
    numbers = column.to_numpy(np.float64, na_value=np.nan)
    if not np.array_equal(numbers, np.round(numbers)):
        return False
    runs = 1 + np.count_nonzero(np.diff(numbers))
    return bool(runs == len(np.unique(numbers)) and _FEWEST_RUNS <= runs <= len(numbers) / 2)


def _long(
    frame: pd.DataFrame,
    numbers: pd.DataFrame,
    groups: list[Array],
    named: dict[str, str | None],
    steps: bool,
) -> pd.DataFrame:
    """Each group of rows as a sequence."""
    time, target = named["time"], named["target"]
    first = [positions.min() for positions in groups]
    found: pd.DataFrame = frame.iloc[first].drop(columns=numbers.columns).reset_index(drop=True)
    index = None if time is None else pd.Index(frame[time])
    found[SEQUENCE] = pd.Series([_sequence(numbers, index, rows) for rows in groups], dtype=object)
    if target is not None and steps:
        whole = [frame[target].iloc[rows].to_numpy() for rows in groups]
        found[TARGETS] = pd.Series(whole, dtype=object)
        found[target] = [row[-1] for row in whole]
    kept = {SEQUENCE, TARGETS, named["id"], target}
    others = [n for n in found.columns if n not in kept and not str(n).startswith(OWN)]
    counts = frame.groupby(named["id"])[others].nunique().max()
    changing = [name for name in others if counts[name] > 1]
    constant: pd.DataFrame = found.drop(columns=changing)
    return constant


def _complete(
    frame: pd.DataFrame, named: dict[str, str | None], drop_missing: bool, source: str
) -> tuple[pd.DataFrame, int]:
    """Find rows without an id, a time or a target."""
    gone = np.zeros(len(frame), dtype=bool)
    for role, name in named.items():
        if name is None:
            continue
        missing = frame[name].isna().to_numpy()
        if missing.any() and not drop_missing:
            row = int(missing.argmax()) + 1
            got = f"{missing.sum():,} empty cells, the first in row {row}"
            remedy = "Fill them in, or drop these rows with drop_missing=True (--drop-missing)"
            raise InputError(message(source, name, f"given in every row ({role})", got, remedy))
        gone |= missing
    # The index goes on saying which row of the file it was.
    kept = frame[~gone] if gone.any() else frame
    if not len(kept):
        raise InputError(message(source, "rows", "one or more", f"{int(gone.sum())} incomplete"))
    return kept, int(gone.sum())


def _channels(
    frame: pd.DataFrame, values: Columns | None, taken: list[str], source: str
) -> list[str]:
    """The columns of the channels."""
    if values is None:
        free = [n for n in frame.columns if n not in taken and not str(n).startswith(OWN)]
        free = [name for name in free if str(name).strip().lower() not in _NO_CHANNELS]
        found = [str(name) for name in free if _means_numbers(frame[name])]
        measured = [name for name in found if not _numbers_rows(frame[name])]
        found = measured or found
    else:
        parts = values.split(",") if isinstance(values, str) else values
        found = [part.strip() for part in parts if part.strip()]
    for name in found:
        check_column(name, frame.columns, source)
        if name in taken:
            raise InputError(message(source, "values", "columns of their own", repr(name)))
    if not found:
        remedy = "Name the columns of the channels"
        raise InputError(message(source, "values", "columns of numbers", "none", remedy))
    return found


def _numbers_rows(column: pd.Series[Any]) -> bool:
    """Whether a column counts the rows, one by one, and measures nothing."""
    if not pd.api.types.is_numeric_dtype(column) or len(column) < _FEWEST_RUNS:
        return False
    return bool((np.diff(column.to_numpy(np.float64, na_value=np.nan)) == 1).all())


def _means_numbers(column: pd.Series[Any]) -> bool:
    """Whether a column is one of numbers, or would be if a few cells were not wrong."""
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return False
    if pd.api.types.is_numeric_dtype(column):
        return True
    given = column[~is_missing(column)]
    return bool(pd.to_numeric(given, errors="coerce").notna().mean() > 0.5)


def _numbers(frame: pd.DataFrame, name: str, source: str) -> Array:
    """The values of a channel, missing ones as NaN."""
    column = frame[name]
    numbers = pd.to_numeric(column, errors="coerce")
    # An empty cell among texts is a missing value, not a wrong one.
    wrong = (numbers.isna() & ~is_missing(column)).to_numpy()
    if wrong.any():
        place = int(wrong.argmax())
        got = f"{quoted(column.iloc[place])} in row {_row(frame, place)}"
        raise InputError(message(source, name, "numbers", got, "Correct it, or leave it empty"))
    found: Array = numbers.to_numpy(np.float64)
    if np.isinf(found).any():
        place = int(np.isinf(found).argmax())
        got = f"{found[place]} in row {_row(frame, place)}"
        raise InputError(message(source, name, "finite", got, "Correct it, or leave it empty"))
    return found


def _row(frame: pd.DataFrame, place: int) -> int:
    """The number of a row in its file, from 1."""
    return int(frame.index[place]) + 1


def _wide(frame: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Each row as a sequence of one channel."""
    found: pd.DataFrame = frame.drop(columns=list(numbers.columns)).reset_index(drop=True)
    found[SEQUENCE] = pd.Series(table_rows(numbers), dtype=object)
    return found


def _groups(frame: pd.DataFrame, id: str, time: str | None, source: str) -> list[Array]:
    """The positions of the rows of each sequence, in the order of time."""
    codes = pd.factorize(frame[id])[0]
    if time is None:
        order = np.argsort(codes, kind="stable")
    else:
        instants = _instants(frame, time, source)
        order = np.lexsort((instants, codes))
        twice = (np.diff(codes[order]) == 0) & (np.diff(instants[order]) == 0)
        if twice.any():
            first, second = (_row(frame, order[twice.argmax() + k]) for k in (0, 1))
            rule = "given once in a sequence"
            got = f"{quoted(frame[time].iloc[order[twice.argmax()]])} in rows {first} and {second}"
            raise InputError(message(source, time, rule, got, "Drop one of the rows"))
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])


def _instants(frame: pd.DataFrame, time: str, source: str) -> Array:
    column = frame[time]
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy()
    rows = np.asarray(frame.index) + 1
    return read_times(column, rows, source).instants


def _sequence(numbers: pd.DataFrame, index: pd.Index[Any] | None, rows: Array) -> pd.DataFrame:
    steps: pd.Index[Any] = pd.RangeIndex(len(rows)) if index is None else index[rows]
    part: pd.DataFrame = numbers.iloc[rows].set_axis(steps, axis=0)
    return part


def _check_constant(
    column: pd.Series[Any], groups: list[Array], names: pd.Series[Any], source: str
) -> None:
    codes = pd.factorize(column)[0]
    for rows in groups:
        other = codes[rows] != codes[rows[0]]
        if other.any():
            first, second = rows[0], rows[other.argmax()]
            told = f"{quoted(column.iloc[first])} in row {int(column.index[first]) + 1}"
            got = f"{told} and {quoted(column.iloc[second])} in row {int(column.index[second]) + 1}"
            rule = f"the same in all rows of a sequence, such as {quoted(names.iloc[first])}"
            remedy = "To learn a target at each step, set a window"
            raise InputError(message(source, str(column.name), rule, got, remedy))

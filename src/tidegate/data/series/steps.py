"""Series whose rows are their steps: values that were written down as they came, at any times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.names import ColumnNames, places
from tidegate.data.series.clock import Clock
from tidegate.data.series.dates.times import read_times
from tidegate.data.series.inputs import of_other_libraries
from tidegate.data.series.panel import Panel
from tidegate.data.series.table import (
    check_forwards,
    free_numbers,
    listed,
    read_numbers,
    row_numbers,
)
from tidegate.data.series.values import as_columns
from tidegate.data.tables.complete import check_column
from tidegate.errors import InputError, message

# What one series may come in.
StepsLike: TypeAlias = "Panel | pd.DataFrame | pd.Series[Any] | npt.ArrayLike"


def read_steps(
    frame: pd.DataFrame,
    *,
    value: str | Sequence[str] | None = None,
    time: str | None = None,
    others: Sequence[str] = (),
    dayfirst: bool | None = None,
    owner: str = "read_steps",
) -> Panel:
    """Read one series out of a table, a step a row, whenever its rows were written.

    Args:
        frame: The table, its rows in the order of time.
        value: The column of the values, or several; by default every column of numbers that has
            no other purpose.
        time: The column of the times; None leaves them out.
        others: Columns of another purpose.
        dayfirst: Whether 01/02/2015 is the first of February; None takes what leaves fewer gaps.
        owner: Who complains.

    Returns:
        A panel of one series, with `stamps` where the times are dates.

    Raises:
        InputError: If a column is missing or holds what it should not, or times go backwards; one
            line that names the first such row.

    Example:
        >>> table = pd.DataFrame({"at": ["2024-01-01", "2024-01-09"], "heat": [3, 4]})
        >>> read_steps(table, time="at").stamps[1]
        Timestamp('2024-01-09 00:00:00')
    """
    taken = {*others, *([] if time is None else [time])}
    names = listed(value) or free_numbers(frame, taken)
    for name in (*names, *taken):
        check_column(name, frame.columns, owner)
    if not names:
        raise InputError(message(owner, "value", "a column of numbers", "none"))
    rows = row_numbers(frame)
    values = np.stack([read_numbers(frame[name], "value", rows, owner) for name in names], axis=1)
    stamps = None if time is None else _stamps(frame[time], rows, owner, dayfirst)
    return _panel(values, ColumnNames(tuple(names)), stamps)


def as_steps(X: StepsLike, owner: str = "Panel", *, learned: ColumnNames | None = None) -> Panel:
    """Read one series from whatever it is in.

    Args:
        X: Numbers `[T]` or `[T, C]`: a list, an array, a pandas Series or DataFrame, whose times,
            if it has any, are its index; or a panel of one series.
        owner: Who complains.
        learned: The variables of a fit: they alone are read, in its order; None reads all.

    Returns:
        A panel of one series.

    Raises:
        InputError: If a value is no number or infinite, with its row, X is none of these, or
            lacks a variable of the fit.

    Example:
        >>> as_steps([[1.0, 2.0]]).targets
        ('value_1', 'value_2')
    """
    if isinstance(X, Panel):
        if len(X) != 1 or X.past or X.known:
            got = f"{len(X)} with {len(X.past) + len(X.known)} other columns"
            raise InputError(message(owner, "X", "one series of values alone", got))
        panel = X
    elif isinstance(X := of_other_libraries(X), pd.Series | pd.DataFrame):
        panel = _of_pandas(X if isinstance(X, pd.DataFrame) else X.to_frame(X.name), owner, learned)
    else:
        values = as_columns(X, owner)
        panel = _panel(values, ColumnNames.usual(values.shape[1]), None)
    return (
        panel
        if learned is None
        else panel.arranged(learned.names, named=learned.named, owner=owner)
    )


def _of_pandas(table: pd.DataFrame, owner: str, learned: ColumnNames | None) -> Panel:
    """Read a table whose index may hold its times; of other columns nothing is asked."""
    columns = ColumnNames.of(table.columns)
    if learned is not None:
        at = places(columns, learned, owner)
        table, columns = table.iloc[:, at], learned
    where = [f" of {name}" for name in columns.names] if columns.named else [""]
    values = as_columns(table, owner, where=where)
    return _panel(values, columns, _index_stamps(table.index, owner))


def _index_stamps(index: pd.Index[Any], owner: str) -> pd.DatetimeIndex | None:
    """The times that an index holds, by their own clock; None for one of numbers or durations."""
    dtype = index.dtype
    if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_timedelta64_dtype(dtype):
        return None
    if not len(index):
        return None
    rows = np.arange(1, len(index) + 1)
    if not isinstance(index, pd.MultiIndex):
        return _stamps(pd.Series(index), rows, owner)
    rule, remedy = "an index of times", "Keep one series, or call reset_index(drop=True)"
    raise InputError(message(owner, "X", rule, f"one of {index.nlevels} levels", remedy))


def _panel(values: Array, columns: ColumnNames, stamps: pd.DatetimeIndex | None) -> Panel:
    return Panel(
        values,
        np.array([0, len(values)]),
        np.zeros(1, np.int64),
        Clock(),
        targets=columns.names,
        stamps=stamps,
        named=columns.named,
    )


def _stamps(
    column: pd.Series[str], rows: Array, owner: str, dayfirst: bool | None = None
) -> pd.DatetimeIndex | None:
    """Times by their own clock; None for numbers."""
    times = read_times(column, rows, owner, dayfirst=dayfirst)
    check_forwards(times.instants, column, rows, np.zeros(1, np.int64), owner, once=False)
    if not times.dated:
        return None
    index: pd.DatetimeIndex = pd.DatetimeIndex(times.instants.astype("datetime64[us]"))
    if times.zone is not None and not times.wall:
        index = index.tz_localize("UTC").tz_convert(times.zone).tz_localize(None)
    return index

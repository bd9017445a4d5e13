"""Series whose rows are their steps: values that were written down as they came, at any times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.names import ColumnNames, places
from tidegate.data.series.clock import LOCAL, Clock
from tidegate.data.series.dates.instants import learned_clock, other_clock, wall_clock
from tidegate.data.series.dates.times import read_dates_of_numbers, read_times
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

# The time of each step by the wall clock, and the clock of a fit that it was read by.
_Stamps: TypeAlias = "tuple[pd.DatetimeIndex, Clock]"


def read_steps(
    frame: pd.DataFrame,
    *,
    value: str | Sequence[str] | None = None,
    time: str | None = None,
    others: Sequence[str] = (),
    clock: Clock | None = None,
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
        clock: The clock of a fit, by which its times were read; by default it is found.
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
    stamps = None if time is None else _stamps(frame[time], rows, owner, clock, dayfirst)
    return _panel(values, ColumnNames(tuple(names)), stamps)


def as_steps(
    X: StepsLike,
    owner: str = "Panel",
    *,
    learned: ColumnNames | None = None,
    clock: Clock | None = None,
) -> Panel:
    """Read one series from whatever it is in.

    Args:
        X: Numbers `[T]` or `[T, C]`: a list, an array, a pandas Series or DataFrame, whose times,
            if it has any, are its index; or a panel of one series.
        owner: Who complains.
        learned: The variables of a fit: they alone are read, in its order; None reads all.
        clock: The clock of the fit, by which its times were read; by default it is found.

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
        panel = _by_clock(X, clock, owner)
    elif isinstance(X := of_other_libraries(X), pd.Series | pd.DataFrame):
        table = X if isinstance(X, pd.DataFrame) else X.to_frame(X.name)
        panel = _of_pandas(table, owner, learned, clock)
    else:
        values = as_columns(X, owner)
        panel = _panel(values, ColumnNames.usual(values.shape[1]), None)
    return (
        panel
        if learned is None
        else panel.arranged(learned.names, named=learned.named, owner=owner)
    )


def _of_pandas(
    table: pd.DataFrame, owner: str, learned: ColumnNames | None, clock: Clock | None
) -> Panel:
    """Read a table whose index may hold its times; of other columns nothing is asked."""
    columns = ColumnNames.of(table.columns)
    if learned is not None:
        at = places(columns, learned, owner)
        table, columns = table.iloc[:, at], learned
    where = [f" of {name}" for name in columns.names] if columns.named else [""]
    values = as_columns(table, owner, where=where)
    return _panel(values, columns, _index_stamps(table.index, owner, clock))


def _index_stamps(index: pd.Index[Any], owner: str, clock: Clock | None) -> _Stamps | None:
    """The times that an index holds; None for one that counts, or of durations."""
    dtype = index.dtype
    if isinstance(index, pd.RangeIndex) or pd.api.types.is_timedelta64_dtype(dtype):
        return None
    if pd.api.types.is_numeric_dtype(dtype):
        numbers = index.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isnan(numbers).any() or read_dates_of_numbers(numbers, clock) is None:
            return None
    if not len(index):
        return None
    rows = np.arange(1, len(index) + 1)
    if not isinstance(index, pd.MultiIndex):
        return _stamps(pd.Series(index), rows, owner, clock)
    rule, remedy = "an index of times", "Keep one series, or call reset_index(drop=True)"
    raise InputError(message(owner, "X", rule, f"one of {index.nlevels} levels", remedy))


def _panel(values: Array, columns: ColumnNames, stamps: _Stamps | None) -> Panel:
    index, clock = stamps or (None, Clock())
    return Panel(
        values,
        np.array([0, len(values)]),
        np.zeros(1, np.int64),
        clock,
        targets=columns.names,
        stamps=index,
        named=columns.named,
    )


def _stamps(
    column: pd.Series[Any],
    rows: Array,
    owner: str,
    clock: Clock | None,
    dayfirst: bool | None = None,
) -> _Stamps | None:
    """Times by the wall clock, and what later ones are read by; None for numbers that count."""
    times = read_times(column, rows, owner, clock=clock, dayfirst=dayfirst)
    check_forwards(times.instants, column, rows, np.zeros(1, np.int64), owner, once=False)
    if not times.dated:
        return None
    index = pd.DatetimeIndex(wall_clock(times).astype("datetime64[us]"))
    return index, clock or learned_clock(times)


def _by_clock(panel: Panel, clock: Clock | None, owner: str) -> Panel:
    """Times that a panel was read with, by the clock of a fit."""
    if panel.stamps is None or clock is None or panel.clock.zone == clock.zone:
        return panel
    if LOCAL in (panel.clock.zone, clock.zone):
        return panel  # by the wall clock of wherever they were written
    if None in (panel.clock.zone, clock.zone):
        raise other_clock(clock, panel.stamps[0], owner)
    index = panel.stamps.tz_localize(panel.clock.zone, ambiguous=False, nonexistent="shift_forward")
    return replace(panel, stamps=index.tz_convert(clock.zone).tz_localize(None), clock=clock)

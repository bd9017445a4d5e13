"""Series out of tables: wide or long, checked row by row, gaps filled with missing values."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.clock import Clock, check_regular, infer_clock
from tidegate.data.series.dates.instants import Times, wall_clock
from tidegate.data.series.dates.times import read_times
from tidegate.data.series.panel import Panel
from tidegate.data.series.pattern import longest_part, patterned
from tidegate.data.series.values import check_finite
from tidegate.data.tables.complete import check_column
from tidegate.errors import InputError, message, quoted

Columns = str | Sequence[str]

_HOUR = 3_600_000_000  # microseconds


class GapWarning(UserWarning):
    """Times are missing in a series; they were put in with missing values."""


def read_series(
    frame: pd.DataFrame,
    *,
    time: str | None = None,
    target: Columns | None = None,
    id: str | None = None,  # the column's usual name
    past: Columns = (),
    known: Columns = (),
    static: Columns = (),
    clock: Clock | None = None,
    dayfirst: bool | None = None,
    owner: str = "read_series",
) -> Panel:
    """Read one or many series out of a table.

    A wide table has a column for each target; a long one a column that names the series of a row.

    Args:
        frame: The table, its rows in the order of time, within each series.
        time: The column of the times: dates, or whole numbers; None counts the rows.
        target: The column of the target, or several; by default all other columns of numbers.
        id: The column that names the series of each row; None when there is one series.
        past: Columns that are known up to the present only.
        known: Columns that are known of the future too. Rows at the end of a series whose
            targets are empty are its future.
        static: Columns that never change within a series, numbers or texts.
        clock: The clock the times must be on; by default it is found.
        dayfirst: Whether 01/02/2015 is the first of February; None takes what leaves fewer gaps.
        owner: Who complains.

    Returns:
        The panel; gaps are filled with missing values, which a `GapWarning` counts.

    Raises:
        InputError: If a column is missing or holds what it should not, or the times are not
            those of a regular clock; it names the first such row, from 1.

    Example:
        >>> table = pd.DataFrame({"day": ["2024-01-01", "2024-01-02"], "sales": [3, 4]})
        >>> read_series(table, time="day").clock.name
        '1 day'
    """
    if not len(frame):
        raise InputError(message(owner, "X", "a table of rows", "none"))
    given = {"time": time, "id": id, "past": past, "known": known, "static": static}
    roles = _roles(frame, {role: listed(names) for role, names in given.items()}, target, owner)
    rows = row_numbers(frame)
    frame, rows, starts, names = _grouped(frame, id, rows, owner)
    found, positions = _clock(frame, time, rows, starts, clock, owner, dayfirst)
    panel = replace(
        laid_out(_values(frame, roles, rows, owner, clock is not None), positions, starts),
        clock=found,
        targets=tuple(roles["target"]),
        past=tuple(roles["past"]),
        known=tuple(roles["known"]),
        names=names,
        static={name: _constant(frame[name], starts, rows, owner) for name in roles["static"]},
    )
    _tell_gaps(panel, len(frame), positions, rows, starts)
    return with_future(panel) if panel.known else panel


def _roles(
    frame: pd.DataFrame, others: Mapping[str, list[str]], target: Columns | None, owner: str
) -> dict[str, list[str]]:
    """The columns of each role; all must be there, none in two roles."""
    taken = {name for names in others.values() for name in names}
    roles = {**others, "target": listed(target) or free_numbers(frame, taken)}
    if not roles["time"] and (dates := _date_column(frame, {*taken, *roles["target"]})):
        remedy = f"Name it: time='{dates}' (--time '{dates}' on the command line)"
        raise InputError(message(owner, "time", "named", f"dates in {dates!r}", remedy))
    seen: set[str] = set()
    for role, names in roles.items():
        for name in names:
            check_column(name, frame.columns, owner)
            if name in seen:
                raise InputError(message(owner, role, "a column of its own", repr(name)))
            seen.add(name)
    if not roles["target"]:
        remedy = "Name the column to forecast"
        raise InputError(message(owner, "target", "a column of numbers", "none", remedy))
    return roles


def free_numbers(frame: pd.DataFrame, taken: set[str]) -> list[str]:
    """Columns of numbers that have no other purpose."""
    numeric = frame.select_dtypes("number").columns
    return [str(name) for name in numeric if str(name) not in taken]


def _date_column(frame: pd.DataFrame, taken: set[str]) -> str | None:
    """A column of dates that has no purpose yet: its owner would hardly want rows counted."""
    for name in frame.columns:
        first = frame[name].iloc[0]
        if str(name) in taken or pd.api.types.is_numeric_dtype(frame[name]):
            continue
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            return str(name)
        parsed = pd.to_datetime(str(first), errors="coerce", format="ISO8601")
        if isinstance(first, str) and not pd.isna(parsed):
            return str(name)
    return None


def listed(names: Columns | None) -> list[str]:
    """Column names out of a list, or of a text with commas between."""
    if names is None:
        return []
    if isinstance(names, str):
        return [name.strip() for name in names.split(",") if name.strip()]
    return [str(name) for name in names]


def row_numbers(frame: pd.DataFrame) -> Array:
    """The number of each row as its file has it: the index of a table that was read starts at 0."""
    index = frame.index
    if pd.api.types.is_integer_dtype(index.dtype):
        return np.asarray(index, dtype=np.int64) + 1
    return np.arange(1, len(frame) + 1)


def _grouped(
    frame: pd.DataFrame, id: str | None, rows: Array, owner: str
) -> tuple[pd.DataFrame, Array, Array, tuple[Any, ...] | None]:
    """Order the rows series by series: the table, row numbers, first rows, identifiers."""
    if id is None:
        return frame, rows, np.zeros(1, np.int64), None
    column = frame[id]
    missing = column.isna().to_numpy()
    if missing.any():
        got = f"an empty cell in row {rows[missing.argmax()]}"
        raise InputError(message(owner, "id", "given in every row", got))
    codes, names = pd.factorize(column)
    if (np.diff(codes) < 0).any():
        order = np.argsort(codes, kind="stable")
        frame, rows, codes = frame.iloc[order], rows[order], codes[order]
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    return frame, rows, starts, tuple(str(name) for name in names)


def _clock(
    frame: pd.DataFrame,
    time: str | None,
    rows: Array,
    starts: Array,
    clock: Clock | None,
    owner: str,
    dayfirst: bool | None,
) -> tuple[Clock, Array]:
    """Find the clock, and the position of each row on it."""
    if time is None:
        begins = np.repeat(starts, np.diff(np.append(starts, len(rows))))
        return clock or Clock(), np.arange(len(rows)) - begins
    times = read_times(frame[time], rows, owner, clock=clock, dayfirst=dayfirst)
    check_forwards(times.instants, frame[time], rows, starts, owner)
    if clock is None:
        clock, times = _found_clock(times, starts, owner)
        clock = replace(clock, zone=times.zone, wall=times.wall, dayfirst=times.dayfirst)
    positions, exact = clock.positions(times.instants)
    check_regular(clock, positions, exact, starts, rows, owner)
    return clock, positions


def _found_clock(times: Times, starts: Array, owner: str) -> tuple[Clock, Times]:
    """The clock of the longest series, with a pattern if the gaps of all are one; and the times.

    Hours of trade are those of the wall clock.
    """
    if times.dated:
        local = replace(times, instants=wall_clock(times), wall=times.zone is not None)
        if (found := patterned(local.instants, starts)) is not None:
            return found, local
    part = times.instants[longest_part(starts, len(times.instants))]
    return infer_clock(part, dated=times.dated, owner=owner), times


def check_forwards(
    instants: Array,
    column: pd.Series[Any],
    rows: Array,
    starts: Array,
    owner: str,
    *,
    once: bool = True,
) -> None:
    """Refuse times that go backwards within a series, or (`once`) come twice."""
    steps = np.diff(instants)
    steps[starts[1:] - 1] = 1
    back = "Sort the table by it"
    if not pd.api.types.is_numeric_dtype(column) and (steps > -_HOUR).all():
        back = "Write their offset from UTC too if a clock was set back there, or sort the table"
    elif once and len(starts) == 1 and len(np.unique(instants)) < len(instants):
        back = "Name the column that tells several series apart with id (--id), or sort the table"
    for wrong, rule, remedy in (
        (steps < 0, "ascending", back),
        (once & (steps == 0), "given once in a series", "Drop or add up the rows of the same time"),
    ):
        if wrong.any():
            row = int(wrong.argmax()) + 1
            got = f"{column.iloc[row]} in row {rows[row]} after {column.iloc[row - 1]}"
            more = int(wrong.sum()) - 1
            got += f", and {more} more such rows" if more else ""
            raise InputError(message(owner, "time", rule, got, remedy))


def _values(
    frame: pd.DataFrame,
    roles: Mapping[str, Sequence[str]],
    rows: Array,
    owner: str,
    fitted: bool,
) -> Array:
    """The columns of numbers, `[rows, C + P + K]`; the table's own memory for a single one."""
    columns = [
        read_numbers(frame[name], role, rows, owner)
        for role in ("target", "past", "known")
        for name in roles[role]
    ]
    future = fitted and roles["known"]  # there may be nothing but what is known of it
    for role, column in zip(roles["target"], columns, strict=False):
        if np.isnan(column).all() and not future:
            raise InputError(message(owner, "target", "known in some rows", f"none in {role!r}"))
    return columns[0][:, None] if len(columns) == 1 else np.stack(columns, axis=1)


def read_numbers(column: pd.Series[Any], role: str, rows: Array, owner: str) -> Array:
    """Read a column of numbers, `[rows]` float64; empty cells are missing.

    Args:
        column: Numbers, or texts that are numbers.
        role: What the column is, for messages.
        rows: The number of each row in the table, for messages.
        owner: Who complains.

    Raises:
        InputError: If a cell is no finite number; the message names the first such row.
    """
    if pd.api.types.is_numeric_dtype(column):
        found = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        blank = column.isna() | column.map(lambda cell: isinstance(cell, str) and not cell.strip())
        numbers = pd.to_numeric(column.where(~blank), errors="coerce")
        wrong = (numbers.isna() & ~blank).to_numpy()
        if wrong.any():
            row = int(wrong.argmax())
            rule = f"numbers in {column.name!r}"
            got = f"{quoted(column.iloc[row])} in row {rows[row]}"
            remedy = "Correct it, or leave the cell empty"
            raise InputError(message(owner, role, rule, got, remedy))
        found = numbers.to_numpy(dtype=np.float64)
    check_finite(found, role, [f" of {column.name!r}"], rows, owner)
    return found


def laid_out(values: Array, positions: Array, starts: Array) -> Panel:
    """Put rows at their positions; where there is no gap, the values stay where they are."""
    first = positions[starts]
    last = positions[np.append(starts[1:], len(positions)) - 1]
    offsets = np.concatenate(([0], np.cumsum(last - first + 1))).astype(np.int64)
    if offsets[-1] != len(values):
        sizes = np.diff(np.append(starts, len(positions)))
        whole = np.full((int(offsets[-1]), values.shape[1]), np.nan)
        whole[positions + np.repeat(offsets[:-1] - first, sizes)] = values
        values = whole
    return Panel(values, offsets, first, Clock())


def _constant(column: pd.Series[Any], starts: Array, rows: Array, owner: str) -> tuple[Any, ...]:
    """The one value of each series; None where it is missing."""
    codes = pd.factorize(column)[0]  # what is missing is like what is missing
    sizes = np.diff(np.append(starts, len(codes)))
    other = np.flatnonzero(codes != np.repeat(codes[starts], sizes))
    if len(other):
        row = int(other[0])
        got = f"{column.iloc[row]!s} in row {rows[row]} of {column.name!r}"
        remedy = "Name it as past or known instead"
        raise InputError(message(owner, "static", "the same in all rows of a series", got, remedy))
    return tuple(None if pd.isna(cell) else cell for cell in column.iloc[starts].tolist())


def _tell_gaps(panel: Panel, count: int, positions: Array, rows: Array, starts: Array) -> None:
    added = len(panel.values) - count
    if not added:
        return
    steps = np.diff(positions)
    steps[starts[1:] - 1] = 1
    before = int((steps > 1).argmax())
    what = (
        f"{added:,} of {len(panel.values):,} steps are missing at a frequency of "
        f"{panel.clock.name}, the first after row {rows[before]}; they count as missing values."
    )
    warnings.warn(GapWarning(what), stacklevel=4)


def with_future(panel: Panel) -> Panel:
    """Take the rows at the end of each series that have no target for its future."""
    empty = np.asarray(np.isnan(panel.values[:, : len(panel.targets)]).all(axis=1))
    ahead = np.zeros(len(panel), np.int64)
    for number, (begin, end) in enumerate(zip(panel.offsets[:-1], panel.offsets[1:], strict=True)):
        filled = np.flatnonzero(~empty[begin:end])
        ahead[number] = end - begin - (int(filled[-1]) + 1 if len(filled) else 0)
    return replace(panel, ahead=ahead)

"""What a user has of series: tables with times as their index, arrays, lists, dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.data.names import ColumnNames, places, usual_names
from tidegate.data.numbers import as_floats
from tidegate.data.series.clock import Clock, check_regular
from tidegate.data.series.dates.times import read_times
from tidegate.data.series.panel import Panel
from tidegate.data.series.table import laid_out, read_series, with_future
from tidegate.errors import InputError, message

# What one or many series may come in.
SeriesLike: TypeAlias = (
    "Panel | pd.Series[Any] | pd.DataFrame | npt.ArrayLike"
    " | Sequence[pd.Series[Any] | pd.DataFrame | npt.ArrayLike | Panel]"
    " | Mapping[Any, pd.Series[Any] | pd.DataFrame | npt.ArrayLike | Panel]"
)


def as_panel(
    X: SeriesLike,
    *,
    clock: Clock | None = None,
    learned: ColumnNames | None = None,
    owner: str = "Panel",
) -> Panel:
    """Read series from whatever they are in.

    Args:
        X: A Panel; a pandas Series or a DataFrame whose columns are the targets, with the times
            as index; an array `[T]` or `[T, C]`; or several of these: a list, an array `[S, T, C]`,
            or a dictionary by name.
        clock: The clock they must be on; by default it is found.
        learned: The columns of a fit: of tables they alone are read, in its order; None reads all.
        owner: Who complains.

    Returns:
        The panel.

    Raises:
        InputError: If it is none of these, something in it is wrong, or a table lacks a column.

    Example:
        >>> len(as_panel({"a": [1.0, 2.0], "b": [3.0, 4.0, 5.0]}))
        2
    """
    if isinstance(X, Panel):
        return X if clock is None else _on_clock(X, clock, owner)
    X = of_other_libraries(X)
    if isinstance(X, pd.Series | pd.DataFrame):
        return _from_pandas(X, clock, learned, owner)
    if isinstance(X, Mapping):
        return _joined(list(X.values()), tuple(map(str, X)), clock, learned, owner)
    if isinstance(X, str | bytes) or not hasattr(X, "__len__"):
        rule = "a table, an array, a list of them or a dictionary of them"
        remedy = "Read a file with tidegate.data.read_table, and it with read_series"
        raise InputError(message(owner, "X", rule, type(X).__name__, remedy))
    items: Any = X  # whatever has a length: arrays of other libraries, too
    if not len(items):
        raise InputError(message(owner, "X", "one series or more", "none"))
    if (isinstance(items, np.ndarray) and items.ndim < 3) or np.isscalar(items[0]):
        return Panel.from_arrays([items], owner=owner)
    return _joined(list(items), None, clock, learned, owner)


def _from_pandas(
    table: pd.Series[Any] | pd.DataFrame,
    clock: Clock | None,
    learned: ColumnNames | None,
    owner: str,
) -> Panel:
    """The columns are targets, the index is the time."""
    if isinstance(table, pd.Series):
        table = table.to_frame(table.name)
    columns = ColumnNames.of(table.columns)
    if learned is not None:
        table, columns = table.iloc[:, places(columns, learned, owner)], learned
    for name, column in table.items():
        if as_floats(column) is None:
            rule = "a table of numbers with the times as index"
            remedy = "Use tidegate.data.read_series(frame, time=..., target=...)"
            kind = "dates" if column.dtype.kind == "M" else "text"
            raise InputError(message(owner, "X", rule, f"{kind} in column {name!r}", remedy))
    names = list(columns.names)
    frame = table.set_axis(names, axis=1)
    time = None
    if isinstance(table.index, pd.MultiIndex):
        rule, remedy = "a table whose index is its times", "Use tidegate.data.read_series with id"
        raise InputError(message(owner, "X", rule, f"{table.index.nlevels} levels", remedy))
    if not isinstance(table.index, pd.RangeIndex):
        time = "\0time"  # no column of a file has this name
        frame = frame.reset_index(names=time)
    panel = read_series(frame, time=time, target=names, clock=clock, owner=owner)
    return replace(panel, named=columns.named)


def _on_clock(panel: Panel, clock: Clock, owner: str) -> Panel:
    """Put series that were read by a clock of their own on that of a fit."""
    mine = panel.clock
    same = replace(mine, origin=clock.origin, dayfirst=clock.dayfirst) == clock
    if same or not mine.dated or not clock.dated or panel.stamps is not None:
        return panel
    lengths = np.diff(panel.offsets)
    places = np.concatenate(
        [np.arange(n) + at for n, at in zip(lengths, panel.starts, strict=True)]
    )
    rows = np.arange(1, len(places) + 1)
    times = read_times(pd.Series(mine.times(places)), rows, owner, clock=clock)
    positions, exact = clock.positions(times.instants)
    kept = exact | ~np.isnan(panel.values).all(axis=1)  # a clock with a pattern lacks some steps
    numbers = np.repeat(np.arange(len(panel)), lengths)[kept]
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    if len(starts) < len(panel):
        return panel
    check_regular(clock, positions[kept], exact[kept], starts, rows[kept], owner)
    found = laid_out(panel.values[kept], positions[kept], starts)
    moved = replace(
        panel, values=found.values, offsets=found.offsets, starts=found.starts, clock=clock
    )
    return with_future(moved) if panel.known else moved


def _joined(
    series: list[Any],
    names: tuple[str, ...] | None,
    clock: Clock | None,
    learned: ColumnNames | None,
    owner: str,
) -> Panel:
    """Put several series into one panel; they must have the same columns, in any order."""
    series = [of_other_libraries(one) for one in series]
    if not any(isinstance(one, pd.Series | pd.DataFrame | Panel) for one in series):
        return Panel.from_arrays(series, names=names, owner=owner)
    # What a series is called is its own name, and no variable's.
    series = [one.rename(None) if isinstance(one, pd.Series) else one for one in series]
    first = as_panel(series[0], clock=clock, learned=learned, owner=owner)
    clocks = [clock or first.clock]  # positions must count from one origin
    if clock is None and first.clock.slots:  # others may lie between what the first one has
        clocks.append(replace(first.clock, period=0, slots=()))
    for shared in clocks:
        try:
            panels = [as_panel(one, clock=shared, learned=learned, owner=owner) for one in series]
            break
        except InputError:
            if shared is clocks[-1]:
                raise
    panels = _alike(panels, owner)
    first = panels[0]
    offsets = np.concatenate(([0], np.cumsum([len(panel.values) for panel in panels])))
    return replace(
        first,
        values=np.concatenate([panel.values for panel in panels]),
        offsets=offsets.astype(np.int64),
        starts=np.concatenate([panel.starts for panel in panels]),
        ahead=np.concatenate([panel.ahead for panel in panels]),
        names=names,
    )


def _alike(panels: list[Panel], owner: str) -> list[Panel]:
    """Put the columns of all in the order of the first."""
    found = {panel.columns for panel in panels}
    if len(found) > 1 and all(len(columns.names) == 1 for columns in found):
        return [replace(panel, targets=usual_names(1), named=False) for panel in panels]
    first, *others = panels
    roles = (first.targets, first.past, first.known)
    of = "the first series"
    return [first, *(one.arranged(*roles, named=first.named, owner=owner, of=of) for one in others)]


def of_other_libraries(X: Any) -> Any:
    """Turn a table of another library, or of records, into one of pandas; leave anything else.

    Args:
        X: Whatever was given; tables of polars and Arrow, arrays of xarray, structured arrays of
            NumPy and lists of dictionaries are turned; tensors and masked arrays become arrays.
    """
    if isinstance(X, pd.Series | pd.DataFrame):
        return X
    if hasattr(X, "to_pandas"):
        return X.to_pandas()
    if hasattr(X, "__array__") and hasattr(X, "ndim") and not isinstance(X, np.ndarray):
        return np.asarray(X.detach().cpu() if hasattr(X, "detach") else X)  # a tensor
    if isinstance(X, np.ndarray) and X.dtype.names is not None:
        return pd.DataFrame(X)
    if isinstance(X, np.ma.MaskedArray):
        return np.ma.filled(X.astype(np.float64), np.nan)
    records = isinstance(X, list) and len(X) > 0
    if records and all(isinstance(row, Mapping) and row for row in X):
        plain = all(np.isscalar(cell) for row in X for cell in row.values())
        return pd.DataFrame(X) if plain else X
    return X

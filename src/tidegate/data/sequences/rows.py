"""Sequences of numbers as they are given: arrays, lists of arrays, long tables; all checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tidegate.data.batching import Array
from tidegate.errors import InputError, message

_AXES = "of shape [rows, steps] or [rows, steps, channels], or a list of [steps, channels]"


def read_sequences(X: Any, owner: str = "read_sequences") -> list[Array]:
    """Read sequences of numbers, of equal length or not; NaN and None are missing values.

    Axis letters: N sequences, T steps, C channels.

    Args:
        X: `[N, T, C]`, or `[N, T]` for one channel, or a list of `[T, C]` or `[T]` arrays, lists,
            tensors or DataFrames. Steps at the end of a row of an array that miss every channel
            are padding, and left out.
        owner: Who complains.

    Returns:
        N arrays `[T, C]` of floats; views where the input allows it.

    Raises:
        InputError: If a value is no number or infinite, a sequence has no step or nothing but
            missing values, or the channels differ; the message names the row.

    Example:
        >>> [row.shape for row in read_sequences([[1, 2, 3], [4, 5]])]
        [(3, 1), (2, 1)]
    """
    rows = _rows(X, owner)
    channels = rows[0].shape[1] if rows else 0
    for number, row in enumerate(rows):
        if row.shape[1] != channels:
            rule, got = f"sequences of {channels} channels, as row 0 is", row.shape[1]
            raise InputError(message(owner, "X", rule, f"{got} in row {number}"))
        _check_values(row, number, owner)
    return rows


def _rows(X: Any, owner: str) -> list[Array]:
    if isinstance(X, str | bytes | Mapping) or not hasattr(X, "__len__"):
        remedy = "Wrap a single sequence: [sequence]"
        raise InputError(message(owner, "X", _AXES, type(X).__name__, remedy))
    column = str(getattr(X, "dtype", "")) == "object"
    whole = _numbers(X) if hasattr(X, "ndim") and not column else None
    if whole is None:  # a list, or a column of a table
        items = X.tolist() if isinstance(X, np.ndarray) else list(X)
        return [_row(item, number, owner) for number, item in enumerate(items)]
    if whole.ndim not in (2, 3) or 0 in whole.shape[1:]:
        got = f"shape {list(whole.shape)}"
        remedy = "Wrap a single sequence: [sequence]" if whole.ndim == 1 else ""
        raise InputError(message(owner, "X", _AXES, got, remedy))
    cube = whole if whole.ndim == 3 else whole[:, :, None]
    gone: Array = np.all(np.isnan(cube), axis=2)
    ends = np.where(gone.all(axis=1), cube.shape[1], cube.shape[1] - gone[:, ::-1].argmin(1))
    return [row[:end] for row, end in zip(cube, ends, strict=True)]


def _row(item: Any, number: int, owner: str) -> Array:
    """Read one sequence as `[T, C]`."""
    found = None if isinstance(item, str | bytes | Mapping) else _numbers(item)
    if found is None or found.ndim not in (1, 2):
        rule = "sequences of numbers, [steps] or [steps, channels]"
        got = f"{type(item).__name__} ({str(item)!r:.40}) in row {number}"
        raise InputError(message(owner, "X", rule, got, "Convert it, or drop the row"))
    if 0 in found.shape:
        rule = "sequences of at least one step"
        raise InputError(message(owner, "X", rule, f"none in row {number}", "Drop the row"))
    return found if found.ndim == 2 else found[:, None]


def _numbers(item: Any) -> Array | None:
    """Read an array of floats; None if it is none."""
    try:
        found = np.asarray(item)
        if found.dtype.kind == "f" and found.dtype.itemsize >= 4:
            return found
        if found.dtype.kind not in "fiubO":
            return None
        floats: Array = found.astype(np.float64)
        return floats
    except (TypeError, ValueError):
        return None


def _check_values(row: Array, number: int, owner: str) -> None:
    infinite = np.isinf(row)
    if infinite.any():
        step, channel = np.argwhere(infinite)[0]
        got = f"{row[step, channel]} in row {number}, step {step}, channel {channel}"
        remedy = "Correct it, or make it missing (NaN)"
        raise InputError(message(owner, "X", "finite", got, remedy))
    if np.isnan(row).all():
        rule, got = "sequences with some value", f"only missing values in row {number}"
        raise InputError(message(owner, "X", rule, got, "Drop the row"))


def channel_names(rows: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the names of the channels, if every sequence is a DataFrame with the same columns.

    Example:
        >>> import pandas as pd
        >>> channel_names([pd.DataFrame({"speed": [1.0], "load": [0.5]})])
        ('speed', 'load')
    """
    names = {tuple(map(str, getattr(row, "columns", ()))) for row in rows}
    found = names.pop() if len(names) == 1 else ()
    return found or None


def in_order(X: Any, names: Sequence[str] | None, owner: str) -> Any:
    """Put the columns of DataFrames into the order of the channels of a fitted model.

    Args:
        X: Sequences.
        names: The model's channels; None if they have no names.
        owner: Who complains.

    Returns:
        X, DataFrames with these columns alone; other sequences as they are.

    Raises:
        InputError: If a DataFrame lacks a channel.
    """
    if names is None or hasattr(X, "ndim") or not hasattr(X, "__len__") or isinstance(X, str):
        return X
    found = []
    for number, row in enumerate(X):
        columns = [str(column) for column in getattr(row, "columns", names)]
        lacking = [name for name in names if name not in columns]
        if lacking:
            rule = f"sequences with the channels {', '.join(names)}"
            got = f"no {lacking[0]!r} in row {number}"
            raise InputError(message(owner, "X", rule, got))
        same = not hasattr(row, "columns") or columns == list(names)
        found.append(row if same else row.iloc[:, [columns.index(name) for name in names]])
    return found

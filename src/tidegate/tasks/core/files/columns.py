"""Columns: what is given for X, y and sample_weight, one value a row, checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sized
from typing import TypeGuard

import numpy as np

from tidegate.data.batching import Array
from tidegate.errors import InputError, message


def listed(values: object, owner: str, name: str) -> list[object]:
    """Turn an array, a Series or any sequence into a list of plain Python values.

    Args:
        values: One item a row.
        owner: Who complains.
        name: The argument's name, for the message.

    Returns:
        The items.

    Raises:
        InputError: If it is no column.
    """
    if isinstance(values, str | bytes | Mapping) or not _is_sized(values):
        rule, got = "a list with one item a row", type(values).__name__
        raise InputError(message(owner, name, rule, got, "Wrap a single item: [item]"))
    if getattr(values, "ndim", 1) != 1:
        remedy = "Pass one column, flattened"
        rule, got = "one column", f"shape {getattr(values, 'shape', '?')}"
        raise InputError(message(owner, name, rule, got, remedy))
    plain: Iterable[object] = values.tolist() if hasattr(values, "tolist") else values
    return [item.item() if isinstance(item, np.generic) else item for item in plain]


def _is_sized(values: object) -> TypeGuard[Collection[object]]:
    return hasattr(values, "__len__")


def checked_numbers(y: object, owner: str) -> Array:
    """Check targets that are numbers.

    Args:
        y: One number a row.
        owner: Who complains.

    Returns:
        Finite numbers `[rows]` float64.

    Raises:
        InputError: If one is no number, or not finite; the message names the row.
    """
    values = listed(y, owner, "y")
    for row, value in enumerate(values):
        if isinstance(value, bool) or not (isinstance(value, int | float) and np.isfinite(value)):
            rule, got = "a finite number in each row", f"{value!r} in row {row + 1}"
            raise InputError(message(owner, "y", rule, got, "Correct that row or drop it"))
    return np.array(values, dtype=np.float64)


def checked_weights(sample_weight: object, owner: str) -> Array:
    """Check how much each row counts.

    Args:
        sample_weight: One number a row.
        owner: Who complains.

    Returns:
        Numbers >= 0, `[rows]` float64, one of them greater.

    Raises:
        InputError: If they are something else.
    """
    try:
        found = np.asarray(sample_weight, dtype=np.float64)
    except (TypeError, ValueError) as error:
        rule = "a number >= 0 for each row"
        raise InputError(message(owner, "sample_weight", rule, error)) from error
    if found.ndim != 1 or not np.isfinite(found).all() or (found < 0).any():
        rule = "a finite number >= 0 for each row"
        raise InputError(message(owner, "sample_weight", rule, found.tolist()))
    if len(found) and not found.sum() > 0:
        raise InputError(message(owner, "sample_weight", "greater than 0 somewhere", "only zeros"))
    return found


def check_lengths(rows: int, owner: str, columns: Mapping[str, Sized | None]) -> None:
    """Refuse columns that are not as long as X.

    Args:
        rows: Length of X.
        owner: Who complains.
        columns: The others by name; None where there is none.

    Raises:
        InputError: If a length differs.
    """
    for name, column in columns.items():
        if column is not None and len(column) != rows:
            rule = f"of the length of X, {rows}"
            raise InputError(message(owner, name, rule, f"length {len(column)}"))

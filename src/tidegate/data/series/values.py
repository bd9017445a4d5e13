"""Numbers of series, checked: what is none is named with its step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tidegate.data.batching import Array
from tidegate.data.numbers import as_floats
from tidegate.errors import InputError, message

_CORRECT = "Correct it, or leave the cell empty"
_RULE = "made of numbers, [T] or [T, C]"


def as_columns(
    values: npt.ArrayLike, owner: str, *, unit: str = "row", where: Sequence[str] = ("",)
) -> Array:
    """Check the numbers of one series.

    Args:
        values: `[T]` or `[T, C]`, NaN where missing.
        owner: Who complains.
        unit: What a step is called in messages; they are counted from 1.
        where: What to say after it, such as " of heat": once, or for each column.

    Returns:
        `[T, C]` float64; the user's own memory where that is such an array.

    Raises:
        InputError: If a value is no number or infinite, or the shape is another.

    Example:
        >>> as_columns([1, 2], "docs").shape
        (2, 1)
    """
    read = as_floats(values)
    if read is None:
        raise InputError(message(owner, "X", _RULE, *_no_number(values, unit, where)))
    found = read.astype(np.float64, copy=False)
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2 or not found.shape[1]:
        raise InputError(message(owner, "X", _RULE, f"shape {found.shape}{where[0]}"))
    check_finite(found, "X", where, range(1, 1 + len(found)), owner, unit=unit)
    return found


def check_finite(
    values: Array,
    argument: str,
    where: Sequence[str],
    rows: Sequence[int] | Array,
    owner: str,
    *,
    unit: str = "row",
) -> None:
    """Refuse infinities; missing values pass.

    Args:
        values: `[rows]` or `[rows, columns]`.
        argument: What they are an argument for.
        where: What to say after the row: once, or for each column.
        rows: The number of each row, for the message.
        owner: Who complains.
        unit: What a row is called.

    Raises:
        InputError: If a value is infinite; the message names the first such row.
    """
    # The sum is finite unless a value is not; looking at each costs memory of its size.
    with np.errstate(invalid="ignore", over="ignore"):
        if np.isfinite(values.sum()):
            return
    places = np.argwhere(np.isinf(values))
    if len(places):
        got = f"an infinity in {unit} {rows[places[0][0]]}{_of(where, int(places[0][-1]))}"
        raise InputError(message(owner, argument, "finite numbers", got, _CORRECT))


def _no_number(values: npt.ArrayLike, unit: str, where: Sequence[str]) -> tuple[str, str]:
    """Name the first cell that is no number, and what to do about it."""
    rows = values if isinstance(values, list | tuple) else np.asarray(values, object)
    if isinstance(rows, np.ndarray) and not rows.ndim:
        return type(values).__name__, ""
    for step, cells in enumerate(rows, 1):
        whole = cells if isinstance(cells, list | tuple | np.ndarray) else [cells]
        for column, cell in enumerate(whole):
            if as_floats([cell]) is None:
                return f"{cell!r:.40} in {unit} {step}{_of(where, column)}", _CORRECT
    return f"ragged rows{where[0]}", ""


def _of(where: Sequence[str], column: int) -> str:
    return where[column if len(where) > 1 else 0]

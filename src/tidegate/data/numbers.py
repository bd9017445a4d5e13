"""Numbers of any kind of container, missing ones as NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tidegate.data.batching import Array


def as_floats(values: Any) -> Array | None:
    """Read numbers: whole, nullable, masked, of Arrow or in lists; None and NA are missing.

    Args:
        values: Numbers, or texts that are numbers, in rows or rows of rows.

    Returns:
        An array of floats, the user's own memory where it is one; None if something in the values
        is no number, such as a date, or rows differ in length.

    Example:
        >>> as_floats(pd.array([1, None], "Int64")).tolist()
        [1.0, nan]
    """
    try:
        return _floats(values)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None


def _floats(values: Any) -> Array | None:
    if isinstance(values, np.ma.MaskedArray):
        shown: Array = np.where(np.ma.getmaskarray(values), np.nan, np.ma.getdata(values))
        return shown
    if isinstance(values, pd.DataFrame) and not all(map(_plain, values.dtypes)):
        columns = [as_floats(values.iloc[:, place]) for place in range(values.shape[1])]
        return None if any(one is None for one in columns) else np.stack(columns, axis=1)  # type: ignore[arg-type]
    if isinstance(values, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        values = _plain_column(values)
    found = np.asarray(values)
    if found.dtype.kind == "f" and found.dtype.itemsize >= 4:
        return found
    if found.dtype.kind == "O":
        found = np.where(pd.isna(found), np.nan, found)
    if found.dtype.kind not in "fiubOU":
        return None
    floats: Array = found.astype(np.float64)
    return floats


def _plain(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "fiub"


def _plain_column(column: Any) -> Any:
    """A column of pandas as an array that numpy knows, NaN where something is missing."""
    if isinstance(column.dtype, np.dtype):
        return np.asarray(column)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(column, dtype=object)

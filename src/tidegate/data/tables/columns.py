"""The columns of tables: from the strings or JSON values of a file to a pandas Series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# Only what is written back the same counts as a whole number: 007 and +49 are text, and so are
# numbers of more digits than 64 bits hold.
_WHOLE = r"^(0|-?[1-9][0-9]{0,17})$"
_NUMBER = r"^-?((0|[1-9][0-9]{0,14})(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$"
_NO_NUMBER = r"^([nN]a[nN]|-?[iI]nf(inity)?)$"


def column_of_strings(values: Sequence[str | None]) -> pd.Series[Any]:
    """Make a column of text as it stands.

    Args:
        values: The fields, None where one is empty.

    Returns:
        The column; NaN or None (as pandas has it) is missing.
    """
    # pandas would take a column of nothing but None for numbers.
    return _series(values, None if any(values) else object)


def column_from_strings(values: Sequence[str | None]) -> pd.Series[Any]:
    """Make a column of whole numbers or numbers when every field is one, else of text.

    "NA", "null" and "None" are text; only an empty field is missing.

    Args:
        values: The fields, None where one is empty.

    Returns:
        The column: int64 (Int64 when some are missing), float64, or text.

    Example:
        >>> column_from_strings(["1", "0"]).tolist(), column_from_strings(["1", "x"]).tolist()
        ([1, 0], ['1', 'x'])
    """
    fields = pa.array(values, pa.large_string())
    whole = pc.match_substring_regex(fields, _WHOLE)
    if not pc.any(whole).as_py() and not pc.any(pc.match_substring_regex(fields, _NUMBER)).as_py():
        return column_of_strings(values)
    if pc.all(whole).as_py():
        return whole_numbers([None if value is None else int(value) for value in values])
    numbers = pc.match_substring_regex(fields, f"{_NUMBER}|{_NO_NUMBER}")
    if pc.all(numbers).as_py():
        return pd.Series([np.nan if value is None else float(value) for value in values])
    return column_of_strings(values)


def column_from_json(values: Sequence[Any]) -> pd.Series[Any]:
    """Make a column of JSON values, keeping whole numbers whole.

    Args:
        values: The values, None where there is none.

    Returns:
        The column: bool, int64 (Int64 when some are missing), float64, text, or object when kinds
        are mixed.

    Example:
        >>> column_from_json([1, None]).dtype
        Int64Dtype()
    """
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and all(value is None or abs(value) < 2**63 for value in values):
        return whole_numbers(values)
    if float in kinds and kinds <= {int, float}:
        return pd.Series([np.nan if value is None else float(value) for value in values])
    if kinds == {str}:
        return column_of_strings(values)
    return _series(values, bool if kinds == {bool} and None not in values else object)


def plain_text(value: Any) -> Any:
    """Write a number or True/False as the text that means it; leave anything else alone.

    Args:
        value: A value of a typed file.

    Returns:
        Whole numbers by their digits, other numbers as Python writes them, true or false.

    Example:
        >>> [plain_text(value) for value in (7, 1.0, 1.5, True, "007")]
        ['7', '1', '1.5', 'true', '007']
    """
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value) if isinstance(value, int | np.integer) else value


def as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Make the numbers and True/False of a typed column texts, see `plain_text`.

    Args:
        column: The column; missing values stay missing.

    Returns:
        A column of objects.
    """
    texts = [
        None if gone else plain_text(value)
        for gone, value in zip(column.isna(), column, strict=True)
    ]
    return pd.Series(texts, index=column.index, name=column.name, dtype=object)


def whole_numbers(values: Sequence[int | None]) -> pd.Series[Any]:
    """Make a column of whole numbers that stays whole when some are missing.

    Args:
        values: The numbers, None where one is missing.

    Returns:
        The column, int64 or Int64.
    """
    return _series(values, "Int64" if None in values else "int64")


def _series(values: Sequence[Any], dtype: Any) -> pd.Series[Any]:
    series: pd.Series[Any] = pd.Series(list(values), dtype=dtype)
    return series


def frame_from_arrow(table: pa.Table) -> pd.DataFrame:
    """Make a frame of an Arrow table; whole numbers stay whole when some are missing.

    Args:
        table: The table.

    Returns:
        The frame.
    """
    nullable = {
        getattr(pa, f"{sign}int{bits}")(): getattr(pd, f"{sign.upper()}Int{bits}Dtype")()
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    }
    frame: pd.DataFrame = table.to_pandas(types_mapper=nullable.get, ignore_metadata=True)
    for name in frame.columns:
        if frame[name].dtype in nullable.values() and not frame[name].isna().any():
            frame[name] = frame[name].to_numpy()
    return frame

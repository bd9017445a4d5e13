"""What becomes a number, and what stays text."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.tables.columns import (
    column_from_json,
    column_from_strings,
    column_of_strings,
    frame_from_arrow,
)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["0", "1", "-5"], "int64"),
        (["0", None], "Int64"),
        (["1.5", "2", "-.5", "1e-3", "6."], "float64"),
        (["1.5", None], "float64"),
        (["NaN", "1", "-inf"], "float64"),
        (["007", "1"], "text"),
        (["+49", "1"], "text"),
        (["1_000"], "text"),
        (["1,5"], "text"),
        (["0x1f"], "text"),
        (["12345678901234567890"], "text"),
        (["1", "yes"], "text"),
        (["NA", "1"], "text"),
        (["nan", "inf"], "text"),
        (["True", "False"], "text"),
        ([" 1", "2"], "text"),
        (["1\n", "2"], "text"),
        (["٣"], "text"),
        ([None, None], "text"),
    ],
)
def test_kinds_of_fields(values, kind):
    column = column_from_strings(values)
    assert column.isna().tolist() == [
        value is None or (kind == "float64" and value == "NaN") for value in values
    ]
    if kind == "text":
        assert [value for value in column if isinstance(value, str)] == [v for v in values if v]
    else:
        assert str(column.dtype) == kind


@given(st.lists(st.integers(-(10**17), 10**17), min_size=1))
def test_whole_numbers_come_back(numbers):
    assert column_from_strings([str(number) for number in numbers]).tolist() == numbers


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_numbers_come_back_exactly(numbers):
    column = column_from_strings([repr(number) for number in numbers])
    if column.dtype == np.float64:  # numbers of many digits stay text rather than lose some
        assert column.tolist() == numbers
    else:
        assert column.tolist() == [repr(number) for number in numbers]


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1) | st.none(), min_size=1))
def test_text_stays_as_it_stands(values):
    column = column_of_strings(values)
    assert [value if isinstance(value, str) else None for value in column] == values


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([1, 2], "int64"), ([1, None], "Int64"), ([1, 2.5], "float64"), ([True, False], "bool"),
     ([True, None], "object"), ([1, "a"], "object"), ([1, True], "object"), ([[1], {}], "object"),
     ([2**70], "object"), ([None], "object")],
)  # fmt: skip
def test_kinds_of_json_values(values, dtype):
    column = column_from_json(values)
    assert str(column.dtype) == dtype
    assert [None if value is pd.NA else value for value in column] == values


def test_a_json_nan_is_missing():
    assert column_from_json([1.5, float("nan"), None]).isna().tolist() == [False, True, True]


def test_arrow_integers_stay_whole():
    table = pa.table({"a": pa.array([2**62 + 1, None]), "b": pa.array([1, 2], pa.uint8())})
    frame = frame_from_arrow(table)
    assert frame["a"][0] == 2**62 + 1
    assert frame["b"].dtype == np.uint8

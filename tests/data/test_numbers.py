"""Numbers: the same floats out of every container, missing ones as NaN."""

from __future__ import annotations

import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from tidegate.data.numbers import as_floats

NAN = float("nan")


@pytest.mark.parametrize(
    "values",
    [
        [1, None, 3],
        [1, pd.NA, 3],
        ["1", NAN, "3"],
        [decimal.Decimal(1), None, decimal.Decimal(3)],
        np.array([1.0, NAN, 3.0]),
        np.ma.masked_array([1, 2, 3], [False, True, False]),
        np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False]),
        torch.tensor([1.0, NAN, 3.0]),
        pa.array([1, None, 3]),
        pa.chunked_array([[1, None], [3]]),
        pd.Series([1, None, 3], dtype=object),
        *(
            pd.Series([1, None, 3], dtype=dtype)
            for dtype in ("Int64", "UInt8", "Float32", "int64[pyarrow]", "double[pyarrow]")
        ),
        pd.Series([1, None, 3], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
        pd.Series([1, None, 3], dtype=pd.SparseDtype(float)),
        pd.Series([1, None, 3]).astype("category"),
        pd.Series(["1", None, "3"], dtype="string"),
    ],
    ids=lambda values: f"{type(values).__name__} {getattr(values, 'dtype', '')}",
)
def test_one_column_of_every_kind(values):
    np.testing.assert_array_equal(as_floats(values), [1.0, NAN, 3.0])


def test_a_table_of_columns_of_several_kinds():
    table = pd.DataFrame(
        {
            "whole": pd.array([1, None], "Int64"),
            "arrow": pd.array([None, 2.5], "double[pyarrow]"),
            "flag": pd.array([True, None], "boolean"),
            "mixed": [1, pd.NA],
        }
    )
    np.testing.assert_array_equal(as_floats(table), [[1, NAN, 1, 1], [NAN, 2.5, NAN, NAN]])


@pytest.mark.parametrize(
    "values",
    [
        ["a"],
        [[1.0], [1.0, 2.0]],
        pd.Series(pd.to_datetime(["2024-01-01"])),
        pd.DataFrame({"when": pd.to_datetime(["2024-01-01"])}),
        pd.Series(pd.to_timedelta([1])),
        pd.Series(pd.period_range("2024", periods=1)),
        np.array([1 + 2j]),
        torch.ones(1, requires_grad=True),
    ],
    ids=repr,
)
def test_what_is_no_number_is_none(values):
    assert as_floats(values) is None


def test_arrays_of_floats_are_not_copied():
    values = np.ones((3, 2), np.float32)
    assert as_floats(values) is values

"""Numbers of series: what is none is named with its step and its column."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.series.values import as_columns, check_finite
from tidegate.errors import InputError


def test_numbers_stay_where_they_are_and_the_missing_are_nan():
    values = np.arange(6.0).reshape(3, 2)
    assert as_columns(values, "test") is values
    assert as_columns(["1.5", None, 2], "test").ravel().tolist() == pytest.approx(
        [1.5, float("nan"), 2], nan_ok=True
    )


@pytest.mark.parametrize(
    ("values", "got"),
    [
        ([1.0, "x", 3.0], "'x' in row 2 of heat"),
        ([[1.0, 2.0], [3.0, "x"]], "'x' in row 2 of load"),
        ([[1.0], [1.0, 2.0]], "ragged rows"),
        (np.zeros((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.zeros((2, 0)), r"shape \(2, 0\)"),
        (7.0, r"shape \(\)"),
        ("1 2 3", r"str\.$"),
        ({"a": [1.0]}, r"dict\.$"),
    ],
)
def test_what_is_no_series_of_numbers_is_refused(values, got):
    with pytest.raises(InputError, match=rf"test: `X` must be made of numbers, .*; got {got}"):
        as_columns(values, "test", where=[" of heat", " of load"])


def test_an_infinity_is_named_by_the_row_of_its_table_and_large_sums_are_none():
    values = np.array([[1.0, 2.0], [3.0, -np.inf]])
    with pytest.raises(InputError, match="finite numbers; got an infinity in row 8 b"):
        check_finite(values, "load", [" a", " b"], [7, 8], "test")
    check_finite(np.full((3, 1), 1.7e308), "load", [""], range(3), "test")
    check_finite(np.array([np.nan]), "load", [""], range(1), "test")

"""Columns: whatever holds one item a row is read, and everything else refused by its name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.errors import InputError
from tidegate.tasks.core.files.columns import (
    check_lengths,
    checked_numbers,
    checked_weights,
    listed,
)

SAME = [[1, 2], (1, 2), np.array([1, 2]), pd.Series([1, 2], index=[7, 3]), range(1, 3)]


@pytest.mark.parametrize("values", SAME, ids=lambda values: type(values).__name__)
def test_a_column_becomes_a_list_of_plain_values(values):
    found = listed(values, "T", "y")
    assert found == [1, 2]
    assert {type(item) for item in found} == {int}


def test_items_of_numpy_inside_a_list_become_plain():
    found = listed([np.float32(0.5), np.bool_(True), np.str_("a")], "T", "y")
    assert [type(item) for item in found] == [float, bool, str]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            "text",
            r"T: `X` must be a list with one item a row; got str. Wrap a single item: \[item\]",
        ),
        (b"text", "got bytes"),
        ({"a": 1}, "got dict"),
        (7, "got int"),
        (iter([1]), "got list_iterator"),
        (np.zeros((2, 3)), r"one column; got shape \(2, 3\). Pass one column, flattened"),
        (pd.DataFrame({"a": [1]}), r"one column; got shape \(1, 1\)"),
    ],
)
def test_what_is_no_column_is_refused(values, said):
    with pytest.raises(InputError, match=said):
        listed(values, "T", "X")


def test_numbers_are_float64():
    found = checked_numbers([1, 2.5, np.float32(3)], "T")
    assert found.dtype == np.float64
    assert found.tolist() == [1, 2.5, 3]


@pytest.mark.parametrize("wrong", [True, "1", None, float("nan"), float("inf"), [1.0]])
def test_what_is_no_finite_number_is_refused_by_its_row(wrong):
    with pytest.raises(
        InputError, match=r"T: `y` must be a finite number in each row; got .* row 2"
    ):
        checked_numbers([0.0, wrong, "later"], "T")


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (["a"], "a number >= 0 for each row"),
        ([[1.0]], "a finite number >= 0 for each row"),
        ([1.0, -1.0], "a finite number >= 0"),
        ([1.0, float("nan")], "a finite number >= 0"),
        ([0.0, 0.0], "greater than 0 somewhere; got only zeros"),
    ],
)
def test_weights_that_are_none_are_refused(weights, said):
    with pytest.raises(InputError, match=f"T: `sample_weight` must be {said}"):
        checked_weights(weights, "T")


def test_weights_may_be_zero_and_missing_altogether():
    assert checked_weights([0, 2], "T").tolist() == [0.0, 2.0]
    assert checked_weights([], "T").tolist() == []


def test_lengths_must_agree_where_there_is_a_column():
    check_lengths(2, "T", {"y": [1, 2], "sample_weight": None})
    with pytest.raises(InputError, match="T: `y` must be of the length of X, 3; got length 2"):
        check_lengths(3, "T", {"sample_weight": None, "y": [1, 2]})

"""Sequences as they are given: every form reads the same; every fault names its row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from tidegate.data.sequences.rows import (
    channel_names,
    in_order,
    of_table,
    read_sequences,
    step_names,
)
from tidegate.errors import InputError

NAN = float("nan")
ROWS = [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]]


def as_lists(rows):
    return [row.tolist() for row in rows]


@pytest.mark.parametrize(
    "make",
    [
        lambda: ROWS,
        lambda: [np.array(row) for row in ROWS],
        lambda: [torch.tensor(row) for row in ROWS],
        lambda: [pd.DataFrame(row, columns=["a", "b"]) for row in ROWS],
        lambda: tuple(np.array(row, np.int32) for row in ROWS),
        lambda: pd.Series([np.array(row) for row in ROWS]),
        lambda: np.array([ROWS[0], [[5.0, 6.0], [np.nan, np.nan]]]),
    ],
    ids=["lists", "arrays", "tensors", "frames", "integers", "series", "padded cube"],
)
def test_every_form_reads_the_same(make):
    assert as_lists(read_sequences(make())) == ROWS


def test_a_flat_array_has_one_channel():
    assert as_lists(read_sequences(np.array([[1, 2], [3, 4]]))) == [[[1], [2]], [[3], [4]]]
    assert as_lists(read_sequences(pd.DataFrame([[1.0, 2.0]]))) == [[[1.0], [2.0]]]


def test_arrays_are_not_copied():
    whole = np.ones((9, 2))
    (row,) = read_sequences([whole[2:5]])
    assert np.shares_memory(row, whole)
    assert np.shares_memory(read_sequences(whole[None])[0], whole)


def test_only_steps_at_the_end_are_padding():
    nan = np.nan
    cube = np.array([[[nan, nan], [1, nan], [nan, 2], [nan, nan]], [[1, 1]] * 4])
    first, second = read_sequences(cube)
    assert (len(first), len(second)) == (3, 4)
    assert np.isnan(first[0]).all()


def test_none_is_a_missing_value():
    (row,) = read_sequences([[1, None, 3]])
    assert np.isnan(row[:, 0]).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("X", "what"),
    [
        ("1 2 3", r"`X` must be of shape .* got str. Wrap a single sequence: \[sequence\]"),
        (np.arange(3.0), r"got shape \[3\]. Wrap a single sequence"),
        (np.zeros((2, 3, 4, 5)), r"got shape \[2, 3, 4, 5\]"),
        (np.zeros((2, 0, 1)), r"got shape \[2, 0, 1\]"),
        (3, r"got int"),
        ([[1.0], "word"], r"sequences of numbers, .* got str \('word'\) in row 2"),
        ([[1.0, "x"]], r"got list .* in row 1"),
        ([{"a": 1}], r"got dict .* in row 1"),
        ([[1.0], []], r"at least one step; got none in row 2. Drop the row"),
        ([np.zeros((2, 2)), np.zeros((2, 3))], r"sequences of 2 channels.* got 3 in row 2"),
        ([[1.0], [2.0, np.inf]], r"finite; got inf in row 2, step 2, channel 1"),
        ([[1.0], [np.nan, np.nan]], r"some value; got only missing values in row 2"),
        (np.full((1, 2, 1), np.nan), r"only missing values in row 1"),
        ([np.array(["2024-01-01"], "datetime64[D]")], r"sequences of numbers"),
    ],
)
def test_a_fault_is_told_in_one_line_with_its_row(X, what):
    with pytest.raises(InputError, match=what) as told:
        read_sequences(X)
    assert "\n" not in str(told.value)


def test_names_are_those_of_frames_with_the_same_columns():
    frame = pd.DataFrame({"a": [1.0], "b": [2.0]})
    assert channel_names([frame, frame]) == ("a", "b")
    assert channel_names([frame, frame[["b", "a"]]]) is None
    assert channel_names([frame, np.zeros((1, 2))]) is None
    assert channel_names([]) is None


def test_columns_come_in_the_order_of_the_model():
    swapped = pd.DataFrame({"b": [2.0], "other": ["x"], "a": [1.0]})
    found = in_order([swapped, np.zeros((1, 2))], ("a", "b"), "test")
    assert found[0].to_numpy().tolist() == [[1.0, 2.0]]
    assert found[1].shape == (1, 2)
    with pytest.raises(InputError, match="channels of `fit`: a, b; got no 'a' in row 1"):
        in_order([swapped[["b"]]], ("a", "b"), "test")


def test_columns_come_in_the_order_of_the_first_sequence_where_nothing_was_learned():
    first = pd.DataFrame({"a": [1.0], "b": [2.0]})
    found = in_order([first, first[["b", "a"]]], None, "test")
    assert channel_names(found) == ("a", "b")


def test_the_steps_of_a_table_have_the_names_of_its_columns():
    table = pd.DataFrame({"t0": [1.0, 3.0], "t1": [2.0, NAN], "t2": [NAN, NAN]})
    rows = of_table(table, None, "test")
    assert [row.tolist() for row in rows] == [[1.0, 2.0], [3.0]]
    assert step_names(rows) == ("t0", "t1")
    other = table[["t1", "t0"]].assign(id=7, who="x")
    again = of_table(other, ("t0", "t1"), "test")
    assert [row.tolist() for row in again] == [[1.0, 2.0], [3.0]]
    backwards = [row for _, row in table[["t1", "t0"]][:1].iterrows()]
    assert in_order(backwards, ("t0", "t1"), "test")[0].tolist() == [1.0, 2.0]
    padded = pd.Series([NAN, 1.0], ["t1", "t0"])
    assert in_order([padded], ("t0", "t1"), "test")[0].tolist() == [1.0]
    with pytest.raises(InputError, match="steps of `fit`: t0, t1; got no 't1'"):
        of_table(table[["t0"]], ("t0", "t1"), "test")
    with pytest.raises(InputError, match="table of numbers; got others in 'who'"):
        of_table(other, None, "test")


def test_a_table_without_names_is_an_array():
    table = pd.DataFrame([[1.0, 2.0], [3.0, NAN]])
    assert [row.ravel().tolist() for row in read_sequences(of_table(table, None, "test"))] == [
        [1.0, 2.0],
        [3.0],
    ]
    assert step_names([np.zeros(3)]) is None


@pytest.mark.parametrize("dtype", [object, "Int64", "int64[pyarrow]", "double[pyarrow]"])
def test_whole_numbers_with_an_empty_cell_are_numbers(dtype):
    column = pd.Series([1, None, 3], dtype=dtype)
    for form in (column, column.to_frame("a"), column.tolist()):
        (found,) = read_sequences([form])
        np.testing.assert_array_equal(found.ravel(), [1.0, NAN, 3.0])
    frame = pd.DataFrame({"t0": column, "t1": column})[:1]
    assert [row.tolist() for row in of_table(frame, None, "test")] == [[1.0, 1.0]]


def test_channels_in_the_place_of_steps_are_asked_about():
    X = np.zeros((2, 3, 5))
    with pytest.raises(InputError, match=r"3 steps of 5 channels.* pass X.swapaxes\(1, 2\); if"):
        read_sequences(X)
    with pytest.raises(InputError, match=r"\[2, 3, 5\]: 3 steps of 5 channels. If they are"):
        read_sequences(X, channels=3)
    assert [row.shape for row in read_sequences(list(X))] == [(3, 5)] * 2
    assert [row.shape for row in read_sequences(X, channels=5)] == [(3, 5)] * 2
    assert [row.shape for row in read_sequences(X.swapaxes(1, 2))] == [(5, 3)] * 2
    with pytest.raises(InputError, match=r"If its rows are channels, transpose each"):
        read_sequences([np.zeros((2, 4)), np.zeros((2, 5))])

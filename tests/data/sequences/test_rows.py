"""Sequences as they are given: every form reads the same; every fault names its row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from tidegate.data.sequences.rows import channel_names, in_order, read_sequences
from tidegate.errors import InputError

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
        ([[1.0], "word"], r"sequences of numbers, .* got str \('word'\) in row 1"),
        ([[1.0, "x"]], r"got list .* in row 0"),
        ([{"a": 1}], r"got dict .* in row 0"),
        ([[1.0], []], r"at least one step; got none in row 1. Drop the row"),
        ([np.zeros((2, 2)), np.zeros((2, 3))], r"sequences of 2 channels.* got 3 in row 1"),
        ([[1.0], [2.0, np.inf]], r"finite; got inf in row 1, step 1, channel 0"),
        ([[1.0], [np.nan, np.nan]], r"some value; got only missing values in row 1"),
        (np.full((1, 2, 1), np.nan), r"only missing values in row 0"),
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
    with pytest.raises(InputError, match="channels a, b; got no 'a' in row 0"):
        in_order([swapped[["b"]]], ("a", "b"), "test")

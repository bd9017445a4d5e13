"""Flat ids: shortening, picking and padding, against loops over lists."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.text.encoded import EncodedTexts, join, shorten, spread
from tidegate.errors import InputError


def encoded_from(rows: list[list[int]]) -> EncodedTexts:
    lengths = [len(row) for row in rows]
    ids = np.array([index for row in rows for index in row], np.int32)
    return EncodedTexts(
        ids, np.concatenate(([0], np.cumsum(lengths))).astype(int), np.zeros(len(rows), bool)
    )


def listed(encoded: EncodedTexts) -> list[list[int]]:
    bounds = zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)
    return [encoded.ids[start:end].tolist() for start, end in bounds]


ROWS = st.lists(st.lists(st.integers(1, 99), max_size=7), min_size=1, max_size=6)


@given(ROWS, st.integers(1, 8), st.sampled_from(["head", "tail", "both"]))
def test_shortening_keeps_what_it_says(rows, longest, keep):
    lengths = np.array([len(row) for row in rows])
    steps, offsets = shorten(lengths, longest, keep)
    flat = [index for row in rows for index in row]
    found = [[flat[step] for step in steps[a:b]] for a, b in pairwise(offsets)]
    first, last = (longest + 1) // 2, longest // 2
    for row, kept in zip(rows, found, strict=True):
        cut = {
            "head": row[:longest],
            "tail": row[-longest:],
            "both": row[:first] + row[len(row) - last :],
        }
        assert kept == (row if len(row) <= longest else cut[keep])


def test_spread_lists_positions():
    steps, offsets = spread(np.array([10, 0, 5]), np.array([2, 0, 3]))
    assert steps.tolist() == [10, 11, 5, 6, 7]
    assert offsets.tolist() == [0, 2, 2, 5]


@given(ROWS, st.data())
def test_taking_and_padding(rows, data):
    encoded = encoded_from(rows)
    places = st.integers(-len(rows), len(rows) - 1)
    picked = data.draw(st.lists(places, min_size=1, max_size=8))
    assert listed(encoded.take(picked)) == [rows[place] for place in picked]
    batch = encoded.batch(picked)
    longest = max([1, *(len(rows[place]) for place in picked)])
    wanted = [rows[place] + [0] * (longest - len(rows[place])) for place in picked]
    assert batch.values.tolist() == wanted
    assert batch.lengths.tolist() == [len(rows[place]) for place in picked]
    assert batch.values.dtype == batch.lengths.dtype == torch.int64


def test_the_fingerprint_tells_texts_apart():
    found = [encoded_from(rows).fingerprint() for rows in ([[5], [6, 7]], [[5, 6], [7]], [[5]])]
    assert len(set(found)) == 3
    assert encoded_from([[5], [6, 7]]).fingerprint() == found[0]


def test_ngram_columns_are_padded_too():
    ids = np.array([[4, 0], [5, 1], [6, 0]], np.int32)
    encoded = EncodedTexts(ids, np.array([0, 2, 3]), np.array([True, False]))
    assert encoded.batch([0, 1]).values.tolist() == [[[4, 0], [5, 1]], [[6, 0], [0, 0]]]
    assert encoded.words.tolist() == [4, 5, 6]
    assert encoded.take([1, 0]).shortened.tolist() == [False, True]


def test_empty_rows_and_no_rows():
    assert encoded_from([[], []]).batch([0, 1]).values.tolist() == [[0], [0]]
    assert encoded_from([[3]]).batch([]).values.shape == (0, 1)
    assert len(encoded_from([[3]]).take([])) == 0
    assert len(join([], 1)) == 0
    assert join([], 3).batch([]).values.shape == (0, 1, 3)


def test_counts():
    encoded = encoded_from([[1, 5, 1], [1, 2]])
    assert (encoded.unknown, encoded.unknown_share, encoded.truncated) == (3, 0.6, 0)
    assert encoded.lengths.tolist() == [3, 2]
    assert join([], 1).unknown_share == 0
    cut = EncodedTexts(encoded.ids, encoded.offsets, np.array([True, False]))
    assert (cut.truncated, cut.take([1, 1]).truncated) == (1, 0)


def test_joining_chunks():
    joined = join([encoded_from([[1], []]), encoded_from([[2, 3]])], 1)
    assert listed(joined) == [[1], [], [2, 3]]
    assert len(joined) == 3


@pytest.mark.parametrize(
    ("indices", "said"),
    [([2], "below 2 texts; got 2 to 2"), ([0, -3], "got -3 to 0"), ([0.5], "float64"),
     ([[0]], "2 axes"), ([True, False], "bool")],
)  # fmt: skip
def test_wrong_indices_are_refused(indices, said):
    with pytest.raises(InputError, match=said):
        encoded_from([[1], [2]]).batch(indices)

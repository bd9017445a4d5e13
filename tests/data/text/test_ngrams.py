"""N-grams against counting them with collections.Counter."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.text.ngrams import Order, add_ngrams, fit_ngrams, previous, word_before

ROWS = st.lists(st.lists(st.integers(1, 5), max_size=12), min_size=1, max_size=8)
WORDS = 6


def flat(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    ids = np.array([index for row in rows for index in row], np.int32)
    return ids, np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64)


def counted(rows: list[list[int]], longest: int) -> Counter[tuple[int, ...]]:
    """Count the n-grams without unknown words, the plain way."""
    return Counter(
        tuple(row[end - n : end])
        for row in rows
        for n in range(2, longest + 1)
        for end in range(n, len(row) + 1)
        if 1 not in row[end - n : end]
    )


def spelled(orders: list[Order]) -> dict[int, tuple[int, ...]]:
    """Write every n-gram id as its words."""
    known: dict[int, tuple[int, ...]] = {}
    for place, order in enumerate(orders):
        for index, (prefix, word) in enumerate(zip(order.prefix, order.word, strict=True)):
            before = (int(prefix),) if place == 0 else known[int(prefix)]
            known[order.first + index] = (*before, int(word))
    return known


@given(ROWS, st.integers(2, 4), st.integers(1, 40), st.integers(1, 3))
def test_the_most_frequent_are_kept(rows, longest, maximum, minimum):
    ids, offsets = flat(rows)
    orders = fit_ngrams(
        ids, offsets, words=WORDS, longest=longest, maximum=maximum, minimum=minimum
    )
    truth = {gram: n for gram, n in counted(rows, longest).items() if n >= minimum}
    kept = spelled(orders)
    assert len(orders) == longest - 1
    assert sorted(kept) == list(range(1, len(kept) + 1))
    assert len(kept) == len(set(kept.values())) == min(maximum, len(truth))
    left_out = set(truth) - set(kept.values())
    assert set(kept.values()) <= set(truth)
    if left_out:  # none that was left out is more frequent, or as frequent and shorter
        worst = min((truth[gram], -len(gram)) for gram in kept.values())
        assert max((truth[gram], -len(gram)) for gram in left_out) <= worst


@given(ROWS, ROWS, st.integers(2, 4), st.integers(1, 30))
def test_every_position_gets_the_ngrams_that_end_there(training, rows, longest, maximum):
    orders = fit_ngrams(*flat(training), words=WORDS, longest=longest, maximum=maximum, minimum=1)
    number = {gram: index for index, gram in spelled(orders).items()}
    found = add_ngrams(*flat(rows), orders)
    wanted = [
        [row[end - 1]]
        + [
            number.get(tuple(row[end - n : end]), 0) if end >= n else 0
            for n in range(2, longest + 1)
        ]
        for row in rows
        for end in range(1, len(row) + 1)
    ]
    assert found.reshape(-1, longest).tolist() == wanted
    assert found.dtype == np.int32


def test_ids_are_by_frequency_within_a_length():
    rows = [[2, 3, 4], [2, 3, 4], [3, 4], [5, 2]]
    orders = fit_ngrams(*flat(rows), words=WORDS, longest=3, maximum=9, minimum=2)
    assert spelled(orders) == {1: (3, 4), 2: (2, 3), 3: (2, 3, 4)}


def test_large_vocabularies_do_not_overflow():
    top = 2**31 - 2
    ids, offsets = flat([[top, top, top]] * 2)
    orders = fit_ngrams(ids, offsets, words=top + 1, longest=3, maximum=5, minimum=2)
    assert spelled(orders) == {1: (top, top), 2: (top, top, top)}


@pytest.mark.parametrize("rows", [[], [[]], [[], [1], []]])
def test_nothing_to_count(rows):
    orders = fit_ngrams(*flat(rows), words=3, longest=3, maximum=9, minimum=1)
    assert [len(order) for order in orders] == [0, 0]
    assert add_ngrams(*flat(rows), orders).shape == (sum(map(len, rows)), 3)


def test_previous_stops_at_the_start_of_a_text():
    ids, offsets = flat([[5, 1, 7], [], [8, 9], []])
    assert previous(ids, offsets).tolist() == [0, 5, 1, 0, 8]
    assert word_before(ids, offsets).tolist() == [0, 5, 0, 0, 8]

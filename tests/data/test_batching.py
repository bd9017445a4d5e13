"""Buckets: every row once, similar lengths together, the same order from the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.batching import Buckets, in_order
from tidegate.errors import InputError

LENGTHS = st.lists(st.integers(0, 50), max_size=300)


@given(LENGTHS, st.integers(1, 7), st.integers(0, 3), st.integers(0, 3))
def test_every_row_comes_once(lengths, size, seed, epoch):
    batches = Buckets(lengths, size, seed=seed).epoch(epoch)
    rows = [row for batch in batches for row in batch.tolist()]
    assert sorted(rows) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= size for batch in batches)
    assert sum(len(batch) < size for batch in batches) <= 1


def flat(batches):
    return [batch.tolist() for batch in batches]


def test_the_order_depends_on_seed_and_epoch_alone():
    lengths = np.random.default_rng(0).integers(0, 90, 500)
    np.random.seed(5)  # noqa: NPY002 - the global generator must not matter
    buckets = Buckets(lengths, 8, seed=3)
    third = flat(buckets.epoch(3))
    np.random.seed(6)  # noqa: NPY002
    assert flat(Buckets(lengths.tolist(), 8, seed=3).epoch(3)) == third
    assert flat(buckets.epoch(4)) != third
    assert flat(Buckets(lengths, 8, seed=4).epoch(3)) != third


def test_rows_meet_others_in_another_epoch():
    buckets = Buckets(np.arange(1000) % 10, 4, seed=0)
    partners = [
        {row: frozenset(batch) for batch in flat(buckets.epoch(epoch)) for row in batch}
        for epoch in (0, 1)
    ]
    same = sum(partners[0][row] == partners[1][row] for row in range(1000))
    assert same < 50


def test_waste_by_hand():
    buckets = Buckets([3, 1, 2, 0], 2, seed=0)
    assert buckets.waste([np.array([0, 1]), np.array([2, 3])]) == pytest.approx(1 - 6 / 10)
    assert buckets.waste([np.array([3])]) == 0
    assert buckets.waste([]) == 0


def test_buckets_waste_far_less_than_chance():
    lengths = np.minimum(np.random.default_rng(1).geometric(1 / 200, 5000), 400)
    buckets = Buckets(lengths, 32, seed=0)
    random = np.random.default_rng(2).permutation(5000).reshape(-1, 8)
    assert buckets.waste(buckets.epoch(0)) < 0.05 < buckets.waste(list(random))


@given(LENGTHS, st.integers(1, 7))
def test_prediction_goes_from_short_to_long(lengths, size):
    rows = [row for batch in in_order(lengths, size) for row in batch.tolist()]
    assert rows == sorted(range(len(lengths)), key=lambda row: lengths[row])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([1], 0), "Buckets: `batch_size` must be an integer >= 1; got 0"),
        (([1], True), "`batch_size` must be an integer >= 1; got True"),
        (([1], 2.0), "`batch_size` must be an integer >= 1; got 2.0"),
        (([-1], 2), "`lengths` must be a list of integers >= 0"),
        (([[1]], 2), "got int64 with 2 axes"),
        ((["a"], 2), "`lengths` must be a list of integers >= 0"),
    ],
)
def test_wrong_arguments(arguments, said):
    with pytest.raises(InputError, match=said):
        Buckets(*arguments, seed=0)
    with pytest.raises(InputError, match="in_order: `"):
        in_order(*arguments)


def test_wrong_seed_and_epoch():
    with pytest.raises(InputError, match="`seed` must be an integer >= 0; got -1"):
        Buckets([1], 1, seed=-1)
    with pytest.raises(InputError, match="`epoch` must be an integer >= 0; got -1"):
        Buckets([1], 1, seed=0).epoch(-1)


def test_one_row_is_its_own_batch_and_none_are_no_batch():
    assert flat(Buckets([4], 3, seed=0).in_order()) == [[0]]
    assert Buckets([], 3, seed=0).in_order() == []


def test_prediction_takes_more_rows_at_once():
    buckets = Buckets(np.arange(300) % 7, 3, seed=0)
    assert [len(batch) for batch in buckets.in_order()] == [128, 128, 44]
    assert flat(buckets.in_order()) == flat(in_order(buckets.lengths, 128))
    assert len(Buckets(np.arange(300), 200, seed=0).in_order()[0]) == 200


def test_long_rows_stand_alone_and_short_ones_together():
    lengths = [5, 10_000, 7, 9_000, 3, 8_000, 20_000, *range(40, 100)]
    buckets = Buckets(lengths, 32, seed=0, steps=16_384)
    for batches in (buckets.epoch(0), buckets.epoch(1), buckets.in_order()):
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
        for batch in batches:
            longest = max(lengths[row] for row in batch)
            assert len(batch) == 1 or longest * len(batch) <= 16_384
    assert [len(batch) for batch in buckets.in_order()][-4:] == [1, 1, 1, 1]


def test_rows_of_usual_length_are_cut_as_without_a_budget():
    lengths = np.arange(1, 100)
    plain, budgeted = (Buckets(lengths, 8, seed=0, steps=steps) for steps in (None, 16_384))
    assert sorted(len(batch) for batch in budgeted.epoch(0)) == [3, *[8] * 12]
    assert flat(budgeted.epoch(3)) == flat(plain.epoch(3))
    assert flat(budgeted.in_order()) == flat(plain.in_order())
    with pytest.raises(InputError, match="Buckets: `steps` must be an integer >= 1; got 0"):
        Buckets([1], 1, seed=0, steps=0)

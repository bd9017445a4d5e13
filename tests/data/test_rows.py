"""Rows: encoded rows with targets and weights, in the order of a sampler."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tidegate.data.batching import Buckets
from tidegate.data.rows import Rows
from tidegate.data.text.encoded import EncodedTexts

LENGTHS = [3, 1, 0, 2, 5, 4, 2]


def encoded(lengths=LENGTHS):
    offsets = np.cumsum([0, *lengths])
    ids = np.arange(2, 2 + offsets[-1], dtype=np.int32)
    return EncodedTexts(ids, offsets, np.zeros(len(lengths), bool))


def rows(lengths=LENGTHS, *, batch_size=3, seed=0, **changes):
    columns = {
        "targets": np.arange(len(LENGTHS)) % 2,
        "weights": np.linspace(0.5, 2, len(LENGTHS)),
    }
    found = encoded(lengths)
    return Rows(found, Buckets(found.lengths, batch_size, seed=seed), **(columns | changes))


def test_every_epoch_has_every_row_once_in_an_order_of_its_own():
    loader = rows()
    epochs = [loader.epoch(epoch) for epoch in (0, 1, 0)]
    for batches in epochs:
        assert sorted(np.concatenate(batches).tolist()) == list(range(7))
        assert [len(batch) for batch in sorted(batches, key=len)] == [1, 3, 3]
    same = [[batch.tolist() for batch in batches] for batches in epochs]
    assert same[0] == same[2] != same[1]
    assert [batch.tolist() for batch in rows(seed=1).epoch(0)] != same[0]


def test_a_batch_brings_targets_and_weights_of_its_rows():
    batch = rows().batch(np.array([4, 1]))
    assert batch.lengths.tolist() == [5, 1]
    assert batch.values.shape == (2, 5)
    assert batch.targets is not None
    assert batch.weights is not None
    assert batch.targets.tolist() == [0, 1]
    assert batch.weights.tolist() == pytest.approx([1.5, 0.75])


def test_prediction_sees_every_row_once_and_needs_no_targets():
    loader = rows(targets=None, weights=None)
    assert sorted(np.concatenate(loader.in_order()).tolist()) == list(range(7))
    assert loader.batch(np.array([2])).targets is None
    assert len(loader) == 7


@pytest.mark.parametrize(
    "change",
    [
        {"lengths": [3, 1, 0, 2, 4, 5, 2]},
        {"targets": np.ones(7, np.int64)},
        {"weights": None},
        {"weights": np.ones(7)},
    ],
)
def test_the_fingerprint_tells_data_apart(change):
    assert rows().fingerprint() == rows(batch_size=5, seed=3).fingerprint()
    assert rows().fingerprint() != rows(**change).fingerprint()


def test_what_the_rows_know_themselves_is_left_alone():
    """A batch that has targets keeps them where none are given beside it."""

    class Counted(EncodedTexts):
        def batch(self, indices):
            return replace(super().batch(indices), targets=torch.as_tensor(indices))

    own = encoded()
    counted = Counted(own.ids, own.offsets, own.shortened)
    loader = Rows(counted, Buckets(own.lengths, 3, seed=0), weights=np.arange(7.0))
    batch = loader.batch(np.array([4, 1]))
    assert batch.targets.tolist() == [4, 1]
    assert batch.weights.tolist() == [4.0, 1.0]

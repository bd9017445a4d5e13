"""Batch: rows, steps, the mask, and moving it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass

import pytest
import torch

from tidegate.batch import Batch

LENGTHS = torch.tensor([4, 0, 2])
FORMS = {
    "ids": torch.randint(2, 9, (3, 4)),
    "ids of n-grams": torch.randint(2, 9, (3, 4, 2)),
    "features": torch.randn(3, 4, 5),
}


@pytest.mark.parametrize("values", FORMS.values(), ids=FORMS)
def test_rows_steps_and_mask(values):
    batch = Batch(values, LENGTHS)
    assert len(batch) == 3
    assert batch.steps == 6
    assert batch.mask.dtype == torch.bool
    assert batch.mask.int().tolist() == [[1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert batch.targets is None
    assert batch.weights is None


def test_empty_batches():
    for batch in (
        Batch(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)),
        Batch(torch.zeros(2, 0), torch.zeros(2, dtype=torch.int64)),
    ):
        assert batch.steps == 0
        assert batch.mask.shape == batch.values.shape
        assert len(batch) == len(batch.values)


@pytest.mark.parametrize("full", [False, True])
def test_moving_takes_every_tensor_along(full):
    targets = torch.tensor([1, 0, 1]) if full else None
    weights = torch.tensor([1.0, 0.5, 2.0]) if full else None
    batch = Batch(FORMS["features"], LENGTHS, targets, weights)
    there = batch.to("meta")
    for name in ("values", "lengths", "targets", "weights"):
        moved, own = getattr(there, name), getattr(batch, name)
        assert (moved is None) == (own is None)
        assert own is None or (moved.device.type, moved.shape) == ("meta", own.shape)
    back = batch.to(torch.device("cpu"))
    assert torch.equal(back.values, batch.values)
    assert torch.equal(back.lengths, batch.lengths)


@dataclass(frozen=True)
class MarkedBatch(Batch):
    """A kind of batch with fields of its own."""

    marks: torch.Tensor | None = None
    usual: int | None = None


def test_kinds_of_batches_only_add_fields():
    targets, ends = torch.zeros(3, 7, dtype=torch.int64), torch.tensor([7, 3, 0])
    batch = MarkedBatch(
        FORMS["ids"], LENGTHS, targets, target_lengths=ends, marks=torch.ones(3, 4), usual=5
    )
    there = batch.to("meta")
    assert isinstance(there, MarkedBatch)
    for name in ("values", "lengths", "targets", "target_lengths", "marks"):
        assert getattr(there, name).device.type == "meta"
    assert there.usual == 5
    assert there.weights is None


def test_a_batch_is_not_written_to():
    batch = Batch(FORMS["ids"], LENGTHS)
    with pytest.raises(FrozenInstanceError):
        batch.values = FORMS["features"]

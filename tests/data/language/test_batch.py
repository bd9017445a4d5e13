"""LanguageBatch: pieces of streams, and how much of a usual one they are."""

from __future__ import annotations

import torch

from tidegate.data.language.batch import NOTHING, LanguageBatch


def test_a_piece_counts_by_its_steps():
    ids, lengths = torch.zeros(3, 5, dtype=torch.int64), torch.tensor([5, 5, 2])
    assert LanguageBatch(ids, lengths, usual=20).share == 0.25
    assert LanguageBatch(ids, lengths, usual=4).share == 1.25
    assert LanguageBatch(ids, lengths).share == 1.0


def test_resets_move_and_the_usual_length_stays():
    ids = torch.zeros(2, 3, dtype=torch.int64)
    batch = LanguageBatch(ids, torch.tensor([3, 3]), ids, resets=ids.bool(), usual=6).to("meta")
    assert batch.resets.device.type == "meta"
    assert (batch.usual, batch.share) == (6, 0.5)
    assert LanguageBatch(ids, torch.tensor([3, 3])).to("meta").resets is None


def test_torch_skips_what_nothing_follows():
    scores, targets = torch.randn(3, 7), torch.tensor([2, NOTHING, 4])
    loss = torch.nn.functional.cross_entropy
    torch.testing.assert_close(loss(scores, targets), loss(scores[[0, 2]], targets[[0, 2]]))

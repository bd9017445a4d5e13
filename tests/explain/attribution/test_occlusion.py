"""Occlusion against answers of the network to texts changed by hand."""

from __future__ import annotations

import pytest
import torch

from tests.explain.nets import Polynomial, ragged, text_net
from tidegate.batch import Batch
from tidegate.errors import InputError
from tidegate.explain import occlusion


@pytest.mark.parametrize("wide", [False, True])
def test_a_score_is_how_far_the_output_falls_without_the_word(wide):
    network, batch = text_net(wide=wide), ragged()
    found = occlusion(network, batch, 1)
    network.eval()
    for row, length in enumerate(batch.lengths.tolist()):
        for step in range(length):
            ids = batch.values.clone()
            ids[row, step, 0] = 1
            ids[row, step, 1:] = 0
            ids[row, step + 1 : step + 2, 1] = 0  # the 2-gram that ends one word later
            ids[row, step + 1 : step + 3, 2] = 0
            expected = network(batch)[row, 1] - network(Batch(ids, batch.lengths))[row, 1]
            torch.testing.assert_close(found.scores[row, step], expected)
    assert not found.scores[~batch.mask].any()
    assert torch.equal(found.asked, batch.lengths + 2)


def test_the_gap_is_what_steps_do_together():
    network = Polynomial(3)
    batch = Batch(torch.randn(2, 3, 1, dtype=torch.float64), torch.tensor([3, 2]))
    alone = occlusion(network, batch, 0)
    torch.testing.assert_close(
        alone.gap, torch.zeros(2, dtype=torch.float64)
    )  # no step needs another
    together = occlusion(text_net(), ragged((7,)))
    assert together.gap.abs() > 1e-3


def test_many_rows_go_in_portions(monkeypatch):
    network, batch = text_net(), ragged()
    whole = occlusion(network, batch)
    monkeypatch.setattr("tidegate.explain.network._STEPS", 14)
    torch.testing.assert_close(occlusion(network, batch).scores, whole.scores)


def test_an_output_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match=r"`target`.*0 to 2"):
        occlusion(text_net(), ragged(), 7)

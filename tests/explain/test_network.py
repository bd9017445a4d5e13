"""What explanations need of a network: it is held still, and its batches are silenced by rule."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.explain.nets import Polynomial, ragged, text_net
from tidegate.batch import Batch
from tidegate.errors import InputError
from tidegate.explain.network import Inspectable, portions, silent, still, take_rows


def test_a_text_network_is_inspectable_and_a_layer_is_not():
    assert isinstance(text_net(), Inspectable)
    assert isinstance(Polynomial(3), Inspectable)
    with pytest.raises(InputError, match=r"`network` must be a module with `recurrent`.*Linear"):
        still(nn.Linear(2, 2)).__enter__()


@pytest.mark.parametrize("training", [True, False])
def test_still_puts_mode_and_gradients_back_even_after_an_error(training):
    network = text_net().train(training)
    network.head.linear.bias.requires_grad_(False)
    wanted = {name: weight.requires_grad for name, weight in network.named_parameters()}
    with pytest.raises(RuntimeError, match="stop"), still(network) as device:
        assert device == torch.device("cpu")
        assert not network.training
        assert not any(weight.requires_grad for weight in network.parameters())
        raise RuntimeError("stop")
    assert network.training is training
    assert {n: w.requires_grad for n, w in network.named_parameters()} == wanted


def test_a_silent_batch_has_unknown_words_and_no_n_grams_and_the_same_padding():
    batch = ragged()
    found = silent(batch)
    words, grams = found.values[..., 0], found.values[..., 1:]
    assert torch.equal(words, batch.mask.long())
    assert not grams.any()
    assert torch.equal(found.lengths, batch.lengths)


def test_silencing_steps_takes_the_n_grams_that_span_them():
    batch = ragged(lengths=(9, 6), seed=3)
    chosen = torch.rand(2, 9) < 0.3
    found = silent(batch, chosen)
    for row, length in enumerate(batch.lengths.tolist()):
        for step in range(9):
            for order in range(3):
                spanned = range(max(0, step - order), step + 1)
                gone = step < length and any(chosen[row, s] for s in spanned)
                expected = (1 if order == 0 else 0) if gone else batch.values[row, step, order]
                assert found.values[row, step, order] == expected


def test_silence_of_a_series_is_zero():
    batch = Batch(torch.randn(2, 4, 3), torch.tensor([4, 2]))
    steps = torch.tensor([[True, False, False, False]] * 2)
    found = silent(batch, steps).values
    assert not found[:, 0].any()
    assert torch.equal(found[:, 1:], batch.values[:, 1:])


def test_rows_are_taken_and_portions_cover_them_all():
    batch = ragged()
    assert torch.equal(take_rows(batch, torch.tensor([1, 1, 0])).lengths, batch.lengths[[1, 1, 0]])
    assert [row for part in portions(10, 9000) for row in range(10)[part]] == list(range(10))
    assert list(portions(0, 5)) == []
    assert next(iter(portions(2, 10**9))) == slice(0, 1)

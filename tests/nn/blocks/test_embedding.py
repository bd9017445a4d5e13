"""Embedding against plain indexing, and its dropouts against what they promise."""

from __future__ import annotations

import pytest
import torch

from tidegate.errors import InputError
from tidegate.nn.blocks.embedding import Embedding

WORDS = torch.tensor([[4, 2, 3], [1, 0, 0]])
GRAMS = torch.tensor([[[4, 0, 0], [2, 5, 0], [3, 1, 6]], [[1, 2, 0], [0, 0, 0], [0, 0, 0]]])


def test_words_are_looked_up_and_padding_is_zero():
    layer = Embedding(5, 3).eval()
    found = layer(WORDS)
    assert torch.equal(found[0], layer.words.weight[[4, 2, 3]])
    assert torch.equal(found[1, 0], layer.words.weight[1])
    assert not found[1, 1:].any()


def test_ngrams_are_added_to_the_word_they_end_at():
    layer = Embedding(5, 3, ngrams=7).eval()
    assert layer.ngrams is not None
    words, grams = layer.words.weight, layer.ngrams.weight
    found = layer(GRAMS)
    torch.testing.assert_close(found[0, 0], words[4])
    torch.testing.assert_close(found[0, 1], words[2] + grams[5])
    torch.testing.assert_close(found[0, 2], words[3] + grams[1] + grams[6])
    torch.testing.assert_close(found[1, 0], words[1] + grams[2])
    assert not found[1, 1:].any()


def test_padding_gets_no_gradient():
    layer = Embedding(5, 3, ngrams=7)
    layer(GRAMS).sum().backward()
    assert layer.ngrams is not None
    for table in (layer.words, layer.ngrams):
        assert table.weight.grad is not None
        assert not table.weight.grad[0].any()
        assert table.weight.grad[1:].any()


def test_word_dropout_makes_words_unknown_and_leaves_padding_alone():
    layer = Embedding(5, 2, word_dropout=0.3)
    ids = torch.full((40, 50), 3)
    ids[:, 45:] = 0
    found = layer(ids)
    unknown = (found == layer.words.weight[1]).all(-1)
    kept = (found == layer.words.weight[3]).all(-1)
    assert torch.equal(unknown | kept, ids == 3)
    assert unknown.sum() / (40 * 45) == pytest.approx(0.3, abs=0.03)
    assert torch.equal(layer.eval()(ids), layer.words.weight[ids])


def test_ngram_dropout_leaves_the_words():
    layer = Embedding(5, 2, ngrams=7, ngram_dropout=0.95)
    ids = torch.tensor([[[2, 5]]]).expand(30, 30, 2)
    assert layer.ngrams is not None
    word, both = layer.words.weight[2], layer.words.weight[2] + layer.ngrams.weight[5]
    alone = torch.isclose(layer(ids), word).all(-1)
    together = torch.isclose(layer(ids), both).all(-1)
    assert alone.float().mean() == pytest.approx(0.95, abs=0.03)
    assert together.any()


def test_embedding_dropout_draws_one_mask_a_row_and_keeps_the_mean():
    layer = Embedding(9, 400, dropout=0.4)
    ids = torch.randint(2, 9, (6, 5))
    with torch.no_grad():
        layer.words.weight[1:] = 1.0
    found = layer(ids)
    assert torch.equal(found, found[:, :1].expand_as(found))
    assert not torch.equal(found[0], found[1])
    assert sorted(set(found.flatten().tolist())) == pytest.approx([0.0, 1 / 0.6])
    assert (found == 0).float().mean() == pytest.approx(0.4, abs=0.05)


def test_pretrained_vectors_are_used_and_can_be_frozen():
    vectors = torch.arange(15.0).view(5, 3) + 1
    tuned = Embedding(5, 3, vectors=vectors)
    assert torch.equal(tuned.words.weight[1:], vectors[1:])
    assert not tuned.words.weight[0].any()
    assert tuned.words.weight.requires_grad
    assert not Embedding(5, 3, vectors=vectors, freeze=True).words.weight.requires_grad


def test_words_without_a_vector_start_anew_or_stay_zero_when_frozen():
    vectors = torch.tensor([[0.0, 0.0], [0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
    tuned, frozen = Embedding(4, 2, vectors=vectors), Embedding(4, 2, vectors=vectors, freeze=True)
    assert torch.equal(tuned.words.weight[2:], vectors[2:])
    assert tuned.words.weight[1].all()
    assert torch.equal(frozen.words.weight, vectors)


def test_vectors_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"`vectors` must be of shape \[size=5, features=3\]"):
        Embedding(5, 3, vectors=torch.zeros(5, 4))

"""Encoded sentences: padded batches, and words spelled once each."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data import TagEncoder
from tidegate.data.tags.encoded import TagBatch

X = [["Ann", "saw", "Ann"], [], ["Bob"]]
Y = [["P", "O", "P"], [], ["P"]]


@pytest.fixture
def encoder() -> TagEncoder:
    return TagEncoder(affixes=False).fit(X, Y)


def test_a_batch_spells_each_different_word_once(encoder):
    batch = encoder.encode(X, Y).batch([2, 0])
    assert isinstance(batch, TagBatch)
    spelled = ["".join(encoder.characters[c] for c in word if c) for word in batch.characters]
    assert spelled == ["Ann", "saw", "Bob"]
    assert batch.character_lengths.tolist() == [3, 3, 3]
    assert batch.spelled.tolist() == [[2, 0, 0], [0, 1, 0]]
    words = [[encoder.vocabulary[word] for word in row] for row in batch.values]
    assert words == [["bob", "<pad>", "<pad>"], ["ann", "saw", "ann"]]
    assert batch.lengths.tolist() == [1, 3]
    ids = batch.targets[0, :1], batch.targets[1]
    assert [[encoder.tags[tag] for tag in row] for row in ids] == [["P"], ["P", "O", "P"]]


def test_sentences_without_words_have_a_step_and_a_spelling_to_pad_with(encoder):
    batch = encoder.encode(X).batch([1])
    assert batch.values.tolist() == [[0]]
    assert batch.characters.tolist() == [[0]]
    assert batch.targets is None


def test_affixes_stand_beside_the_words():
    encoder = TagEncoder().fit([["running", "jumping"]], [["V", "N"]])
    batch = encoder.encode([["running"], ["a", "b"]]).batch([0, 1])
    assert batch.values.shape == (2, 2, 10)
    assert batch.values[0, 0].count_nonzero() > 1  # the word, and what it shares with the other
    assert not batch.values[0, 1].any()


def test_batches_move_as_a_whole(encoder):
    moved = encoder.encode(X, Y).batch(np.array([0])).to("meta")
    parts = (moved.values, moved.targets, moved.spelled, moved.characters, moved.character_lengths)
    assert {part.device.type for part in parts} == {"meta"}


def test_the_fingerprint_tells_sentences_spelling_and_tags_apart(encoder):
    told = [(X, Y), (X, None), (X[:2], Y[:2]), ([["Ann", "saw", "Bob"], [], ["Bob"]], Y)]
    found = {encoder.encode(words, tags).fingerprint() for words, tags in told}
    assert len(found) == 4
    assert encoder.encode(X, Y).fingerprint() in found

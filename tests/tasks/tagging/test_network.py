"""TaggerNetwork: what it reads, what it drops, and that rows do not see each other."""

from __future__ import annotations

import numpy as np
import torch

from tidegate.data import TagEncoder
from tidegate.heads import TagHead
from tidegate.nn import recurrent_layer
from tidegate.nn.blocks.characters import Characters
from tidegate.nn.blocks.embedding import Embedding
from tidegate.tasks.tagging.network import TaggerNetwork

X = [["Ann", "rows", "in", "Hull"], ["Bob"], [], ["Bob", "sees", "Ann"]]
Y = [["B-PER", "O", "O", "B-LOC"], ["B-PER"], [], ["B-PER", "O", "B-PER"]]


def made(dropout=0.0, rare_words=0.0):
    torch.manual_seed(0)
    encoder = TagEncoder().fit(X, Y)
    embedding = Embedding(len(encoder.vocabulary), 5, ngrams=encoder.affix_size)
    characters = Characters(len(encoder.characters), 3, 4)
    size = embedding.output_size + characters.output_size
    layer = recurrent_layer("lstm", size, 6, batch_first=True, bidirectional=True)
    allowed = torch.from_numpy(encoder.allowed)
    head = TagHead(layer.output_size, encoder.tags, spans=True, allowed=allowed)
    network = TaggerNetwork(
        embedding, characters, layer, head, dropout=dropout, rare_words=rare_words
    )
    return network, encoder.encode(X, Y)


def test_a_row_is_answered_alike_alone_and_among_others():
    network, encoded = made()
    network.eval()
    batch = encoded.batch([0, 1, 2, 3])
    scores = network(batch)
    assert scores.shape == (4, 4, 9)
    for row, words in enumerate(X):
        alone = network(encoded.batch([row]))[0, : len(words)]
        torch.testing.assert_close(alone, scores[row, : len(words)], rtol=1e-4, atol=1e-6)


def test_a_word_is_its_vector_with_its_affixes_beside_its_spelling():
    network, encoded = made()
    network.eval()
    batch = encoded.batch([0, 3])
    vectors = network.embed(batch)
    assert vectors.shape == (2, 4, 13)
    spelled = network.characters(batch.characters, batch.character_lengths)
    for row, step in ((0, 0), (1, 2)):  # "Ann" both times
        ids = batch.values[row, step]
        own = network.embedding.words.weight[ids[0]]
        own = own + network.embedding.ngrams.weight[ids[1:]][ids[1:] != 0].sum(0)
        torch.testing.assert_close(vectors[row, step, :5], own)
        torch.testing.assert_close(vectors[row, step, 5:], spelled[batch.spelled[row, step]])
    torch.testing.assert_close(vectors[0, 0], vectors[1, 2])


def test_a_feature_vanishes_from_all_words_of_a_sentence():
    network, encoded = made(dropout=0.5)
    vectors = network.train().embed(encoded.batch([0] * 50))
    gone = vectors == 0
    assert torch.equal(gone.all(1), gone.any(1))
    assert 0.4 < gone.float().mean() < 0.6
    kept = network.eval().embed(encoded.batch([0]))
    torch.testing.assert_close(vectors[0][~gone[0]], (2 * kept[0])[~gone[0]])


def test_padding_is_never_forgotten():
    network, encoded = made(rare_words=1e9)
    network.count(torch.from_numpy(np.ascontiguousarray(encoded.spelling.words[:, 0])))
    batch = encoded.batch([0, 1])
    ids = network.train()._forget(batch.values)
    assert ids[0, :, 0].tolist() == [1] * 4
    assert ids[1, :, 0].tolist() == [1, 0, 0, 0]
    assert torch.equal(network.eval()._forget(batch.values), batch.values)


def test_the_loss_falls_to_the_rows_it_saw():
    network, encoded = made()
    batch = encoded.batch([0, 1, 2, 3])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.03)
    for _ in range(60):
        loss, _ = network.train().learn(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02
    meter = network.eval().meter()
    meter.update(network(batch), batch)
    assert meter.result()["f1"] == 1.0

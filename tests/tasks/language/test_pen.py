"""The pen against the network itself, which reads whole texts in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tidegate.data.language.encoder import UNKNOWN
from tidegate.heads import AdaptiveHead, LanguageHead, MixtureHead
from tidegate.nn import recurrent_layer
from tidegate.tasks.language import pen as language_pen
from tidegate.tasks.language.network import LanguageNetwork, Regularisation
from tidegate.tasks.language.pen import Pen

SIZE = 7


def network(width=9, *, cell="lstm", hidden=8, layers=1, head="plain", stacks=1, **options):
    torch.manual_seed(3)
    embedding = nn.Embedding(SIZE, width)
    found = []
    for place in range(stacks):
        found.append(
            recurrent_layer(
                cell, hidden if place else width, hidden, layers, batch_first=True, **options
            )
        )
    made = {
        "plain": lambda: LanguageHead(hidden, SIZE),
        "adaptive": lambda: AdaptiveHead(hidden, SIZE),
        "mixture": lambda: MixtureHead(hidden, SIZE, count=2, width=5),
    }[head]()
    rates = Regularisation(embedding_dropout=0.5, input_dropout=0.5, dropout=0.5)
    return LanguageNetwork(embedding, found, made, rates)


def expected(net, ids):
    """Log-probabilities of the symbol after each of `ids`, the unknown one left out, `[T, V]`."""
    net.eval()
    with torch.no_grad():
        features, _ = net.read(torch.tensor([ids]))
        logs = net.head.answer(features)[0].double()
    logs[:, UNKNOWN] = -torch.inf
    return torch.log_softmax(logs, -1).numpy()


def scaled(scores):
    return torch.log_softmax(torch.from_numpy(scores).double(), -1).numpy()


KINDS = [
    {"width": 9},  # fewer symbols than features: one-hot
    {"width": 4},  # more: vectors
    {"width": SIZE, "cell": "gru"},
    {"width": 3, "cell": "rnn", "stacks": 2},
    {"width": 9, "layers": 3, "residual": True},
    {"width": 9, "layers": 2, "layer_norm": True},
    {"width": 9, "stacks": 2, "state_batch_first": True},
    {"width": 9, "precision": "bfloat16"},
    {"width": 9, "head": "adaptive"},
    {"width": 4, "head": "mixture"},
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_pen_that_writes_knows_what_the_network_reads(kind):
    net = network(**kind)
    close = 3e-2 if "precision" in kind else 1e-5
    text = [4, 2, 6, 0, 3, 3, 5]
    truth = expected(net, text)
    net.train()
    pen = Pen(net, 1, [UNKNOWN])
    scores = pen.read([text[:3]])
    assert scores.shape == (SIZE,)
    assert net.training
    for step in range(2, len(text)):
        np.testing.assert_allclose(scaled(scores), truth[step], atol=close)
        scores = pen.step(np.int64(text[(step + 1) % len(text)]))


@pytest.mark.parametrize("kind", KINDS[:-3], ids=str)
def test_rows_of_any_length_are_read_and_written_like_single_ones(kind, monkeypatch):
    monkeypatch.setattr(language_pen, "STEPS", 4)  # parts of one text, at whose cuts others end
    net = network(**kind)
    texts = [[4, 2, 6, 0, 3, 3, 5, 2, 2], [5], [2, 3, 4, 5], [6, 0, 3, 3, 2]]
    pen = Pen(net, len(texts), [UNKNOWN])
    scores = pen.read(texts)
    for more in (2, 6):
        truth = np.stack([expected(net, text)[-1] for text in texts])
        np.testing.assert_allclose(scaled(scores), truth, atol=1e-5)
        scores = pen.step(np.full(len(texts), more))
        texts = [[*text, more] for text in texts]


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[2], KINDS[6]], ids=str)
def test_rows_that_take_the_state_of_others_go_on_like_them(kind):
    net = network(**kind)
    texts = [[4, 2, 6], [5, 5, 5], [2, 3, 4]]
    pen = Pen(net, 3, [UNKNOWN])
    pen.read(texts)
    pen.take(np.array([2, 0, 2]))
    scores = pen.step(np.array([6, 3, 5]))
    truth = [expected(net, text)[-1] for text in ([2, 3, 4, 6], [4, 2, 6, 3], [2, 3, 4, 5])]
    np.testing.assert_allclose(scaled(scores), np.stack(truth), atol=1e-5)


def test_float64_stays_what_it_is():
    net = network().double()
    truth = expected(net, [4, 2])
    pen = Pen(net, 1, [UNKNOWN])
    pen.read([[4]])
    np.testing.assert_allclose(scaled(pen.step(np.int64(2))), truth[1], atol=1e-12)


def test_a_small_vocabulary_runs_in_the_native_library_one_hot():
    pen = Pen(network(width=64), 1)
    (stream,) = pen._streams
    assert stream.input_size == SIZE
    assert Pen(network(width=3), 1)._streams[0].input_size == 3

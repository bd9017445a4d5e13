"""Dynamic evaluation against its equations, written out for every piece."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from tidegate.data.language.corpus import Corpus
from tidegate.data.language.streams import StreamPieces, Streams
from tidegate.data.rows import Rows
from tidegate.tasks.language import dynamic as language_dynamic
from tidegate.tasks.language.dynamic import adapted
from tidegate.tasks.language.network import build_language_network
from tidegate.tasks.language.settings import LanguageModelSettings


def made():
    torch.manual_seed(0)
    settings = LanguageModelSettings(hidden_size=5, num_layers=1, embedding_size=4, dropout=0.5)
    ids = np.random.default_rng(0).integers(0, 7, 60)
    text = Streams(Corpus(ids[:18]), count=1, steps=9)
    past = Streams(Corpus(ids), count=2, steps=10)  # its text is read in pieces of five steps
    return build_language_network(settings, 7), text, past


def test_the_updates_are_those_of_the_paper(monkeypatch):
    for name, value in {"_RATE": 0.1, "_PULL": 0.02, "_PRECISION": 1e-5, "_ROWS": 3}.items():
        monkeypatch.setattr(language_dynamic, name, value)
    network, text, past = made()
    past = Streams(past.corpus, count=3, steps=5)
    pieces = StreamPieces(past, vary=False).epoch(0)
    found = adapted(network, text, past).result()["loss"]

    twin = copy.deepcopy(network).eval()
    weights = dict(twin.named_parameters())
    squares = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    twin.begin_pass()
    for rows in pieces:
        twin.zero_grad()
        twin(past.batch(rows)).mean().backward()
        for name, weight in weights.items():
            squares[name] += weight.grad**2 / len(pieces)
    roots = {name: square**0.5 for name, square in squares.items()}
    count = sum(root.numel() for root in roots.values())
    mean = sum(root.sum() for root in roots.values()) / count
    start = {name: weight.detach().clone() for name, weight in weights.items()}
    twin.begin_pass()
    nats = []
    for first, steps in ((0, 5), (5, 5), (10, 5), (15, 2)):
        twin.zero_grad()
        costs = twin(text.batch(np.array([first, steps])))
        nats += costs.tolist()
        costs.mean().backward()
        with torch.no_grad():
            for name, weight in weights.items():
                decay = torch.clamp(0.02 * roots[name] / mean, max=1)
                step = 0.1 * weight.grad / (roots[name] + 1e-5)
                weight.copy_(weight + decay * (start[name] - weight) - step)
    assert found == pytest.approx(np.mean(nats), rel=1e-5)


def test_without_updates_it_is_the_plain_measure(monkeypatch):
    from tidegate.training.measure import measure

    monkeypatch.setattr(language_dynamic, "_RATE", 0.0)
    network, text, past = made()
    plain = measure(network, Rows(text, StreamPieces(text))).result()["loss"]
    assert adapted(network, text, past).result()["loss"] == pytest.approx(plain, rel=1e-6)

"""What a training step takes is known before it begins, and is about what it really takes."""

from __future__ import annotations

import numpy as np
import pytest
from torch.autograd.graph import saved_tensors_hooks

from tidegate.data.language.corpus import Corpus
from tidegate.data.language.streams import Streams
from tidegate.errors import InputError
from tidegate.tasks.language.memory import check_memory, step_bytes
from tidegate.tasks.language.network import build_language_network
from tidegate.tasks.language.settings import LanguageModelSettings
from tidegate.training import memory as training_memory

SETTINGS = LanguageModelSettings(hidden_size=32, dropout=0.0, backend="reference", bptt=50)


def kept(network, batch):
    """Bytes of the distinct tensors that a pass keeps for its backward pass."""
    found = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        loss, _ = network.learn(batch)
    weights = {p.untyped_storage().data_ptr() for p in network.parameters()}
    loss.backward()
    return sum(size for place, size in found.items() if place not in weights)


@pytest.mark.parametrize("softmax", [{}, {"softmax": "mixture", "mixtures": 4}])
def test_the_estimate_is_near_what_a_step_keeps(softmax):
    settings = LanguageModelSettings(**SETTINGS.to_dict() | {"num_layers": 1} | softmax)
    network = build_language_network(settings, 500)
    ids = np.random.default_rng(0).integers(0, 500, 401)
    batch = Streams(Corpus(ids), count=8, steps=50).batch(np.array([0, 50]))
    estimate = step_bytes(network, 8, 50)
    # Of its three copies of the scores, autograd keeps one and a little; the two others are there
    # for a moment in the backward pass.
    scores = 4 * 8 * 50 * 500 * softmax.get("mixtures", 1)
    assert 1 < (kept(network, batch) - (estimate - 3 * scores)) / scores < 1.2
    assert estimate == 2 * step_bytes(network, 8, 25)


def test_an_adaptive_softmax_takes_less():
    sizes = [
        step_bytes(build_language_network(settings, 50_000), 8, 50)
        for settings in (SETTINGS, LanguageModelSettings(hidden_size=32, softmax="adaptive"))
    ]
    assert sizes[1] < sizes[0] / 5


def test_too_long_a_context_is_refused_with_what_to_lower(monkeypatch):
    network = build_language_network(SETTINGS, 500)
    streams = Streams(Corpus(np.zeros(10_001, np.uint16)), count=8, steps=50)
    check_memory(network, streams, SETTINGS)
    monkeypatch.setattr(training_memory, "free_memory", lambda device: 2**20)
    rule = r"`bptt` must be small enough for 0.0 GiB of .*; got 50 steps of 8 streams.*Lower bptt"
    with pytest.raises(InputError, match=rule):
        check_memory(network, streams, SETTINGS)
    monkeypatch.setattr(training_memory, "free_memory", lambda device: None)
    check_memory(network, streams, SETTINGS)


def test_the_text_bounds_the_context(monkeypatch):
    network = build_language_network(SETTINGS, 50)
    streams = Streams(Corpus(np.zeros(41, np.uint16)), count=8, steps=50)
    most = step_bytes(network, 8, streams.length)
    monkeypatch.setattr(training_memory, "free_memory", lambda device: most)
    check_memory(network, streams, LanguageModelSettings(hidden_size=32, bptt=10**9))

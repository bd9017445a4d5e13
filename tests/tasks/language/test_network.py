"""The network of a language model: state, regularisation and shapes, against plain torch."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tidegate.data.language.corpus import Corpus
from tidegate.data.language.streams import StreamPieces, Streams
from tidegate.data.rows import Rows
from tidegate.errors import InputError
from tidegate.heads import AdaptiveHead, MixtureHead
from tidegate.tasks.language.network import build_language_network
from tidegate.tasks.language.settings import LanguageModelSettings
from tidegate.training.measure import measure

SIZE = 11


def built(**settings):
    settings = {"hidden_size": 6, "dropout": 0.0, "embedding_size": 5} | settings
    torch.manual_seed(0)
    return build_language_network(LanguageModelSettings(**settings), SIZE)


def corpus(tokens=101, starts=()):
    ids = np.random.default_rng(1).integers(0, SIZE, tokens)
    return Corpus(ids, np.array(starts, np.int64))


def torch_lstm(network):
    (stack,) = network.stacks
    lstm = nn.LSTM(stack.input_size, stack.hidden_size, stack.num_layers, batch_first=True)
    lstm.load_state_dict(stack.state_dict())
    return lstm


@torch.no_grad()
def plain(network, ids, starts=()):
    """Costs of a whole text by torch.nn.LSTM, a document at a time, from a state of zero each."""
    lstm = torch_lstm(network)
    ends = [*starts[1:], len(ids) - 1] if len(starts) else [len(ids) - 1]
    costs = []
    for first, last in zip(starts or [0], ends, strict=True):
        piece = torch.from_numpy(ids[first : last + 1])
        features, _ = lstm(network.embedding(piece[None, :-1]))
        scores = F.linear(features[0], network.head.table, network.head.bias)
        costs.append(F.cross_entropy(scores, piece[1:], reduction="none"))
    return torch.cat(costs)


def rows_of(text: Corpus, count: int = 1) -> Rows[Streams]:
    streams = Streams(text, count=count, steps=9)
    return Rows(streams, StreamPieces(streams))


@pytest.mark.parametrize("num_layers", [1, 2])
def test_a_text_read_in_pieces_costs_what_it_costs_at_once(num_layers, monkeypatch):
    monkeypatch.setattr("tidegate.data.language.streams._TOKENS_AT_ONCE", 7)
    network, text = built(num_layers=num_layers), corpus()
    streams = rows_of(text)
    assert len(streams.in_order()) == 15
    found = measure(network, streams).result()["loss"]
    assert found == pytest.approx(float(plain(network, text.ids).mean()), rel=1e-5)
    assert network.carried() == {}
    assert found == measure(network, streams).result()["loss"]


def test_documents_begin_from_zero(monkeypatch):
    monkeypatch.setattr("tidegate.data.language.streams._TOKENS_AT_ONCE", 7)
    network, starts = built(num_layers=1), [0, 10, 11, 60]
    text = corpus(starts=starts)
    found = measure(network, rows_of(text)).result()["loss"]
    wanted = float(plain(network, text.ids, starts).mean())
    assert found == pytest.approx(wanted, rel=1e-5)
    assert found != pytest.approx(float(plain(network, text.ids).mean()), rel=1e-5)


def test_several_streams_cost_what_each_costs_alone():
    network, text = built(num_layers=1), corpus(100)
    found = measure(network, rows_of(text, count=3)).result()["loss"]
    parts = [text.ids[first : first + 34] for first in (0, 33, 66)]
    wanted = torch.cat([plain(network, ids) for ids in parts]).mean()
    assert found == pytest.approx(float(wanted), rel=1e-5)


def test_the_state_is_carried_and_the_gradient_is_cut():
    network = built(num_layers=1)
    streams = Streams(corpus(41), count=2, steps=10)
    first, second = (streams.batch(rows) for rows in StreamPieces(streams, vary=False).epoch(0))
    network.begin_pass()
    network.learn(first)
    state = network.carried()
    assert not any(tensor.requires_grad for tensor in state.values())
    loss, _ = network.learn(second)
    loss.backward()
    twin = built(num_layers=1)
    lstm, hx = torch_lstm(twin), (state["0.0"], state["0.1"])
    features, _ = lstm(twin.embedding(second.values), hx)
    scores = F.linear(features, twin.head.table, twin.head.bias)
    wanted = F.cross_entropy(scores.flatten(0, 1), second.targets.flatten())
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    wanted.backward()
    torch.testing.assert_close(
        network.stacks[0].weight_hh_l0.grad, lstm.weight_hh_l0.grad, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_carried_state_comes_back(cell):
    network = built(cell=cell, num_layers=3, tied=True, level="word")
    assert len(network.stacks) == 2
    streams = Streams(corpus(), count=4, steps=5)
    first, second = (streams.batch(rows) for rows in StreamPieces(streams).epoch(0)[:2])
    network(first)
    twin = built(cell=cell, num_layers=3, tied=True, level="word")
    twin.take_carried(network.carried())
    assert torch.equal(network(second), twin(second))
    twin.take_carried({})
    assert not torch.equal(twin(second), network(second))


@torch.no_grad()
def test_read_gives_what_the_training_pass_computes():
    network, text = built(), corpus(21)
    ids = torch.from_numpy(text.ids)[None]
    features, state = network.read(ids[:, :8])
    more, _ = network.read(ids[:, 8:-1], state)
    logs = network.head.answer(torch.cat([features, more], 1))[0]
    found = -logs[torch.arange(20), ids[0, 1:]]
    loss = measure(network, rows_of(text)).result()["loss"]
    assert float(found.mean()) == pytest.approx(loss, rel=1e-5)


def test_penalties_are_those_of_awd_lstm():
    network = built(num_layers=1, activation_penalty=2.0, temporal_penalty=1.0)
    batch = Streams(corpus(41), count=2, steps=20).batch(np.array([0, 20]))
    loss, nats = network.learn(batch)
    features, _ = network.read(batch.values)
    changes = features[:, 1:] - features[:, :-1]
    extra = 2 * features.pow(2).mean() + changes.pow(2).mean()
    assert loss.item() == pytest.approx((nats.mean() + extra).item(), rel=1e-5)
    assert network.loss(nats, batch).item() == nats.mean().item()


def test_embedding_dropout_takes_whole_symbols_and_scales_the_others():
    network = built(embedding_dropout=0.4).train()
    ids = torch.arange(SIZE).repeat(2, 3)
    vectors = network._embed(ids)
    factors = vectors / network.embedding(ids)
    assert torch.equal(factors[0, :SIZE], factors[1, SIZE : 2 * SIZE])
    kept = factors[..., 0].flatten()
    torch.testing.assert_close(factors, kept.view(2, -1, 1).expand_as(factors))
    assert {round(value, 4) for value in kept.tolist()} == {0.0, round(1 / 0.6, 4)}
    assert torch.equal(network.eval()._embed(ids), network.embedding(ids))


def test_variational_dropout_takes_features_of_a_row_from_all_steps():
    network = built(input_dropout=0.5).train()
    ids = torch.arange(SIZE).repeat(4, 1)
    factors = network._embed(ids) / network.embedding(ids)
    assert (factors == factors[:, :1]).all()
    assert not (factors == factors[:1]).all()
    assert set(factors.flatten().tolist()) == {0.0, 2.0}


def test_dropout_changes_training_and_not_evaluation():
    network = built(dropout=0.5, num_layers=2)
    assert network.stacks[0].options.variational_dropout
    batch = Streams(corpus(), count=2, steps=20).batch(np.array([0, 20]))
    network.begin_pass()
    costs = [network.learn(batch)[0].item()]
    network.begin_pass()
    assert network.learn(batch)[0].item() != costs[0]
    network.eval().begin_pass()
    first = network(batch)
    network.begin_pass()
    assert torch.equal(network(batch), first)


@pytest.mark.parametrize(
    ("settings", "sizes", "head"),
    [
        ({"num_layers": 3}, [[6, 6, 6]], "own"),
        ({"num_layers": 3, "level": "word"}, [[6, 6], [5]], "tied"),
        ({"num_layers": 2, "level": "word", "embedding_size": None}, [[6, 6]], "tied"),
        ({"num_layers": 2, "level": "word", "tied": False}, [[6, 6]], "own"),
        ({"num_layers": 1, "level": "word", "softmax": "mixture"}, [[6]], "mixture"),
        ({"num_layers": 1, "level": "word", "softmax": "adaptive"}, [[6]], "adaptive"),
    ],
)
def test_sizes_of_layers_and_kinds_of_heads(settings, sizes, head):
    network = built(**settings)
    found = [[stack.hidden_size] * stack.num_layers for stack in network.layers]
    assert found == sizes
    kinds = {"mixture": MixtureHead, "adaptive": AdaptiveHead}
    if head in kinds:
        assert isinstance(network.head, kinds[head])
    else:
        assert (network.head.table is network.embedding.weight) == (head == "tied")
    ids = torch.zeros(2, 3, dtype=torch.int64)
    features, state = network.read(ids)
    assert network.head.answer(features).shape == (2, 3, SIZE)
    assert len(state) == len(sizes)


@pytest.mark.parametrize("softmax", ["full", "mixture"])
def test_the_precision_of_the_layers_is_that_of_the_softmax(softmax):
    low = {"precision": "bfloat16"}
    assert built(layer_options=low, softmax=softmax).head.low_precision
    assert not built(softmax=softmax).head.low_precision


def test_layer_options_reach_every_layer_that_can_have_them():
    options = {"weight_dropout": 0.5, "residual": True}
    network = built(num_layers=3, level="word", embedding_size=5, layer_options=options)
    below, top = network.layers
    assert below.options.residual
    assert not top.options.residual
    assert below.options.weight_dropout == top.options.weight_dropout == 0.5


def test_one_tied_layer_must_have_the_size_of_the_vectors():
    with pytest.raises(InputError, match="`hidden_size` must be as embedding_size, 5"):
        built(num_layers=1, level="word")


def test_what_is_learned_is_in_one_group_or_the_other_once():
    network = built(num_layers=2, level="word", embedding_size=None)
    matrices, rest = network.groups(0.1, 0.5)
    assert all(p.ndim > 1 for p in matrices["params"])
    assert all(p.ndim == 1 for p in rest["params"])
    assert (matrices["weight_decay"], rest["weight_decay"]) == (0.5, 0.0)
    assert matrices["clip"] is rest["clip"] is True
    count = sum(len(group["params"]) for group in (matrices, rest))
    assert count == len(list(network.parameters()))


def test_a_copy_ties_its_own_weights():
    network = built(num_layers=2, level="word", embedding_size=None)
    twin = copy.deepcopy(network)
    assert twin.head.table is twin.embedding.weight
    assert twin.head.table is not network.embedding.weight
    nn.init.zeros_(twin.embedding.weight)
    assert network.head.table.abs().sum() > 0

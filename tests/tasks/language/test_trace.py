"""The trace of a language model against what its network reads."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tidegate.data.language.encoder import END
from tidegate.errors import InputError
from tidegate.heads import LanguageHead
from tidegate.nn import recurrent_layer
from tidegate.tasks.language.model import LanguageModel
from tidegate.tasks.language.network import LanguageNetwork
from tidegate.tasks.language.trace import trace_texts

TEXTS = [[5, 2, 8, 8], [7, 1]]


def network(sizes):
    torch.manual_seed(0)
    stacks, before = [], 4
    for layers, size in sizes:
        stacks.append(recurrent_layer("lstm", before, size, layers, batch_first=True))
        before = size
    return LanguageNetwork(nn.Embedding(9, 4), stacks, LanguageHead(before, 9))


def test_the_last_layer_shows_what_the_head_reads():
    net = network([(2, 6), (1, 6)])
    net.train()
    trace = trace_texts(net, TEXTS)
    assert net.training
    assert trace.rows == ("layer 0 forward", "layer 1 forward", "layer 2 forward")
    assert trace.lengths.tolist() == [4, 2]
    for row, ids in enumerate(TEXTS):
        features, state = net.read(torch.tensor([ids]))
        hidden = trace.hidden[:, row, : len(ids)]
        torch.testing.assert_close(hidden[2], features[0].detach())
        torch.testing.assert_close(hidden[1, -1], state[0][0][1, 0].detach())
        torch.testing.assert_close(trace.cell[2, row, len(ids) - 1], state[1][1][0, 0].detach())


def test_layers_units_and_gates_are_counted_through_all_stacks():
    net = network([(2, 6), (1, 6)])
    whole = trace_texts(net, TEXTS)
    part = trace_texts(net, TEXTS, layers=[0, 2], units=[1, 5], gates="forget")
    assert part.rows == ("layer 0 forward", "layer 2 forward")
    assert list(part.gates) == ["forget"]
    torch.testing.assert_close(part.gates["forget"], whole.gates["forget"][[0, 2]][..., [1, 5]])


def test_layers_of_different_sizes_are_not_stacked():
    net = network([(1, 6), (1, 4)])
    with pytest.raises(InputError, match="`layers` must be layers of one size; got 0: 6 units, 1"):
        trace_texts(net, TEXTS)
    assert trace_texts(net, TEXTS, layers=1).hidden.shape == (1, 2, 4, 4)
    with pytest.raises(InputError, match="`layers` must be"):
        trace_texts(net, TEXTS, layers=2)


@pytest.fixture(scope="module")
def model():
    settings = {"hidden_size": 12, "num_layers": 2, "epochs": 4, "batch_size": 2}
    text = ("so: tide\n" * 40) + ("or: gate\n" * 40)
    return LanguageModel(**settings, learning_rate=0.02, verbose=False).fit(text, validation=None)


def test_a_model_traces_one_text_or_several(model):
    one, two = model.trace("so: t"), model.trace(["so: t", "or"])
    assert one.labels == (tuple("so: t"),)
    assert two.labels == (tuple("so: t"), tuple("or"))
    assert one.hidden.shape == (2, 1, 5, 12)
    torch.testing.assert_close(two.hidden[:, :1], one.hidden)
    with pytest.raises(InputError, match="`X` must be a text with a symbol"):
        model.trace("")
    with pytest.raises(InputError, match="characters that the model has seen"):
        model.trace("X")


def test_a_model_of_documents_reads_the_beginning_first():
    settings = {"hidden_size": 6, "num_layers": 1, "epochs": 1, "batch_size": 2, "bptt": 8}
    model = LanguageModel(**settings, verbose=False).fit(["so: tide\n", "or"] * 9, validation=None)
    trace = model.trace(["so", "or:"])
    assert trace.labels == (("", "s", "o"), ("", "o", "r", ":"))
    features, _ = model.network_.read(torch.tensor([[END, *model.encoder_.ids("so")]]))
    torch.testing.assert_close(trace.hidden[0, 0, :3], features[0].detach())


def test_units_that_follow_a_pattern_are_found_in_characters(model):
    text = "so: tide\nor: gate\n" * 20
    found = model.units(text, r"(?m)^\w+:")
    frame = found.to_frame()
    assert len(frame) == 24
    assert abs(frame["held_out_auc"][0] - 0.5) > 0.3
    marks = np.array([character in "sor:" for character in text[:27]])
    assert found.marks[0, :9].tolist() == marks[:9].tolist() == [True] * 3 + [False] * 6

"""What a task shows of its inside: rows in order, aligned with what the network read."""

from __future__ import annotations

import pytest
import torch
from sklearn.exceptions import NotFittedError

import tidegate
from tests.tasks.texts import small, texts
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning


@pytest.fixture(scope="module")
def model():
    X, y = texts(60)
    return small(bidirectional=True, num_layers=2, epochs=1).fit(X, y, validation=None)


def test_it_is_the_pass_that_answers(model):
    """The hidden states of the top layer, pooled and scored by hand, are the prediction."""
    X = ["the tide was low", "wild"]
    trace = model.trace(X)
    network = model.network_
    top = trace.select(layers=1).hidden
    output = torch.cat([top[0], top[1]], -1)
    final = torch.stack([top[0, range(2), trace.lengths - 1], top[1, :, 0]])
    scores = network.head(network.pooling(output, trace.lengths, final))
    shares = torch.softmax(scores, 1).detach().numpy()
    assert shares == pytest.approx(model.predict_proba(X), abs=1e-6)


def test_rows_keep_their_order_over_many_batches(model):
    X, _ = texts(300, seed=5)
    trace = model.trace(X, units=[1, 6], layers=1, gates=["forget"])
    assert trace.lengths.tolist() == [len(text.split()) for text in X]
    assert trace.labels == tuple(tuple(text.split()) for text in X)
    for row in (0, 7, 150, 299):
        alone = model.trace([X[row]], units=[1, 6], layers=1, gates=["forget"])
        steps = int(alone.lengths[0])
        gate, cell = trace.gate("forget")[:, row, :steps], trace.cell[:, row, :steps]
        # Only the native library promises the same bits in another batch.
        torch.testing.assert_close(alone.gate("forget")[:, 0], gate, rtol=0, atol=1e-6)
        torch.testing.assert_close(alone.cell[:, 0], cell, rtol=0, atol=1e-6)
        assert not trace.hidden[:, row, steps:].any()


def test_labels_are_the_tokens_that_were_read(model):
    trace = model.trace(["The <b>TIDE</b>, unheard-of!"])
    assert trace.labels == (("the", "tide", ",", "unheard", "-", "of", "!"),)


@pytest.mark.parametrize(
    ("keep", "read"), [("head", "a b c"), ("tail", "e a g"), ("both", "a b g")]
)
def test_of_a_text_that_was_cut_the_tokens_kept(keep, read):
    X, y = texts(20)
    model = small(max_length=3, keep=keep, epochs=1)
    with pytest.warns(DataWarning):
        model.fit(X, y, validation=None)
    with pytest.warns(DataWarning, match="were cut"):
        trace = model.trace(["a b c d e a g"])
    assert trace.labels == (tuple(read.split()),)
    assert trace.lengths.tolist() == [3]


def test_n_grams_are_no_steps_and_empty_texts_have_none():
    X, y = texts(40)
    model = small(ngrams=3, ngram_vectors=True, wide=1.0, epochs=1).fit(X, y, validation=None)
    with pytest.warns(DataWarning, match="have no token"):
        trace = model.trace(["the tide and a gate", ""])
    assert trace.labels == (("the", "tide", "and", "a", "gate"), ())


def test_a_saved_model_shows_the_same(model, tmp_path):
    model.save(tmp_path / "model")
    again = tidegate.load(tmp_path / "model").trace(["the tide"])
    assert torch.equal(again.hidden, model.trace(["the tide"]).hidden)


def test_it_leaves_the_network_as_it_was(model):
    model.network_.train()
    before = [weight.requires_grad for weight in model.network_.parameters()]
    first = model.trace(["the tide"])
    assert torch.equal(first.hidden, model.trace(["the tide"]).hidden)  # no dropout
    assert model.network_.training
    assert [weight.requires_grad for weight in model.network_.parameters()] == before
    model.network_.eval()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"X": []}, "`X` must be at least one row"),
        ({"X": "the tide"}, "Wrap a single item"),
        ({"X": [3]}, "made of texts"),
        ({"X": ["a"], "gates": "update"}, "An LSTM has no update gate; it has input, forget"),
        ({"X": ["a"], "layers": 2}, "`layers` must be from 0 to 1; got 2"),
        ({"X": ["a"], "units": 8}, "`units` must be from 0 to 7; got 8"),
    ],
)
def test_wrong_input(model, wanted, said):
    with pytest.raises(InputError) as caught:
        model.trace(**wanted)
    assert said in str(caught.value)


def test_a_task_must_be_fitted():
    with pytest.raises(NotFittedError):
        small().trace(["a"])

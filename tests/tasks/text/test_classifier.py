"""TextClassifier: its options do what they say, and bad input is refused in one line."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

import tidegate
from tests.tasks.texts import small, texts
from tidegate.errors import InputError
from tidegate.nn.blocks.pooling import POOLINGS
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.text.settings import TextClassifierSettings

X, Y = texts(100)
TEST_X, TEST_Y = texts(30, seed=9)


def learned(**settings) -> float:
    return small(epochs=8, **settings).fit(X, Y).score(TEST_X, TEST_Y)


# ------------------------------------------------------------------ options


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_cell_and_pooling_learns(cell, pooling):
    assert learned(cell=cell, pooling=pooling) > 0.8


@pytest.mark.parametrize(
    "settings",
    [
        {"num_layers": 2, "bidirectional": False},
        {"layer_options": {"peephole": True, "layer_norm": True, "recurrent_dropout": 0.1}},
        {"layer_options": {"merge": "sum"}, "pooling": "last"},
        {"layer_options": {"proj_size": 3}, "pooling": "last"},
        {"level": "char", "epochs": 30, "patience": None},
        {"level": "bpe", "max_vocabulary": 300},
        {"tokenizer": str.split},
        {"ngrams": 3, "ngram_vectors": True, "ngram_dropout": 0.2},
        {"ngrams": 2, "ngram_vectors": True, "wide": 1.5},
        {"ngrams": 3},
        {"weight_averaging": 0.9},
        {"schedule": "cosine", "gradient_clip": None, "weight_decay": 0.1},
        {"schedule": "constant", "learning_rate": 0.005, "label_smoothing": 0.0},
        {"stop_words": ("the", "and"), "min_frequency": 2, "lowercase": False, "clean": ()},
        {"backend": "reference", "hidden_size": 3},
    ],
    ids="-".join,
)
def test_options_learn_save_and_load(settings, tmp_path):
    model = small(**({"epochs": 8} | settings)).fit(X, Y)
    assert model.score(TEST_X, TEST_Y) > 0.8
    model.save(tmp_path / "model")
    found = tidegate.load(tmp_path / "model")
    assert found.settings_ == model.settings_
    assert np.array_equal(found.predict_proba(TEST_X), model.predict_proba(TEST_X))


def test_ngrams_see_the_order_of_words():
    pairs = ["not good", "good not"]
    inputs = [f"{pairs[row % 2]} {row % 7}" for row in range(60)]
    labels = [row % 2 for row in range(60)]
    options = {"pooling": "mean", "epochs": 10, "layer_options": None, "word_dropout": 0.0}
    model = small(ngrams=2, ngram_vectors=True, **options).fit(inputs, labels)
    assert model.score(inputs, labels) == 1.0
    assert model.network_.embedding.ngrams is not None
    without = small(ngrams=2, wide=1.0, **options).fit(inputs, labels)
    assert without.network_.embedding.ngrams is None


def test_deep_and_wide_part_learn_from_losses_of_their_own():
    model = small(ngrams=2, wide=2.0, epochs=1, dropout=0.0, word_dropout=0.0,
                  embedding_dropout=0.0, wide_dropout=0.0).fit(X, Y)  # fmt: skip
    net = model.network_.train()
    net.share.fill_(1.0)  # the line is not learned, but solved for
    encoded = model.encoder_.encode(TEST_X)
    targets = torch.tensor([model.classes_.tolist().index(label) for label in TEST_Y])
    batch = replace(encoded.batch(np.arange(30)), targets=targets)
    loss, outputs = net.learn(batch)
    wide = net.wide(batch.values)
    torch.testing.assert_close(outputs, net(batch))
    deep = outputs - 2 * wide
    plain = torch.nn.functional.cross_entropy(wide, targets)
    torch.testing.assert_close(loss, net.head.loss(deep, batch) + plain)
    rates = {group["lr"] for group in net.groups(0.5, 0.0)}
    assert rates == {0.5, model.settings_.wide_learning_rate}
    count = sum(len(group["params"]) for group in net.groups(0.5, 0.0))
    assert count == len(list(net.parameters()))


def test_the_wide_part_counts_only_training_rows():
    model = small(epochs=1, wide=1.0, ngrams=1).fit(X, Y, validation=(TEST_X, TEST_Y))
    encoded = model.encoder_.encode(X)
    calm = np.array(Y) == "calm"
    words = [set(encoded.take([row]).ids.tolist()) - {1} for row in range(len(X))]
    size = model.encoder_.size
    inside = [1 + sum(word in words[row] for row in np.flatnonzero(calm)) for word in range(size)]
    outside = [1 + sum(word in words[row] for row in np.flatnonzero(~calm)) for word in range(size)]
    word = model.encoder_.vocabulary.index("slow")
    expected = math.log(inside[word] / sum(inside)) - math.log(outside[word] / sum(outside))
    assert model.network_.wide.ratios[word, 0].item() == pytest.approx(expected, rel=1e-5)


# ------------------------------------------------------------------ pretrained vectors


@pytest.fixture
def vectors(tmp_path):
    path = tmp_path / "vectors.txt"
    words = ["slow", "low", "wild", "loud", "the", "neverthere"]
    rng = np.random.default_rng(0)
    lines = [f"{word} " + " ".join(f"{x:.4f}" for x in rng.normal(size=6)) for word in words]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("freeze", [False, True])
def test_pretrained_vectors_are_used_frozen_or_tuned(vectors, tmp_path, freeze):
    model = small(vectors=str(vectors), freeze_vectors=freeze, epochs=2).fit(X, Y)
    assert (model.vectors_found_, model.embedding_size_) == (5, 6)
    table = model.network_.embedding.words.weight
    row = model.encoder_.vocabulary.index("slow")
    first = [float(x) for x in vectors.read_text().splitlines()[0].split()[1:]]
    assert (table[row].tolist() == pytest.approx(first, abs=1e-6)) == freeze
    model.save(tmp_path / "model")
    vectors.unlink()  # a saved model needs the file no more
    found = tidegate.load(tmp_path / "model")
    assert np.array_equal(found.predict_proba(TEST_X), model.predict_proba(TEST_X))
    assert found.vectors_found_ == 5
    found.set_params(warm_start=True, epochs=1).fit(X, Y)


def test_vectors_that_are_missing_are_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.txt"):
        small(vectors=str(tmp_path / "nowhere.txt")).fit(X, Y)


def test_freezing_needs_vectors():
    with pytest.raises(InputError, match=r"`freeze_vectors` must be False without vectors"):
        small(freeze_vectors=True).fit(X, Y)


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (None, "NoneType"),
        (float("nan"), "float"),
        (3, "int"),
        (b"bytes", "bytes"),
        (["a", "b"], "list"),
    ],
)
def test_what_is_no_text_is_named_with_its_row(value, named):
    with pytest.raises(InputError, match=rf"`X` must be made of texts; got {named} .* in row 3"):
        small().fit([*X[:2], value, *X[3:]], Y)
    model = small(epochs=1).fit(X, Y)
    with pytest.raises(InputError, match=rf"got {named} .* in row 3"):
        model.predict(["a", "b", value])


@pytest.mark.parametrize("single", ["one text", b"one", {"text": "a"}, 5, None, iter(["a"])])
def test_a_single_text_instead_of_a_list_is_refused(single):
    model = small(epochs=1).fit(X, Y)
    with pytest.raises(InputError, match=r"`X` must be a list with one item a row"):
        model.predict(single)


def test_a_table_instead_of_a_column_is_refused():
    with pytest.raises(InputError, match=r"`X` must be one column; got shape \(100, 1\)"):
        small().fit(np.array(X)[:, None], Y)


def test_empty_texts_are_counted_said_and_answered():
    inputs, labels = [*X, "", "  "], [*Y, "calm", "storm"]
    with pytest.warns(DataWarning, match=r"of \d+ texts have no token"):
        model = small(epochs=1).fit(inputs, labels)
    with pytest.warns(DataWarning, match="1 of 2 texts have no token"):
        probabilities = model.predict_proba(["", X[0]])
    assert np.isfinite(probabilities).all()
    with pytest.warns(DataWarning, match="1 of 1 texts"):
        np.testing.assert_allclose(model.predict_proba([""])[0], probabilities[0], rtol=1e-5)


def test_a_text_of_a_million_words_is_cut_counted_and_said():
    model = small(epochs=1, max_length=50).fit(X, Y)
    with pytest.warns(DataWarning, match=r"1 of 1 texts have more than max_length=50 tokens"):
        assert model.predict(["slow tide " * 500_000]).shape == (1,)


def test_labels_without_texts_are_refused():
    with pytest.raises(InputError, match="labels of at least two classes; got no rows"):
        small().fit([], [])


def test_no_warning_without_a_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small(epochs=1).fit(X, Y).predict(TEST_X)


@pytest.mark.parametrize(
    ("options", "rate"),
    [
        ({}, 0.5),
        ({"pretrained": "lm/"}, 0.1),
        ({"pretrained": "lm/", "embedding_dropout": 0.3}, 0.3),
    ],
)
def test_pretrained_layers_lose_fewer_features_of_vectors(options, rate):
    assert TextClassifierSettings(**options).vector_dropout == rate


def test_half_a_surrogate_pair_is_named_with_its_row():
    told = r"TextClassifier: `X` must be valid Unicode; got .* at character 2 in row 2\."
    with pytest.raises(InputError, match=told):
        small().fit(["fine", "a\ud800"], ["good", "bad"])


def test_names_of_files_are_not_classified_without_a_word():
    model = small(epochs=1).fit(X, Y)
    with pytest.warns(DataWarning) as told:
        model.predict(["a.csv", "./b"])
    assert str(told[0].message).startswith("2 of 2 texts look like names of files")
    with pytest.warns(DataWarning, match="100 of 100 texts look like names of files"):
        small(epochs=1).fit([f"texts/{row}.txt" for row in range(100)], Y)


@pytest.mark.parametrize("level", ["word", "char"])
def test_texts_of_which_nothing_is_known_are_counted(level):
    model = small(epochs=1, level=level).fit(X, Y)
    told = "2 of 5 texts have no known token; the model answers them blindly"
    with pytest.warns(DataWarning, match=told):
        model.predict(["\u4e00 \u4e01 \u4e02".replace(" ", ""), *X[:3], "\u4e00"])


@pytest.mark.parametrize("words", [("很好", "真坏"), ("ดีมาก", "แย่มาก"), ("すごい", "だめだ")])
def test_fit_says_where_letters_are_words(words):
    inputs, labels = [words[row % 2] * 3 for row in range(20)], [row % 2 for row in range(20)]
    told = r"each letter of a script without spaces between words \(., "
    with pytest.warns(DataWarning, match=told):
        small(epochs=1).fit(inputs, labels, validation=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for settings in ({"level": "char"}, {"tokenizer": str.split}):
            small(epochs=1, **settings).fit(inputs, labels, validation=None)

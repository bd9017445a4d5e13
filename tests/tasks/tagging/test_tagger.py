"""Tagger: it learns, answers with spans, keeps to its scheme, and bad input is told in a line."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import tidegate
from tests.tasks.sentences import small, tagged
from tidegate.data.tags.schemes import convert, fault, read_spans
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning

X, Y = tagged(120)
TEST_X, TEST_Y = tagged(40, seed=9)


@pytest.fixture(scope="module")
def model():
    return small(epochs=10, learning_rate=0.03).fit(X, Y)


# ------------------------------------------------------------------ learning


def test_it_learns_names_and_places(model):
    assert model.score(TEST_X, TEST_Y) > 0.95
    found = model.evaluate(TEST_X, TEST_Y, report=True)
    assert set(found) == {"loss", "accuracy", "precision", "recall", "f1", "per_class"}
    assert set(found["per_class"]) == {"LOC", "PER"}
    true = sum(tag == "B-PER" for tags in TEST_Y for tag in tags)
    assert found["per_class"]["PER"]["support"] == true


@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "gru", "bidirectional": False},
        {"crf": False},
        {"learned_scheme": "bio"},
        {"character_units": 0, "affixes": False},
        {"character_units": 0, "rare_word_dropout": 0.0, "word_dropout": 0.0},
        {"affixes": False, "layer_options": {"merge": "sum"}, "num_layers": 2},
        {"lowercase": False, "zero_digits": False, "min_frequency": 2},
        {"weight_averaging": 0.9, "character_dropout": 0.1, "backend": "reference"},
    ],
    ids="-".join,
)
def test_options_learn_save_and_load(settings, tmp_path):
    model = small(**settings).fit(X, Y)
    assert model.score(TEST_X, TEST_Y) > 0.85
    model.save(tmp_path / "model")
    found = tidegate.load(tmp_path / "model")
    assert found.settings_ == model.settings_
    assert found.predict(TEST_X) == model.predict(TEST_X)


@pytest.mark.parametrize("scheme", ["iob1", "bio", "iobes"])
def test_tags_are_answered_in_the_scheme_they_came_in(scheme):
    words = [*X, ["Ann", "Bob", "wait", "."]]
    written = [convert(tags, scheme) for tags in [*Y, ["B-PER", "B-PER", "O", "O"]]]
    model = small().fit(words, written, validation=None)
    assert model.encoder_.scheme == scheme
    assert model.score(words, written) > 0.9
    for sentence in model.predict(words):
        assert fault(sentence.tags, scheme) is None


def test_parts_of_speech_are_tags_of_their_own():
    kinds = {"B-PER": "PROPN", "I-PER": "PROPN", "B-LOC": "PROPN"}
    y = [
        [kinds.get(tag, "PUNCT" if word == "." else "VERB") for word, tag in zip(*row, strict=True)]
        for row in zip(X, Y, strict=True)
    ]
    model = small().fit(X, y)
    assert set(model.metrics_["validation"]) == {"loss", "accuracy"}
    assert model.score(X, y) == model.evaluate(X, y)["accuracy"] > 0.9
    (sentence,) = model.predict(["Ann rows."])
    assert [span.label for span in sentence.spans] == list(sentence.tags)
    assert [span.text for span in sentence.spans] == ["Ann", "rows", "."]


def test_pretrained_vectors_start_the_words(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text("ann 1 2 3\nhull 4 5 6\nother 7 8 9\n")
    model = small(vectors=str(path), freeze_vectors=True, epochs=1).fit(X, Y)
    assert (model.vectors_found_, model.embedding_size_) == (2, 3)
    row = model.encoder_.vocabulary.index("ann")
    assert model.network_.embedding.words.weight[row].tolist() == [1, 2, 3]
    model.save(tmp_path / "model")
    assert tidegate.load(tmp_path / "model").predict(X[:3]) == model.predict(X[:3])


def test_rare_words_are_forgotten_more_often():
    model = small(rare_word_dropout=1.0, epochs=1).fit(X, Y, validation=None)
    words = [word.lower() for sentence in X for word in sentence]
    for word in ("ann", "in", "."):
        place = model.encoder_.vocabulary.index(word)
        gone = model.network_.gone[place].item()
        assert gone == pytest.approx(1 / (1 + words.count(word)))
    ids = torch.full((400, 10, 10), model.encoder_.vocabulary.index("ann"))
    drawn = model.network_.train()._forget(ids)
    assert torch.equal(drawn[..., 1:], ids[..., 1:])
    share = (drawn[..., 0] == 1).float().mean().item()
    assert share == pytest.approx(1 / (1 + words.count("ann")), abs=0.02)


# ------------------------------------------------------------------ answers


def test_spans_are_where_they_are_said_to_be(model):
    text = "Ann  Stone waits\nin Hull."
    (sentence,) = model.predict([text])
    assert sentence.text == text
    assert [(span.label, span.text) for span in sentence.spans] == [
        ("PER", "Ann  Stone"),
        ("LOC", "Hull"),
    ]
    for span in sentence.spans:
        assert text[span.start : span.end] == span.text
        assert 0.3 < span.confidence <= 1
    assert len(sentence) == len(sentence.words) == len(sentence.tags) == len(sentence.confidences)


def test_words_and_texts_are_answered_alike(model):
    one, two = model.predict([["Ann", "rows", "in", "Hull"], "Ann rows in Hull"])
    assert one.text == two.text
    assert one.tags == two.tags
    for span, other in zip(one.spans, two.spans, strict=True):
        # A row of a batch is summed in another order than the next, on some processors.
        assert span == replace(other, confidence=pytest.approx(other.confidence, rel=1e-6))


def test_a_sentence_does_not_see_the_others(model):
    together = model.predict(TEST_X)
    for sentence, words in zip(together, TEST_X, strict=True):
        (alone,) = model.predict([words])
        assert alone.tags == sentence.tags
        assert alone.confidences == pytest.approx(sentence.confidences, abs=1e-5)


def test_confidence_is_how_often_it_is_right():
    """Of answers that a model is 80 % sure of, 80 % are right: here where chance is known."""
    rng = np.random.default_rng(0)
    words = [["coin"] for _ in range(600)]
    tags = [["B-HEAD"] if side < 0.7 else ["O"] for side in rng.random(600)]
    options = {"dropout": 0.0, "word_dropout": 0.0, "rare_word_dropout": 0.0}
    model = small(epochs=10, batch_size=64, **options).fit(words, tags, validation=None)
    (sentence,) = model.predict([["coin"]])
    share = sum(tag == ["B-HEAD"] for tag in tags) / 600
    assert sentence.spans[0].confidence == pytest.approx(share, abs=0.03)


def test_answers_are_plain_values(model):
    told = model.answer(["Ann rows."])
    assert told["prediction"] == [["B-PER", "O", "O"]]
    assert told["tokens"] == [["Ann", "rows", "."]]
    (span,) = told["spans"][0]
    assert {**span, "confidence": 1} == {
        "start": 0, "end": 3, "label": "PER", "text": "Ann", "confidence": 1,
    }  # fmt: skip
    assert pickle.loads(pickle.dumps(model)).answer(["Ann rows."]) == told


def test_a_softmax_head_answers_valid_rows_too():
    model = small(crf=False, epochs=1).fit(X, Y)
    for sentence in model.predict(TEST_X):
        assert fault(sentence.tags, "bio") is None
        assert len(read_spans(sentence.tags)) == len(sentence.spans)


def test_the_inside_is_labelled_with_words(model):
    trace = model.trace(TEST_X[:2])
    assert trace.labels == tuple(map(tuple, TEST_X[:2]))
    found = model.units(TEST_X, lambda words: [word == "in" for word in words])
    assert len(found.to_frame())


@pytest.mark.parametrize("method", ["attribute", "explain", "what_if"])
def test_what_asks_for_one_answer_a_row_is_refused_in_a_line(model, method):
    told = f"{method}: `model` must be of a task with one answer for each input; got a tagger"
    with pytest.raises(InputError, match=told):
        getattr(model, method)(X[0])
    assert "dead units" in str(model.doctor())


def test_tables_a_sentence_or_a_word_a_row(model):
    pairs = enumerate(zip(X, Y, strict=True))
    rows = [(n, *pair) for n, row in pairs for pair in zip(*row, strict=True)]
    frame = pd.DataFrame(rows, columns=["s", "w", "t"])
    columns = {"sentence": "s", "token": "w", "tag": "t"}
    options = {"drop_missing": False, "source": "frame"}
    gathered, _ = small().check_table(frame, columns, **options)
    assert small().inputs(gathered, columns) == (X, Y)
    bare, _ = model.check_table(frame.drop(columns="t"), columns | {"tag": "tag"}, **options)
    assert model.inputs(bare, columns) == (X, None)


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("y", "told"),
    [
        (None, "`y` must be given: a list of tags for each sentence"),
        ([["O"]] * 120, r"`y` must be a tag for each word; got 1 for \d words in row 1"),
        (Y[:-1], "`y` must be of the length of X, 120; got length 119"),
        (["O"] * 120, "`y` must be a list of tags in each row; got 'O' in row 1"),
        ([[None] * len(words) for words in X], "made of texts; got None at word 1 of row 1"),
        ([["\ud800"] * len(words) for words in X], r"Unicode; got .* U\+D800 in row 1"),
        ([["O"] * len(words) for words in X], "at least two different tags; got only 'O'"),
        ([["I-PER", *["O"] * (len(words) - 2), "B-PER"] for words in X], "in IOB1 a B- only"),
    ],
)
def test_wrong_tags_are_told_in_one_line(y, told):
    with pytest.raises(InputError, match=rf"Tagger: {told}|Tagger: `y` must be .*{told}") as caught:
        small().fit(X, y)
    assert "\n" not in str(caught.value)


def test_a_scheme_that_was_said_is_held_to():
    wrong = [["I-PER" if tag == "B-PER" else tag for tag in tags] for tags in Y]
    with pytest.raises(
        InputError, match=r"in BIO a span starts .*'I-PER' after the start at word 1"
    ):
        small(scheme="bio").fit(X, wrong)
    model = small(scheme="none", epochs=1).fit(X, wrong)
    assert "I-PER" in model.encoder_.tags


@pytest.mark.parametrize("wrong", ["I-PER", "B-ORG", "NOUN"])
def test_a_wrong_tag_is_named_by_its_sentence_whatever_is_held_out(wrong):
    """In the part to learn from and in the one that is held out, where alone a label is unknown."""
    model = small(scheme="bio", epochs=1)
    held = model._hold_out(X, 0.3, model.random_state)
    for row in (*np.flatnonzero(held)[[1, 20]], *np.flatnonzero(~held)[[1, 50]]):
        if wrong == "B-ORG" and not held[row]:
            continue
        word = len(Y[row])
        y = [*Y[:row], [*["O"] * (word - 1), wrong], *Y[row + 1 :]]
        place = f"{wrong!r} (after 'O' )?at word {word} of sentence {row + 1}\\."
        with pytest.raises(InputError, match=place):
            model.fit(X, y, validation=0.3)


def test_wrong_training_tags_are_not_blamed_on_other_rows():
    wrong = [["I-PER", *tags[1:]] for tags in Y]
    assert small(scheme="bio").unseen(wrong, TEST_Y) == []
    with pytest.raises(InputError, match="sentence 1"):
        small(scheme="bio").fit(X, wrong, validation=(TEST_X, TEST_Y))


def test_tags_are_needed_to_measure(model):
    with pytest.raises(InputError, match=r"`y` must be given: a tag for each word; got no tags"):
        model.evaluate(TEST_X)


def test_the_doctor_says_truly_what_it_does_not_check(model):
    skipped = model.doctor().skipped
    assert skipped["constant predictions"] == "needs data of at least 20 rows"
    assert skipped["unknown words"] == skipped["exploding state"] == "needs data"
    assert skipped["truncation"] == "reads to the end, however long"
    assert "unknown words not practised" in model.doctor().passed
    plain = {"word_dropout": 0.0, "rare_word_dropout": 0.0}
    found = small(epochs=1, **plain).fit(X, Y).doctor().findings
    assert "unknown words not practised" in [finding.name for finding in found]


def test_tags_that_were_never_seen_are_named_before_training():
    other = [["B-ORG", *tags[1:]] for tags in TEST_Y if tags[1] == "O"]
    words = [row for row, tags in zip(TEST_X, TEST_Y, strict=True) if tags[1] == "O"]
    told = "tags seen in training, LOC, PER; got 'B-ORG' at word 1 of sentence 1"
    with pytest.raises(InputError, match=told):
        small().fit(X, Y, validation=(words, other))
    with pytest.raises(InputError, match=told):
        small().unseen(Y, other)
    assert small().unseen(Y, TEST_Y) == []


@pytest.mark.parametrize("wrong", [5, None, b"Ann", ["Ann", 3], [""]])
def test_what_is_no_sentence_is_named_with_its_row(model, wrong):
    with pytest.raises(InputError, match=r"Tagger: `X` must be made of .* row 2"):
        model.predict([["Ann"], wrong])


def test_empty_sentences_are_counted_and_answered(model):
    with pytest.warns(DataWarning, match="2 of 3 sentences have no word"):
        found = model.predict(["", "Ann rows", []])
    assert [len(sentence) for sentence in found] == [0, 2, 0]
    assert found[0].spans == ()
    assert model.predict([]) == []
    with pytest.warns(DataWarning, match="1 of 1 sentence has no word"):
        assert model.predict([[]])[0].tags == ()
    with pytest.warns(DataWarning, match="1 of 121 sentences has no word"):
        small(epochs=1).fit([*X, []], [*Y, []], validation=None)
    with pytest.raises(InputError, match="`X` must be sentences with a word; got none"):
        small().fit([[], []], [[], []], validation=None)


def test_a_sentence_of_ten_thousand_words_is_answered_and_learned(model):
    words = (X[1] * 5000)[:10_000]
    tags = (Y[1] * 5000)[:10_000]
    (sentence,) = model.predict([words])
    assert len(sentence) == 10_000
    assert np.mean([a == b for a, b in zip(sentence.tags, tags, strict=True)]) > 0.9
    long = small(epochs=1, learning_rate=1e-4).fit(
        [*X, words], [*Y, [*tags[:-1], "O"]], validation=None
    )
    sizes = [
        batch.values.shape[:2].numel()
        for loader in [long._loader(long._examples([*X, words], None, None), training=False)]
        for batch in map(loader.batch, loader.in_order())
    ]
    assert max(sizes) == 10_000  # it stands in a batch of its own


def test_names_of_files_are_not_tagged_without_a_word(model):
    with pytest.warns(DataWarning, match="1 of 1 texts look like names of files"):
        model.predict(["sentences.conll"])
    assert model.predict([["sentences.conll"]])[0].words == ("sentences.conll",)


def test_texts_cut_finer_than_what_was_learned_are_told():
    sentences = [["小王", "在", "北京"], ["他", "在", "上海"]] * 10
    tags = [["PER", "O", "LOC"], ["PER", "O", "LOC"]] * 10
    model = small(epochs=1).fit(sentences, tags, validation=None)
    told = "1 of 2 texts have no spaces between words: each letter .* such as '..'. Give lists"
    with pytest.warns(DataWarning, match=told):
        model.predict(["小王在北京", "Ann"])
    assert model.predict([["小王", "在", "北京"]])[0].words == ("小王", "在", "北京")

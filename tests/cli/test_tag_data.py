"""What taggers learn from and write besides columns: numbers, offsets, CoNLL-U, wrong tags."""

from __future__ import annotations

import json

import pytest

import tidegate
from tests.cli.conftest import one_line
from tests.data.tags.test_conllu import FILE, WORDS
from tests.tasks.sentences import small, tagged
from tidegate.data import read_sentences

TINY = ("--hidden-size", "8", "--embedding-size", "8", "--character-units", "4", "--epochs", "4",
        "--batch-size", "8", "--learning-rate", "0.06", "--dropout", "0.1",
        "--weight-averaging", "0", "--quiet")  # fmt: skip
NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def with_offsets(words, tags, form):
    """A text with its spans, by a reader of BIO of its own."""
    starts = [sum(len(word) + 1 for word in words[:place]) for place in range(len(words))]
    spans = []
    for start, word, tag in zip(starts, words, tags, strict=True):
        if tag.startswith("B-"):
            spans.append([start, start + len(word), tag[2:]])
        elif tag.startswith("I-"):
            spans[-1][1] = start + len(word)
    if form == "spans":
        spans = [{"start": a, "end": b, "label": label} for a, b, label in spans]
    return {"text": " ".join(words), form: spans}


@pytest.fixture(scope="module")
def spans_model(tmp_path_factory):
    """A tagger on disk; tests only read it."""
    out = tmp_path_factory.mktemp("tagger") / "model"
    model = small().fit(*tagged(60))
    model.columns_ = {"token": "token", "tag": "tag"}
    model.save(out)
    return out


def test_numbers_with_names_are_learned_and_measured_without_saying_them_again(run, tmp_path):
    X, y = tagged(40)
    rows = [
        {"tokens": words, "ner_tags": [NAMES.index(tag) for tag in tags]}
        for words, tags in zip(X, y, strict=True)
    ]
    data, out = lines(tmp_path / "train.jsonl", rows), tmp_path / "model"
    line = one_line(run("fit", "tagger", data, *TINY, "--out", out))
    assert "got 0 at word" in line or "got 1 at word" in line
    assert "--tag-names O,B-PER,I-PER" in line
    done = run("fit", "tagger", data, *TINY, "--tag-names", ",".join(NAMES), "--out", out)
    assert done.exit_code == 0, done.output
    found = json.loads(run("evaluate", out, data, "--json").stdout)
    model = tidegate.load(out)
    assert found["f1"] == model.score(X, y) == model.score(X, [row["ner_tags"] for row in rows])
    assert set(model.predict(X[:1])[0].tags) <= set(NAMES)
    rows[1]["ner_tags"][1] = 9
    line = one_line(run("evaluate", out, lines(tmp_path / "bad.jsonl", rows)))
    assert "numbers from 0 to 4" in line
    assert "got 9 at word 2 of row 2" in line
    other = small(tag_names=NAMES).fit(X, [row["ner_tags"] for row in rows[:1]] + y[1:])
    assert other.encoder_.scheme == "bio"


@pytest.mark.parametrize("form", ["spans", "entities", "label"])
def test_offsets_are_the_tags_of_the_words(run, spans_model, tmp_path, form):
    X, y = tagged(20, seed=3)
    rows = [with_offsets(words, tags, form) for words, tags in zip(X, y, strict=True)]
    data = lines(tmp_path / "data.jsonl", rows)
    assert read_sentences(data) == (X, y)
    found = json.loads(run("evaluate", spans_model, data, "--json").stdout)
    model = tidegate.load(spans_model)
    assert found["f1"] == model.score(X, y)
    told = run("predict", spans_model, data, "--format", "jsonl").stdout.splitlines()
    answers = [json.loads(line) for line in told]
    assert [answer["tokens"] for answer in answers] == X
    for row, answer in zip(rows, answers, strict=True):
        assert answer["text"] == row["text"]
        for span in answer["spans"]:
            assert row["text"][span["start"] : span["end"]] == span["text"]


def test_offsets_are_measured_in_the_notation_of_the_model_and_its_answers_read_again(
    run, tmp_path
):
    X, y = tagged(20)
    bilou = {"B-PER": "U_PER", "O": "o", "B-LOC": "U_LOC"}
    whole = [row for row in zip(X, y, strict=True) if "I-PER" not in row[1]]
    words, tags = [row[0] for row in whole], [[bilou[tag] for tag in row[1]] for row in whole]
    out, answers = tmp_path / "model", tmp_path / "answers.jsonl"
    model = small(epochs=1).fit(words, tags)
    model.save(out)
    rows = [with_offsets(*row, "spans") for row in whole]
    found = run("evaluate", out, lines(tmp_path / "data.jsonl", rows), "--json")
    assert json.loads(found.stdout)["f1"] == model.score(words, tags)
    assert run("predict", out, tmp_path / "data.jsonl", "--out", answers).exit_code == 0
    assert json.loads(run("evaluate", out, answers, "--json").stdout)["f1"] == 1


def test_a_wrong_transition_is_refused_with_the_remedy_and_repaired_if_asked(
    run, spans_model, tmp_path
):
    bad = tmp_path / "bad.conll"
    bad.write_text("Ann B-PER\nrows O\nin O\nHull I-LOC\n\nBob I-PER\nReed I-PER\nwaits O\n")
    line = one_line(run("evaluate", spans_model, bad))
    assert "'I-LOC' after 'O' at word 4 of sentence 1 (line 4)" in line
    assert "repair=True (--repair)" in line
    done = run("evaluate", spans_model, bad, "--repair", "--json")
    assert done.exit_code == 0, done.output
    told = done.stderr
    assert "2 tags that cannot stand where they do were read as conlleval does" in told
    assert "the first, 'I-LOC', is at word 4 of sentence 1 (line 4)." in told
    good = tmp_path / "good.conll"
    good.write_text("Ann B-PER\nrows O\nin O\nHull B-LOC\n\nBob B-PER\nReed I-PER\nwaits O\n")
    assert done.stdout == run("evaluate", spans_model, good, "--json").stdout
    assert "--repair" in run("evaluate", spans_model, "--help").stdout


def test_conllu_keeps_all_but_the_tags_and_is_read_again(run, tmp_path):
    source, again = tmp_path / "in.conllu", tmp_path / "out.conllu"
    source.write_text(FILE)
    X, y = read_sentences(source)
    model = small(epochs=1).fit(X * 4, y * 4)
    for learned, place in (("tag", 3), ("xpos", 4)):
        model.columns_ = {"token": "token", "tag": learned}
        model.save(tmp_path / "model")
        done = run("predict", tmp_path / "model", source, "--out", again)
        assert done.exit_code == 0, done.output
        assert run("predict", tmp_path / "model", source, "--format", "conllu").stdout == (
            again.read_text()
        )
        told = model.predict(X)
        assert read_sentences(again, tag={3: "upos", 4: "xpos"}[place]) == (
            X, [list(sentence.tags) for sentence in told],
        )  # fmt: skip
        pairs = zip(FILE.split("\n"), again.read_text().split("\n"), strict=True)
        for number, (was, now) in enumerate(pairs, 1):
            before, after = was.split("\t"), now.split("\t")
            if number in WORDS:
                before[place] = after[place]
            assert before == after


def test_words_without_that_format_get_ten_columns(run, spans_model, tmp_path):
    plain, out = tmp_path / "a.txt", tmp_path / "out.conllu"
    plain.write_text("Ann Reed rows in Hull.\nEve reads 1 000 pages.\n")
    assert run("predict", spans_model, plain, "--out", out).exit_code == 0
    texts = plain.read_text().splitlines()
    told = tidegate.load(spans_model).predict(texts)
    assert read_sentences(out) == ([[*s.words] for s in told], [[*s.tags] for s in told])
    assert {len(row.split("\t")) for row in out.read_text().splitlines() if row} == {10}

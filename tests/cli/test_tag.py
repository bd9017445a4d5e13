"""`tidegate fit tagger` and what `predict` prints of it: columns, lines, tables, colours."""

from __future__ import annotations

import gzip
import json

import pandas as pd
import pytest

import tidegate
from tests.cli.conftest import one_line
from tests.tasks.sentences import tagged
from tidegate.data import read_sentences

TINY = ("--hidden-size", "8", "--embedding-size", "8", "--character-units", "4", "--epochs", "8",
        "--batch-size", "8", "--learning-rate", "0.03", "--dropout", "0.1",
        "--weight-averaging", "0", "--quiet")  # fmt: skip


def conll(path, count=60, seed=0):
    lines = []
    for words, tags in zip(*tagged(count, seed), strict=True):
        lines += [f"{word} X {tag}" for word, tag in zip(words, tags, strict=True)] + [""]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def data(tmp_path):
    return conll(tmp_path / "train.conll")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A tagger on disk; tests only read it."""
    folder = tmp_path_factory.mktemp("tagger")
    X, y = tagged(100)
    model = tidegate.Tagger(
        hidden_size=8, embedding_size=8, character_units=4, epochs=10, batch_size=8,
        learning_rate=0.03, dropout=0.1, weight_averaging=0.0, verbose=False,
    ).fit(X, y)  # fmt: skip
    model.columns_ = {"token": "token", "tag": "tag"}
    model.save(folder / "model")
    return folder / "model"


def test_a_conll_file_is_learned_measured_and_told(run, data, tmp_path):
    test, out = conll(tmp_path / "test.conll", 30, 5), tmp_path / "model"
    done = run("fit", "tagger", data, *TINY, "--validation", test, "--test", test, "--out", out)
    assert done.exit_code == 0, done.output
    told = json.loads((out / "metrics.json").read_text())
    assert set(told["test"]) == {"loss", "accuracy", "precision", "recall", "f1"}
    found = json.loads(run("evaluate", out, test, "--json").stdout)
    assert found["f1"] == pytest.approx(told["test"]["f1"])
    assert found["f1"] == tidegate.load(out).score(*read_sentences(test))
    shown = run("evaluate", out, test).stdout
    assert "PER" in shown
    assert "recall" in shown
    assert "LOC" in run("info", out).stdout


def test_columns_are_named_or_numbered(run, data, tmp_path):
    out = tmp_path / "model"
    words = ("fit", "tagger", data, *TINY, "--token", "0", "--tag", "1", "--out", out)
    assert "at least two different tags; got only 'X'" in one_line(run(*words))
    frame = pd.read_csv(data, sep=" ", names=["w", "x", "t"], skip_blank_lines=False)
    frame.insert(0, "s", frame["w"].isna().cumsum())
    frame.dropna().to_csv(tmp_path / "words.csv", index=False)
    roles = ("--sentence", "s", "--token", "w", "--tag", "t")
    done = run("fit", "tagger", tmp_path / "words.csv", *TINY, *roles, "--out", out)
    assert done.exit_code == 0, done.output
    done = run("predict", out, tmp_path / "words.csv", "--out", tmp_path / "answers.csv")
    assert done.exit_code == 0, done.output
    answers = pd.read_csv(tmp_path / "answers.csv")
    assert list(answers.columns) == ["s", "w", "x", "t", "prediction", "confidence"]
    assert answers["w"].tolist() == frame.dropna()["w"].tolist()
    assert (answers["prediction"] == answers["t"]).mean() > 0.9


def test_words_whose_tags_are_missing_are_answered(run, fitted, tmp_path):
    path = tmp_path / "words.csv"
    rows = ["sentence,token,tag", "1,Ann,B-PER", "1,rows,", "2,Hull,"]
    path.write_text("\n".join(rows) + "\n")
    done = run("predict", fitted, path, "--format", "csv")
    assert done.exit_code == 0, done.output
    assert [line.split(",")[1:4] for line in done.stdout.splitlines()[1:]] == [
        ["Ann", "B-PER", "B-PER"],
        ["rows", "", "O"],
        ["Hull", "", "B-LOC"],
    ]
    told = one_line(run("evaluate", fitted, path))
    assert f"{path}: `rows` must be complete: each with its word, its sentence and its tag" in told
    assert "got 2 without a tag, the first in row 2" in told


def test_universal_dependencies(run, tmp_path):
    rows = "1\tAnn\tann\tPROPN\tNNP{0}\n2\trows\trow\tVERB\tVBZ{0}\n\n".format("\t_" * 5)
    path = tmp_path / "a.conllu"
    path.write_text("# sent_id = 1\n" + rows * 12)
    for column, tags in (("upos", {"PROPN", "VERB"}), ("xpos", {"NNP", "VBZ"})):
        words = ("--tag", column) if column == "xpos" else ()
        out = tmp_path / column
        done = run("fit", "tagger", path, *TINY, *words, "--out", out)
        assert done.exit_code == 0, done.output
        assert set(tidegate.load(out).encoder_.tags) == tags
    shown = run("predict", out, path).stdout.splitlines()
    assert shown[0].split("\t")[:3] == ["1", "Ann", "ann"]
    assert len(shown[0].split("\t")) == 11


def test_a_conll_file_keeps_its_columns(run, fitted, data):
    shown = run("predict", fitted, data)
    assert shown.exit_code == 0, shown.output
    lines = data.read_text().split("\n")
    answered = shown.stdout.split("\n")
    assert [line.rpartition(" ")[0] for line in answered[: len(lines)]] == lines
    right = [line.split()[2] == line.split()[3] for line in answered if line]
    assert sum(right) / len(right) > 0.9


def test_texts_are_answered_in_every_format(run, fitted, tmp_path):
    text = "Ann Reed rows in Hull."
    assert run("predict", fitted, text).stdout == "Ann Reed[PER] rows in Hull[LOC].\n"
    told = json.loads(run("predict", fitted, text, "--format", "jsonl").stdout)
    spans = [(span["label"], text[span["start"] : span["end"]]) for span in told["spans"]]
    assert spans == [("PER", "Ann Reed"), ("LOC", "Hull")]
    assert told["tokens"][-1] == "."
    table = run("predict", fitted, text, "--format", "csv").stdout.splitlines()
    assert table[0] == "sentence,token,prediction,confidence"
    assert table[1].startswith("1,Ann,B-PER,0.")
    piped = run("predict", fitted, "-", stdin=f"{text}\nEve reads.\n").stdout
    assert piped.splitlines()[:3] == ["Ann B-PER", "Reed I-PER", "rows O"]
    assert piped.endswith("reads O\n. O\n\n")
    (tmp_path / "a.txt").write_text(f"{text}\n\nEve reads.\n")
    assert run("predict", fitted, tmp_path / "a.txt").stdout == piped


@pytest.mark.parametrize("suffix", ["conll", "jsonl", "csv", "tsv.gz", "parquet"])
def test_answers_go_to_files(run, fitted, data, tmp_path, suffix):
    out = tmp_path / f"answers.{suffix}"
    done = run("predict", fitted, data, "--out", out)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    expected = [list(told.tags) for told in tidegate.load(fitted).predict(read_sentences(data)[0])]
    if suffix == "jsonl":
        found = [json.loads(line)["tags"] for line in out.read_text().splitlines()]
    elif suffix == "conll":
        found = read_sentences(out)[1]
    else:
        reader = pd.read_parquet if suffix == "parquet" else pd.read_csv
        frame = reader(out, **({"sep": "\t"} if "tsv" in suffix else {}))
        found = frame.groupby("sentence")["prediction"].agg(list).tolist()
    assert found == expected


def test_a_txt_has_the_spans_in_the_texts(run, fitted, tmp_path):
    texts = ("Ann Reed rows in Hull.", "Eve reads.")
    (tmp_path / "texts.txt").write_text("\n".join(texts) + "\n")
    shown = run("predict", fitted, *texts).stdout
    assert shown.startswith("Ann Reed[PER] rows in Hull[LOC].\n")
    for suffix in ("txt", "txt.gz"):
        out = tmp_path / f"answers.{suffix}"
        done = run("predict", fitted, tmp_path / "texts.txt", "--out", out)
        assert done.exit_code == 0, done.output
        data = out.read_bytes()
        assert (gzip.decompress(data) if suffix == "txt.gz" else data).decode() == shown


def test_wrong_columns_of_a_conll_file(run, fitted, data, tmp_path):
    words = ("fit", "tagger", data, *TINY, "--out", tmp_path / "model")
    for option in ("--token", "--tag", "--sentence"):
        assert "no column 'foo'. Known: 0, 1, 2." in one_line(run(*words, option, "foo"))
    assert "no column 'foo'" in one_line(run("predict", fitted, data, "--sentence", "foo"))
    assert "no column '7'" in one_line(run("evaluate", fitted, data, "--tag", "7"))
    line = one_line(run(*words, "--tag", "1", "--scheme", "bio"))
    assert "`1` must be O, or B- or I- with a label (B-PER, say), in bio" in line
    assert "(--scheme none)" in line
    bare = tmp_path / "bare.conll"
    bare.write_text("Ann\nrows\n")
    line = one_line(run("evaluate", fitted, bare))
    assert f"{bare}: `tag` must be given: a tag for each word; got no tags" in line


def test_a_file_parts_sentences_as_it_does_whatever_that_of_the_training_did(run, fitted, data):
    model = tidegate.load(fitted)
    model.columns_ = {"sentence": "s", **model.columns_}
    model.columns_["token"] = "0"
    model.save(data.parent / "model")
    done = run("predict", data.parent / "model", data)
    assert done.stdout == run("predict", fitted, data).stdout


def test_a_wrong_tag_is_told_with_its_line_and_its_own_file(run, data, tmp_path):
    lines = data.read_text().splitlines()
    last = max(place for place, line in enumerate(lines) if line)
    lines[last] = lines[last].rpartition(" ")[0] + " I-PER"
    bad, out = tmp_path / "bad.conll", tmp_path / "model"
    bad.write_text("\n".join(lines))
    told = f"{bad}: `tag` must be valid: in BIO"
    for other in ("none", "0.1", "0.5", data):
        options = ("--validation", other, "--test", data)
        line = one_line(run("fit", "tagger", bad, *TINY, *options, "--out", out))
        assert told in line
        assert f"of sentence 60 (line {last + 1})" in line
    line = one_line(run("fit", "tagger", data, *TINY, "--validation", bad, "--out", out))
    assert told in line
    assert f"of sentence 60 (line {last + 1})" in line


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", r"a table with a row; got an empty file"),
        ("Ann\nrows\n", "`tag` must be there: a tag for each word"),
        ("Ann B-PER\nrows\n", "`line 2` must be 2 columns, as 1 of 2 lines have; got 1"),
        ("Ann I-PER\nrows O\nBob B-PER\n", "`tag` must be valid: in IOB1 a B- only"),
    ],
)
def test_bad_files_are_one_line(run, tmp_path, content, told):
    path = tmp_path / "bad.conll"
    path.write_text(content)
    line = one_line(run("fit", "tagger", path, *TINY, "--out", tmp_path / "model"))
    assert told in line
    assert str(path) in line
    assert not (tmp_path / "model").exists()


def test_running_text_is_answered_and_never_learned(run, fitted, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("Ann rows to Hull\nBob waits for Ann\nEve reads at home\n")
    line = one_line(run("fit", "tagger", path, *TINY, "--out", tmp_path / "model"))
    assert f"{path}: `file` must be CoNLL: a word a line" in line
    assert "got lines that end in words, 'Hull' first, as in running text" in line
    assert "as in running text" in one_line(run("evaluate", fitted, path))
    assert len(tidegate.load(fitted).predict(path.read_text().splitlines())) == 3
    assert run("predict", fitted, path).stdout.splitlines()[:4] == [
        "Ann B-PER", "rows O", "to O", "Hull B-LOC",
    ]  # fmt: skip


def test_labels_in_other_capitals_are_told(run, data, tmp_path):
    text = data.read_text()
    data.write_text(text + "\n\n" + text.replace("-PER", "-per"))
    done = run("fit", "tagger", data, *TINY, "--validation", "none", "--out", tmp_path / "model")
    assert done.exit_code == 0
    assert "'PER' and 'per' are two kinds of" in done.stderr
    data.write_text(text + "\n\nAnn X B-per\n")
    line = one_line(run("fit", "tagger", data, *TINY, "--out", tmp_path / "other"))
    assert "got 'per' at word 1 of sentence 61 (line " in line


def test_a_word_that_conll_cannot_hold_is_named(run, fitted, tmp_path):
    path = tmp_path / "words.jsonl"
    path.write_text('{"token": ["Ann", "-DOCSTART-"]}\n')
    for out in ((), ("--out", tmp_path / "a.conll")):
        line = one_line(run("predict", fitted, path, *out))
        assert "'-DOCSTART- " in line
        assert "at word 2 of sentence 1. Write another format: --format jsonl" in line
    assert not (tmp_path / "a.conll").exists()
    told = json.loads(run("predict", fitted, path, "--format", "jsonl").stdout)
    assert told["tokens"] == ["Ann", "-DOCSTART-"]


def test_a_tag_never_seen_is_named_with_its_file(run, data, tmp_path):
    other = tmp_path / "other.conll"
    other.write_text("Ann X B-PER\n\nAcme X B-ORG\n")
    for option in ("--validation", "--test"):
        words = ("fit", "tagger", data, *TINY, option, other, "--out", tmp_path / "model")
        line = one_line(run(*words))
        assert f"{other}: `tag` must be made of the tags seen in training, LOC, PER" in line
        assert "'B-ORG' at word 1 of sentence 2 (line 3)" in line


def test_wrong_words_on_the_command_line(run, fitted, data, tmp_path):
    assert "a CoNLL file, a table, texts or -" in one_line(run("predict", fitted))
    wrong = one_line(run("predict", fitted, "Ann", "--format", "lines"))
    assert "`--format` must be one of text, conll, conllu, jsonl, csv, tsv; got lines" in wrong
    assert "`COLUMN` must be left out" in one_line(run("predict", fitted, "Ann", "--token", "0"))
    wrong = one_line(run("predict", fitted, "A", "--horizon", "2"))
    assert "--horizon is no option for a tagger" in wrong
    line = one_line(run("predict", fitted, data, "--out", tmp_path / "a.png"))
    assert "`suffix` must be a name that ends in .conll" in line

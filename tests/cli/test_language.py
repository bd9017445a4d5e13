"""`tidegate fit language-model`: plain text and tables of texts, and faults in them."""

from __future__ import annotations

import gzip
import json
import re

import pandas as pd
import pytest

import tidegate
from tests.cli.conftest import one_line

TINY = ("--hidden-size", "4", "--num-layers", "1", "--epochs", "1", "--batch-size", "2", "--quiet")
TEXT = "the tide comes in,\nthe tide goes out,\n" * 20


def fit(run, data, *words, out):
    return run("fit", "language-model", data, *TINY, "--out", out, *words)


def test_a_text_is_learned_measured_and_gone_on_from(run, tmp_path):
    data, test = tmp_path / "tide.txt.gz", tmp_path / "test.txt"
    data.write_bytes(gzip.compress(TEXT.encode()))
    test.write_text(TEXT[:100])
    out = tmp_path / "model"
    done = fit(run, data, "--level", "char", "--test", test, "--bptt", "20", out=out)
    assert done.exit_code == 0, done.output
    model = tidegate.load(out)
    assert model.settings_.bptt == 20
    assert set(model.metrics_) == {"train", "validation", "test"}
    told = json.loads(run("evaluate", out, test, "--json").stdout)
    assert told["loss"] == pytest.approx(model.evaluate(TEXT[:100])["loss"])
    assert set(told) == {"loss", "perplexity", "bits_per_character"}
    done = run("predict", out, "the tid", "the ti", "--format", "jsonl")
    assert done.exit_code == 0, done.output
    answers = [json.loads(line)["prediction"] for line in done.stdout.splitlines()]
    assert answers == model.predict(["the tid", "the ti"]).tolist()


def test_what_comes_next_is_writing(run, tmp_path):
    data = tmp_path / "tide.txt"
    data.write_text(TEXT)
    told = run("fit", "language-model", data, *TINY[:-1], "--out", tmp_path / "m").output
    assert re.search(r"generate \S+m/\n", told.partition("Next:")[2])


def test_what_is_measured_next_is_no_text_it_has_learned(run, tmp_path):
    data = tmp_path / "tide.txt"
    data.write_text(TEXT)
    for words, suggested in (((), False), (("--test", data), True)):
        done = run("fit", "language-model", data, *TINY[:-1], "--out", tmp_path / "m", *words)
        assert ("evaluate" in done.output.partition("Next:")[2]) == suggested


def test_a_line_end_is_an_answer_one_can_see(run, tmp_path):
    data = tmp_path / "a.txt"
    data.write_text("a\n" * 400)
    quick = ("--learning-rate", "0.1", "--epochs", "3")
    fit(run, data, *quick, out=tmp_path / "m")
    assert tidegate.load(tmp_path / "m").predict(["a\na"]).tolist() == ["\n"]
    assert r"'\n'" in run("predict", tmp_path / "m", "a\na").stdout


def test_a_table_holds_documents(run, tmp_path):
    data = tmp_path / "texts.csv"
    pd.DataFrame({"poem": ["the tide", "the gate", "the sea"] * 10}).to_csv(data, index=False)
    done = fit(run, data, "--text", "poem", "--level", "word", out=tmp_path / "m")
    assert done.exit_code == 0, done.output
    model = tidegate.load(tmp_path / "m")
    assert model.documents_
    assert set(model.encoder_.vocabulary[2:]) == {"the", "tide", "gate", "sea"}


def test_validation_is_another_file(run, tmp_path):
    data, held = tmp_path / "a.txt", tmp_path / "b.txt"
    data.write_text(TEXT)
    held.write_text("the tide " * 9)
    done = fit(run, data, "--validation", held, out=tmp_path / "m")
    assert done.exit_code == 0, done.output
    model = tidegate.load(tmp_path / "m")
    exact = model.evaluate("the tide " * 9)["loss"]
    assert model.metrics_["validation"]["loss"] == pytest.approx(exact, rel=0.3)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "`file` must be a text; got an empty file"),
        (b"a" * 99, "`text` must be a text with at least two different symbols"),
        (b"ab" * 50 + b"\n\xe9t\xe9", "got byte 0xe9 at position 101 (line 2). Convert it"),
        (None, "`file` must be an existing one"),
    ],
)
def test_wrong_files_are_one_line_that_names_them(run, tmp_path, data, told):
    path = tmp_path / "a.txt"
    if data is not None:
        path.write_bytes(data)
    done = fit(run, path, out=tmp_path / "m")
    assert done.exit_code == 2
    line = one_line(done)
    assert "a.txt" in line
    assert told in line
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--level", "letters"), "`level` must be one of"),
        (("--bptt", "0"), "`bptt` must be an integer >= 1"),
        (("--split", "part"), "`--split` must be left out for a file that is no table"),
        (("--bidirectional",), "--bidirectional is no option"),
        (("--text", "poem"), "a.txt: `--text` must be left out for a plain text"),
    ],
)
def test_wrong_options_are_one_line(run, tmp_path, words, told):
    path = tmp_path / "a.txt"
    path.write_text(TEXT)
    done = fit(run, path, *words, out=tmp_path / "m")
    assert done.exit_code == 2
    assert told in one_line(done)

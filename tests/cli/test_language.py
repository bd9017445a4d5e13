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
    assert "model.generate(...)" in (tmp_path / "m" / "README.md").read_text()


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
    shown = run("predict", tmp_path / "m", "a\na").stdout
    assert r"'\n'" in shown
    assert "probability" not in shown


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
    twin = tidegate.LanguageModel(**model.get_params()).fit(TEXT, validation="the tide " * 9)
    assert model.metrics_ == twin.metrics_


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
    ("content", "told"),
    [(None, "an existing one"), (b"", "an empty file"), (b"the \xe9", "position 4")],
)
@pytest.mark.parametrize("option", ["--test", "--validation"])
def test_files_beside_the_text_are_checked_before_it_is_learned(
    run, tmp_path, monkeypatch, option, content, told
):
    data, beside = tmp_path / "a.txt", tmp_path / "beside.txt"
    data.write_text(TEXT)
    if content is not None:
        beside.write_bytes(content)
    monkeypatch.setattr(tidegate.LanguageModel, "fit", lambda *_, **__: pytest.fail("trained"))
    line = one_line(fit(run, data, option, beside, out=tmp_path / "m"))
    assert "beside.txt" in line
    assert told in line
    assert {path.name for path in tmp_path.iterdir()} <= {"a.txt", "beside.txt"}


def test_it_says_that_a_part_is_held_out_where_too_little_is_left(run, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("ab")
    line = one_line(fit(run, path, out=tmp_path / "m"))
    assert "at least two symbols; got only one, once a part of the text is held out" in line


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--merge", "sum"), "--merge is no option"),
        (("--mixtures", "3"), "`mixtures` must be left out without a mixture; got 3"),
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

"""`tidegate explain`: a text, a file or a stream in; a page, a picture or numbers out."""

from __future__ import annotations

import json

import pytest
from PIL import Image

import tidegate
from tests.cli.conftest import one_line
from tests.plugins.adder import Adder
from tidegate import tasks

TEXT = "high tide, shut gate"


def numbers(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_page_is_written_and_said_where(run, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("explain", model, TEXT)
    assert done.exit_code == 0, done.output
    task = tidegate.load(model)
    answer, where = done.stdout.splitlines()
    share = task.predict_proba([TEXT]).max()
    assert answer == f"{task.predict([TEXT])[0]} ({share:.1%})"
    assert where.startswith("written: report.html (")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--out", "a.json"), "a.json"),
        (("--format", "json"), "report.json"),
        (("--out", "a.txt", "--format", "json"), "a.txt"),
    ],
)
def test_numbers_by_suffix_or_by_format(run, model, tmp_path, monkeypatch, words, name):
    monkeypatch.chdir(tmp_path)
    done = run("explain", model, TEXT, *words)
    assert done.exit_code == 0, done.output
    assert numbers(tmp_path / name)["tokens"] == ["high", "tide", ",", "shut", "gate"]


def test_a_picture(run, model, tmp_path):
    done = run("explain", model, TEXT, "--out", tmp_path / "r.png")
    assert done.exit_code == 0, done.output
    with Image.open(tmp_path / "r.png") as picture:
        assert picture.format == "PNG"


def test_a_file_and_standard_input_hold_the_same_text(run, model, tmp_path):
    out = tmp_path / "r.json"
    found = []
    (tmp_path / "review").write_bytes(b"\xef\xbb\xbf" + TEXT.encode() + b"\r\n")
    for given, stdin in ((TEXT, None), (tmp_path / "review", None), ("-", TEXT.encode() + b"\n")):
        done = run("explain", model, given, "--out", out, stdin=stdin)
        assert done.exit_code == 0, done.output
        found.append(numbers(out))
    assert found[0] == found[1] == found[2]


def test_a_table_is_no_text_and_a_name_in_words_is_one(run, model, table, tmp_path):
    assert "got a table. Name one of its rows: --row N" in one_line(run("explain", model, table))
    for given, stdin in (("high and/or low", None), ("/s is no file", None), ("-", b"./tide")):
        done = run("explain", model, given, "--out", tmp_path / "r.json", stdin=stdin)
        assert done.exit_code == 0, done.output


def test_a_text_may_be_longer_than_any_path(run, model, tmp_path):
    done = run("explain", model, "tide / gate " * 1000, "--out", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    assert done.stderr == (
        "warning: The model read 400 of the 3,000 tokens, the first 200 and the last 200: "
        "max_length is 400, keep is both.\n"
    )
    assert len(numbers(tmp_path / "r.json")["tokens"]) == 400


def test_a_class_layers_and_units_can_be_chosen(run, model, tmp_path):
    out = tmp_path / "r.json"
    words = ("--target", "no", "--layer", 0, "--unit", 3, "--unit", 1, "--quiet")
    assert run("explain", model, TEXT, *words, "--out", out).exit_code == 0
    found = numbers(out)
    assert (found["target"], found["units"]) == ("no", [3, 1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("",), "`input` must be a text with a token; got ''"),
        (("gone.txt",), "must be a file, or a text; got gone.txt, a file that is not there"),
        (("rows.CSV",), "must be a file, or a text; got rows.CSV, a file that is not there"),
        (("./none",), "got ./none, a file that is not there. -, by standard input, takes anything"),
        (("~/none",), "a file that is not there"),
        (("none/",), "a file that is not there"),
        (("{folder}",), "got the folder"),
        ((TEXT, "--out", "r.pdf"), "`format` must be one of html, png, json; got 'r.pdf'"),
        ((TEXT, "--format", "pdf"), "`format` must be one of html, png, json; got 'pdf'"),
        ((TEXT, "--out", "nowhere/r.html"), "must be a file that can be written, in a folder"),
        ((TEXT, "--out", "{folder}", "--format", "html"), "got a folder"),
        ((TEXT, "--target", "maybe"), "`target` must be an answer of this model; got 'maybe'"),
        ((TEXT, "--layer", "1"), "`layers` must be 0, the only one; got 1"),
        ((TEXT, "--unit", "4"), "`units` must be from 0 to 3; got 4"),
        ((TEXT, "--unit", "x"), "--unit"),
        ((TEXT, "more"), "unexpected extra argument"),
    ],
)
def test_bad_words_are_one_line_and_nothing_is_written(
    run, model, tmp_path, monkeypatch, words, said
):
    monkeypatch.chdir(tmp_path)
    filled = [word.format(folder=tmp_path) for word in words]
    assert said in one_line(run("explain", model, *filled))
    assert list(tmp_path.iterdir()) == []


def test_the_text_itself_is_not_overwritten(run, model, tmp_path):
    (tmp_path / "r.html").write_text(TEXT)
    words = (tmp_path / "r.html", "--out", tmp_path / "r.html")
    assert "`--out` must be another file than INPUT" in one_line(run("explain", model, *words))
    assert (tmp_path / "r.html").read_text() == TEXT


def test_bytes_that_are_no_text_are_one_line(run, model, tmp_path):
    (tmp_path / "bad").write_bytes(b"gr\xfcn")
    assert "must be UTF-8 text; got 0xfc at byte 2" in one_line(
        run("explain", model, tmp_path / "bad")
    )
    assert "`standard input` must be UTF-8 text" in one_line(
        run("explain", model, "-", stdin=b"gr\xfcn")
    )
    assert "`INPUT` must be UTF-8 text" in one_line(run("explain", model, "gr\udcfcn"))


def test_a_file_too_long_to_be_a_text_is_not_read_to_its_end(run, model, tmp_path):
    with (tmp_path / "long").open("wb") as handle:
        handle.truncate(2**33)
    assert "got more than 10,000,000 bytes" in one_line(run("explain", model, tmp_path / "long"))


def test_no_model_and_a_model_that_shows_nothing_are_one_line(run, tmp_path, monkeypatch):
    assert "must be a model's folder" in one_line(run("explain", tmp_path / "gone", TEXT))

    class Point:
        name = "adder"

        def load(self):
            return Adder

    monkeypatch.setattr(tasks.registry, "_plugins", lambda: {"adder": Point()})
    adder = Adder(hidden_size=2, epochs=1, verbose=False)
    adder.fit(["1 2*", "3* 4"] * 10, [2.0, 3.0] * 10).save(tmp_path / "m")
    monkeypatch.chdir(tmp_path)
    said = one_line(run("explain", tmp_path / "m", "1 2*"))
    assert "`model` must be of a task whose network can be looked into" in said
    assert [path.name for path in tmp_path.iterdir()] == ["m"]

"""`tidegate predict`: files, texts and lines in; every format out; nothing lost on bad input."""

from __future__ import annotations

import io
import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

import tidegate
from tests.cli.conftest import finish, one_line, rows, write_csv
from tidegate.cli.commands.predict import stream_lines
from tidegate.data import read_table
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning


@pytest.fixture
def new(tmp_path):
    """A table with a column that must come through as it is."""
    data = tmp_path / "new.csv"
    lines = "".join(f'0{index},"{text}",\n' for index, (text, _) in enumerate(rows(7)))
    data.write_text(f"id,text,note\n{lines}")
    return data


def expected(model, texts):
    task = tidegate.load(model)
    return task.predict(texts).tolist(), task.predict_proba(texts)


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.jsonl", "p.parquet", "p.csv.gz"])
def test_a_file_keeps_its_rows_and_columns_and_gets_answers(run, model, new, tmp_path, name):
    done = run("predict", model, new, "--out", tmp_path / name)
    assert (done.exit_code, done.output) == (0, "")
    found = read_table(tmp_path / name, text=["id"])
    assert list(found) == [
        "id", "text", "note", "prediction", "probability_no", "probability_yes",
    ]  # fmt: skip
    assert found["id"].tolist() == [f"0{index}" for index in range(7)]
    labels, probabilities = expected(model, [text for text, _ in rows(7)])
    assert found["prediction"].tolist() == labels
    numbers = found[["probability_no", "probability_yes"]].to_numpy(float)
    assert np.abs(numbers - probabilities).max() < 1e-6


def test_a_file_without_out_is_printed_as_csv(run, model, new):
    found = pd.read_csv(io.StringIO(run("predict", model, new).stdout), dtype={"id": str})
    assert found["id"].tolist() == [f"0{index}" for index in range(7)]
    assert found.shape == (7, 6)


def test_long_files_are_answered_piece_by_piece(run, model, tmp_path):
    data = write_csv(tmp_path / "long.csv", rows(5000))
    lines = run("predict", model, data, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["text"] for line in lines] == [text for text, _ in rows(5000)]


def test_a_plain_text_file_is_a_text_a_line(run, model, tmp_path):
    (tmp_path / "lines.txt").write_text("high tide\nshut gate\n")
    done = run("predict", model, tmp_path / "lines.txt", "--format", "lines")
    assert len(done.stdout.splitlines()) == 2


def test_texts_are_answered_in_a_readable_table(run, model):
    done = run("predict", model, "high [bold] tide", "shut\ngate " + "x" * 300)
    assert done.exit_code == 0
    labels, _ = expected(model, ["high [bold] tide", "shut\ngate " + "x" * 300])
    header, _, first, second = done.stdout.splitlines()
    assert header.split() == ["prediction", "probability", "text"]
    assert first.split()[0] == labels[0]
    assert "high [bold] tide" in first
    assert second.split()[:1] == labels[1:]
    assert "shut gate xxx" in second
    assert second.rstrip().endswith("x…")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_lines_of_standard_input_get_a_line_each_empty_ones_too(run, model):
    done = run("predict", model, "-", stdin="high tide\n\nshut gate\r\ngood")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    task = tidegate.load(model)
    with pytest.warns(DataWarning, match="no token"):
        probabilities = task.predict_proba(["high tide", "", "shut gate", "good"])
    labels = task.classes_[probabilities.argmax(1)].tolist()
    assert [label for label, _ in lines] == labels
    assert [float(p) for _, p in lines] == pytest.approx(probabilities.max(1).tolist(), abs=1e-4)
    assert done.stderr == "warning: 1 of 4 texts have no token; the model answers them blindly.\n"


def test_formats_of_standard_input(run, model):
    csv = run("predict", model, "-", "--format", "csv", stdin='say "hi", tide\ngood\n').stdout
    frame = pd.read_csv(io.StringIO(csv))
    assert frame["text"].tolist() == ['say "hi", tide', "good"]
    tsv = run("predict", model, "-", "--format", "tsv", stdin="good\n").stdout
    assert tsv.splitlines()[0].split("\t")[:2] == ["text", "prediction"]


def test_warnings_of_many_pieces_are_added_up(run, model, tmp_path):
    lines = rows(4100)
    lines[1] = lines[2] = ("tide " * 500, "yes")  # in the first of two pieces
    data = write_csv(tmp_path / "long.csv", lines)
    done = run("predict", model, data, "--out", tmp_path / "p.csv")
    assert done.stderr == (
        "warning: 2 of 4,100 texts have more than max_length=400 tokens and were cut "
        "(keep='both').\n"
    )


def test_empty_cells_stop_it_before_the_first_answer_or_are_left_out(run, model, tmp_path):
    lines = [*rows(3), ("", "yes"), *rows(2)]
    data = write_csv(tmp_path / "holes.csv", lines)
    shown = one_line(run("predict", model, data))
    assert "1 empty texts (row 4)" in shown
    done = run("predict", model, data, "--drop-missing", "--format", "lines")
    assert len(done.stdout.splitlines()) == 5
    assert done.stderr == f"warning: {data}: 1 rows with an empty text were left out.\n"


def test_numbers_in_the_text_column_are_texts(run, model, tmp_path):
    for name, content in (("n.csv", "text\n12\n007\n"), ("n.jsonl", '{"text": 12}\n')):
        (tmp_path / name).write_text(content)
        done = run("predict", model, tmp_path / name, "--format", "lines")
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gone.csv",), "`DATA` must be a file, or a text; got gone.csv, a file that is"),
        (("{folder}",), "predict: `DATA` must be a file, or a text; got the folder"),
        (("{new}", "--text", "txt"), "no column 'txt'. Did you mean 'text'"),
        (("{new}", "--out", "p.xlsx"), "p.xlsx: `suffix` must be a name that ends in .csv"),
        (("{new}", "--out", "nowhere/p.csv"), "`--out` must be a file in a folder that exists"),
        (("{new}", "--out", "{new}"), "`--out` must be another file than DATA"),
        (("{new}", "--format", "xml"), "`--format` must be one of table, lines, csv, tsv, jsonl"),
        (("{new}", "--out", "{folder}/p.csv", "--format", "csv"), "left out with --out"),
    ],
)
def test_bad_words_are_one_line(run, model, new, tmp_path, words, said):
    filled = [word.format(new=new, folder=tmp_path) for word in words]
    assert said in one_line(run("predict", model, *filled))
    assert list(tmp_path.iterdir()) == [new]


def test_a_fault_far_down_the_file_leaves_nothing_behind(run, model, tmp_path):
    data = write_csv(tmp_path / "long.csv", rows(5000))
    with data.open("ab") as handle:
        handle.write(b'"never closed,yes\n')
    shown = one_line(run("predict", model, data, "--out", tmp_path / "p.csv"))
    assert "long.csv: `line 5002`" in shown
    assert list(tmp_path.iterdir()) == [data]


def test_columns_of_the_answers_must_be_free(run, model, tmp_path):
    data = tmp_path / "old.csv"
    data.write_text("text,prediction\nhigh tide,yes\n")
    assert "`prediction` must be free for the answers" in one_line(run("predict", model, data))


def test_a_damaged_model_is_named(run, model, tmp_path):
    assert "must be a model's folder; got nothing" in one_line(run("predict", tmp_path / "x", "t"))
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    assert f"{weights}" in one_line(run("predict", copy, "text"))
    (copy / "config.json").write_text("{")
    for command in (("predict", copy, "text"), ("evaluate", copy, "x.csv"), ("info", copy)):
        assert "config.json" in one_line(run(*command))


def test_lines_are_handed_on_as_they_come():
    pieces = [b"one\ntw", b"o\nthree", b"", b"never read"]

    class Slow(io.RawIOBase):
        def read1(self, size):
            return pieces.pop(0)

    assert list(stream_lines(Slow())) == [["one"], ["two"], ["three"]]
    assert pieces == [b"never read"]


def test_a_line_that_is_not_utf8_is_named_after_the_lines_before_it():
    lines = stream_lines(io.BytesIO("gut\nbesser\nschön\nmore\n".encode("latin-1")))
    assert next(lines) == ["gut", "besser"]
    with pytest.raises(InputError, match=r"got 0xf6 in line 3\. Convert it first"):
        next(lines)


def test_a_text_that_is_not_utf8_is_one_line(run, model):
    done = run("predict", model, "gut", "schön".encode("latin-1").decode(errors="surrogateescape"))
    assert done.exit_code == 2
    assert done.stderr.startswith("error: predict: `DATA` must be UTF-8 text; got 0xf6 at byte 3")


def test_a_text_is_read_alike_on_a_terminal_of_another_encoding(monkeypatch, model, tmp_path):
    words = ("predict", model, os.fsdecode("good schön".encode()), "--out", tmp_path / "out.csv")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    assert finish(*words, cwd=tmp_path)[0] == 0
    assert "good schön," in (tmp_path / "out.csv").read_text(encoding="utf-8")


def test_a_stream_that_is_not_utf8_ends_with_a_line(run, model):
    done = run("predict", model, "-", stdin="gut\nschön\n".encode("latin-1"))
    assert done.exit_code == 2
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr.startswith("error: predict: `standard input` must be UTF-8 text; got 0xf6")


def test_a_text_that_is_too_long_for_a_path_is_a_text(run, model):
    done = run("predict", model, "free prize " * 100)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.strip()


def test_a_line_that_does_not_end_is_refused(run, model, monkeypatch):
    monkeypatch.setattr("tidegate.cli.commands.predict._MOST_BYTES", 50)
    done = run("predict", model, "-", stdin="tide\n" + "gate " * 20000)
    assert done.exit_code == 2
    assert "standard input` must be lines of at most 50 bytes; got a longer one, line 2" in (
        done.stderr
    )


def test_files_are_answered_one_after_the_other(run, model, tmp_path):
    for name, texts in (("a.csv", ["fine"]), ("b.csv", ["bad", "good"])):
        write_csv(tmp_path / name, [(text, "yes") for text in texts])
    both = run("predict", model, tmp_path / "a.csv", tmp_path / "b.csv").stdout.splitlines()
    alone = [
        run("predict", model, tmp_path / name).stdout.splitlines() for name in ("a.csv", "b.csv")
    ]
    assert both == [*alone[0], *alone[1][1:]]


@pytest.mark.parametrize("words", [["a.csv", "b.csv"], ["missing.CSV"], ["fine", "./gone"]])
def test_names_of_files_are_no_texts(run, model, words):
    assert "a file that is not there" in one_line(run("predict", model, *words))


def test_anything_can_be_a_text(run, model):
    done = run("predict", model, "--text", "tide/", "--text", "./gate")
    assert (done.exit_code, done.stderr) == (0, "")
    assert len(done.stdout.strip().splitlines()) >= 2


def test_no_line_at_all_is_no_success(run, model):
    told = "error: predict: `standard input` must be a line or more; got nothing."
    assert one_line(run("predict", model, "-", stdin="")).strip() == told

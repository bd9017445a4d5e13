"""`tidegate evaluate`: the scores of a model, to read and as JSON."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

import tidegate
from tests.cli.conftest import TINY, one_line, rows, write_csv
from tidegate.cli.commands import evaluate
from tidegate.data.tables.writer import write_table


@pytest.fixture
def data(tmp_path):
    return write_csv(tmp_path / "test.csv", rows(15))


def test_json_holds_what_scikit_learn_says(run, model, data):
    found = json.loads(run("evaluate", model, data, "--json").stdout)
    texts, labels = zip(*rows(15), strict=True)
    answers = tidegate.load(model).predict(texts)
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, answers))
    assert found["macro_f1"] == pytest.approx(f1_score(labels, answers, average="macro"))
    assert found["confusion_matrix"] == confusion_matrix(labels, answers).tolist()
    assert found["classes"] == ["no", "yes"]
    assert set(found["per_class"]) == {"no", "yes"}


def test_the_tables_show_the_same(run, model, data):
    found = json.loads(run("evaluate", model, data, "--json").stdout)
    shown = run("evaluate", model, data).stdout
    for name in ("loss", "accuracy", "macro_f1"):
        assert f"{found[name]:.4f}" in shown
    for label, counts in zip(found["classes"], found["confusion_matrix"], strict=True):
        line = shown[shown.index("true \\ predicted") :].split(f"\n{label} ")[1].splitlines()[0]
        assert [int(number) for number in line.split()] == counts
        assert f"{found['per_class'][label]['precision']:.4f}" in shown


def test_columns_are_those_of_training_unless_named(run, model, tmp_path):
    other = write_csv(tmp_path / "other.csv", rows(6), "review,stars")
    assert "no column 'text'" in one_line(run("evaluate", model, other))
    done = run("evaluate", model, other, "--text", "review", "--label", "stars", "--json")
    assert done.exit_code == 0


def test_a_label_of_another_world_is_named_with_its_file(run, model, tmp_path):
    data = write_csv(tmp_path / "test.csv", [*rows(3), ("fine", "maybe")])
    shown = one_line(run("evaluate", model, data))
    assert "test.csv: `label` must be made of the labels seen in training" in shown
    assert "maybe" in shown


def test_empty_cells_are_counted(run, model, tmp_path):
    data = write_csv(tmp_path / "test.csv", [*rows(3), ("fine", "")])
    assert "1 empty labels (row 4)" in one_line(run("evaluate", model, data))
    done = run("evaluate", model, data, "--drop-missing", "--json")
    assert done.stderr == f"warning: {data}: 1 rows with an empty cell were left out.\n"
    assert sum(map(sum, json.loads(done.stdout)["confusion_matrix"])) == 3


def test_classes_that_are_missing_are_said(run, model, tmp_path):
    data = write_csv(tmp_path / "test.csv", [row for row in rows(12) if row[1] == "yes"])
    done = run("evaluate", model, data)
    assert done.exit_code == 0
    assert done.stderr == f"warning: {data}: no row has the label 'no'.\n"


@pytest.mark.parametrize(
    ("learned", "measured"),
    [
        (("a.csv", "1 2 other"), ("b.csv", "1 2")),
        (("a.csv", "007 010 11"), ("b.csv", "11")),
        (("a.csv", "1E1 10"), ("b.csv", "1E1 10")),
        (("a.csv", "1.5 4.5"), ("b.jsonl", "1.5 4.5")),
        (("a.jsonl", "0 1"), ("b.csv", "0 1")),
        (("a.csv", "true false"), ("b.csv", "True False")),
        (("a.jsonl", "true false"), ("b.parquet", "true false")),
        (("a.parquet", "3 4"), ("b.csv", "3 4")),
    ],
)
def test_labels_mean_the_same_in_every_file(run, tmp_path, learned, measured):
    def write(name, labels, typed):
        labels = labels.split() * 12
        frame = pd.DataFrame({"text": [f"boat {label} {row}" for row, label in enumerate(labels)]})
        values = [json.loads(label) for label in labels] if typed else labels
        path = tmp_path / name
        write_table(frame.assign(label=values), path)
        return path

    data = write(*learned, learned[0] != "a.csv")
    done = run("fit", "text-classifier", data, "--out", tmp_path / "m", "--epochs", 1, "--quiet")
    assert done.exit_code == 0, done.output
    assert tidegate.load(tmp_path / "m").classes_.tolist() == sorted(learned[1].split())
    done = run("evaluate", tmp_path / "m", write(*measured, measured[0] != "b.csv"))
    assert done.exit_code == 0, done.output


def test_a_label_of_two_lines_stays_in_its_row_of_each_table(run, tmp_path):
    names = {"yes": "two\nlines", "no": "e\x1b[31mvil\t"}
    frame = pd.DataFrame([(text, names[label]) for text, label in rows(40)])
    frame.columns = ["text", "label"]
    frame.to_csv(tmp_path / "odd.csv", index=False)
    words = ("--out", tmp_path / "m", "--quiet", *TINY)
    assert run("fit", "text-classifier", tmp_path / "odd.csv", *words).exit_code == 0
    found = run("evaluate", tmp_path / "m", tmp_path / "odd.csv").stdout
    for name in (r"two\nlines", r"e\x1b[31mvil\t"):
        assert sum(line.startswith(name) for line in found.splitlines()) == 2
    for command in ("info", "doctor"):
        found = run(command, tmp_path / "m").stdout
        assert not any(line.startswith("lines") or "\x1b" in line for line in found.splitlines())


@pytest.mark.parametrize("classes", [12, 30, 400])
def test_where_a_column_for_each_class_has_no_room_mistakes_are_shown(classes, capsys):
    names = [f"class{number}" for number in range(classes)]
    counts = np.eye(classes) * 7
    counts[3, 5] = 2
    evaluate.show({"accuracy": 0.9, "classes": names, "confusion_matrix": counts.tolist()}, "test")
    *_, header, _, row = capsys.readouterr().out.rstrip().splitlines()
    assert header.split()[:2] == ["true", "predicted"]
    assert row.split() == ["class3", "class5", "2"]

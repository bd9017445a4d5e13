"""`tidegate doctor`: findings to read and as JSON, with labelled data, with other data, without."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import tidegate
from tests.cli.conftest import TINY, one_line, rows, write_csv
from tidegate.cli import app


@pytest.fixture
def data(tmp_path):
    return write_csv(tmp_path / "test.csv", rows(30))


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """A model whose forget gates are stuck; tests only read it."""
    folder = tmp_path_factory.mktemp("bad")
    train = write_csv(folder / "train.csv", rows(40))
    words = ["fit", "text-classifier", train, *TINY, "--forget-bias", 30, "--quiet"]
    done = CliRunner().invoke(app, [*map(str, words), "--out", str(folder / "model")])
    assert done.exit_code == 0, done.output
    return folder / "model"


def texts(diagnosis):
    return [finding.name for finding in diagnosis.findings]


def test_json_is_what_the_task_says(run, bad, data):
    inputs, labels = map(list, zip(*rows(30), strict=True))
    model = tidegate.load(bad)
    for words, expected in (
        ([data], model.doctor(inputs, labels)),
        ([], model.doctor()),
    ):
        done = run("doctor", bad, *words, "--format", "json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout) == expected.to_json()


def test_findings_are_told_with_evidence_cost_and_remedy_and_exit_code_0(run, bad, data):
    done = run("doctor", bad, data)
    assert done.exit_code == 0
    shown = " ".join(done.stdout.split())
    assert "serious saturated forget gates seen The forget gate is above 0.999" in shown
    assert "4 of 4 units of layer 0 forward" in shown
    assert "costs These units cannot learn what to forget" in shown
    assert "change Lower --forget-bias (now 30)" in shown
    assert "Nothing else found in" in shown
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_without_data_it_says_what_data_would_show(run, model):
    done = run("doctor", model)
    assert done.exit_code == 0
    shown = " ".join(done.stdout.split())
    told = shown.split("Not checked: ")[1]
    assert "padding that leaks" in told
    assert "truncation (needs data)" in told
    assert f"doctor {model} DATA.csv" in told


def test_rows_without_answers_are_welcome(run, model, tmp_path):
    plain = tmp_path / "texts.csv"
    plain.write_text("text\n" + "".join(f'"{text}"\n' for text, _ in rows(30)))
    lines = tmp_path / "texts.txt"
    lines.write_text("".join(f"{text}\n" for text, _ in rows(30)))
    inputs = [text for text, _ in rows(30)]
    expected = tidegate.load(model).doctor(inputs).to_json()
    for path in (plain, lines):
        done = run("doctor", model, path, "--format", "json")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout) == expected


def test_columns_can_be_named(run, model, tmp_path):
    other = write_csv(tmp_path / "other.csv", rows(30), "review,stars")
    done = run("doctor", model, other, "--text", "review", "--label", "stars", "--format", "json")
    same = run("doctor", model, write_csv(tmp_path / "t.csv", rows(30)), "--format", "json")
    assert json.loads(done.stdout) == json.loads(same.stdout)


def test_wrong_input_is_one_line(run, model, data, tmp_path):
    assert "`--format` must be table or json; got 'jsn'" in one_line(
        run("doctor", model, "--format", "jsn")
    )
    assert "left out without DATA" in one_line(run("doctor", model, "--text", "review"))
    assert "no column 'stars'" in one_line(run("doctor", model, data, "--label", "stars"))
    assert "no column 'text'" in one_line(
        run("doctor", model, write_csv(tmp_path / "o.csv", rows(9), "review,label"))
    )
    other = write_csv(tmp_path / "test.csv", [*rows(9), ("fine", "maybe")])
    assert "test.csv: `label` must be made of the labels seen in training" in one_line(
        run("doctor", model, other)
    )
    assert "missing.csv" in one_line(run("doctor", model, tmp_path / "missing.csv"))
    assert "nowhere" in one_line(run("doctor", tmp_path / "nowhere"))
    assert "Did you mean '--format'" in one_line(run("doctor", model, "--fromat", "json"))


def test_empty_cells_are_counted(run, model, tmp_path):
    path = write_csv(tmp_path / "test.csv", [*rows(12), ("fine", "")])
    assert "1 empty labels (row 13)" in one_line(run("doctor", model, path))
    assert run("doctor", model, path, "--drop-missing").exit_code == 0

"""`tidegate doctor` and `explain` of a model of each task, as its own `fit` wrote it."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.cli.conftest import TINY, one_line, rows, write_csv
from tidegate import tasks
from tidegate.cli import app

SMALL = ("--hidden-size", "4", "--epochs", "1", "--batch-size", "8", "--quiet")


def series(path):
    steps = np.arange(260)
    lines = [f"2024-01-{1 + hour // 24:02d} {hour % 24:02d}:00,{np.sin(hour / 4):.4f},{hour % 7}"
             for hour in steps]  # fmt: skip
    path.write_text("time,load,heat\n" + "".join(f"{line}\n" for line in lines))
    return path


def sequences(path):
    rng = np.random.default_rng(0)
    lines = [f"{number},{step},{x:.3f},{'up' if number % 2 else 'down'},{number % 5}"
             for number in range(24)
             for step, x in enumerate(rng.normal(size=6).cumsum())]  # fmt: skip
    path.write_text("id,time,east,label,target\n" + "".join(f"{line}\n" for line in lines))
    return path


def sentences(path):
    told = "{} O\nsails O\nto O\n{} B-PLACE\n\n"
    pairs = itertools.product(("Ann", "Bob", "Eve"), ("Ayr", "Bude", "Cowes", "Deal"))
    path.write_text("".join(told.format(*pair) for pair in pairs))
    return path


def text(path):
    path.write_text("to be or not to be, that is the question. " * 12)
    return path


def texts(path):
    return write_csv(path, rows(40))


SHORT = ("--lookback", "24")
FITS = {
    "anomaly-detector": (series, "data.csv", (*SMALL, *SHORT, "--horizon", "4")),
    "forecaster": (series, "data.csv", (*SMALL, *SHORT, "--horizon", "6", "--target", "load,heat")),
    "language-model": (text, "data.txt", SMALL),
    "sequence-classifier": (
        sequences,
        "data.csv",
        (*SMALL, "--id", "id", "--time", "time", "--values", "east", "--filters", "4"),
    ),
    "sequence-regressor": (
        sequences,
        "data.csv",
        (*SMALL, "--id", "id", "--time", "time", "--values", "east", "--filters", "4"),
    ),
    "tagger": (sentences, "data.conll", SMALL),
    "text-classifier": (texts, "data.csv", (*TINY, "--quiet")),
}


@pytest.fixture(scope="module", params=sorted(FITS))
def fitted(request, tmp_path_factory):
    """The name of a task, a model of it, and the file that it learned from."""
    make, name, words = FITS[request.param]
    folder = tmp_path_factory.mktemp("inside")
    data, out = make(folder / name), folder / "model"
    done = CliRunner().invoke(app, ["fit", request.param, str(data), *words, "--out", str(out)])
    assert done.exit_code == 0, done.output
    return request.param, out, data


def test_no_task_is_forgotten():
    assert set(FITS) == set(tasks.names())


def test_the_doctor_reads_data_of_every_task(run, fitted):
    name, model, data = fitted
    done = run("doctor", model, data, "--format", "json")
    assert done.exit_code == 0, (name, done.output, done.exception)
    told = json.loads(done.stdout)
    assert "needs data" not in told["skipped"].values()
    checked = {*told["passed"], *(found["name"] for found in told["findings"])}
    assert "over-fitting" in {*checked, *told["skipped"]}
    shown = run("doctor", model)
    assert f"doctor {model} {tasks.get(name).data_example}" in " ".join(shown.stdout.split())


def test_explain_answers_or_says_in_a_line_why_not(run, fitted, tmp_path):
    name, model, data = fitted
    given = "tide high" if name == "text-classifier" else data
    done = run("explain", model, given, "--out", tmp_path / "report.html")
    if tasks.get(name).answers != "row":
        assert "`model` must be of a task with one answer for each input" in one_line(done)
        return
    assert done.exit_code == 0, (done.output, done.exception)
    page = (tmp_path / "report.html").read_text()
    numbers = run("explain", model, data, "--row", 3, "--out", tmp_path / "row.json")
    assert numbers.exit_code == 0, numbers.output
    tokens = json.loads((tmp_path / "row.json").read_text())["tokens"]
    if name == "text-classifier":
        assert "token" in page
        return
    assert "the first sequence of the table is explained" in done.stderr
    assert "first sequence" not in numbers.stderr
    assert tokens == [str(step) for step in range(6)]
    assert "The sequence, step by step" in page
    assert "Each step is coloured" in page

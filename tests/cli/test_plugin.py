"""A task of another package, which answers with numbers, through every command."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import tidegate
from tests.cli.conftest import one_line
from tests.plugins.adder import Adder
from tidegate import tasks


@pytest.fixture
def adder(monkeypatch):
    class Point:
        def load(self):
            return Adder

    monkeypatch.setattr(tasks.registry, "_plugins", lambda: {"adder": Point()})


@pytest.fixture
def sums(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(50):
        numbers = rng.random(5).round(2)
        marks = rng.permutation(5) < 2
        text = " ".join(f"{n}{'*' * int(m)}" for n, m in zip(numbers, marks, strict=True))
        rows.append((text, numbers[marks].sum()))
    path = tmp_path / "sums.csv"
    pd.DataFrame(rows, columns=["numbers", "total"]).to_csv(path, index=False)
    return path


def test_help_and_tasks_know_it(adder, run):
    assert "Adds up the marked numbers of a sequence." in run("fit", "--help").stdout
    assert "tidegate fit adder DATA.csv --sequence SEQUENCE --total TOTAL" in run("tasks").stdout
    shown = run("fit", "adder", "--help").stdout
    assert "--sequence" in shown
    assert "--no-scale" in shown
    assert "default 16)" in shown


def test_it_is_fitted_measured_and_used(adder, run, sums, tmp_path):
    out = tmp_path / "model"
    words = ("--sequence", "numbers", "--hidden-size", "4", "--epochs", "2")
    done = run("fit", "adder", sums, *words, "--test", sums, "--out", out)
    assert done.exit_code == 0, done.output
    assert "mse" in done.stdout
    found = json.loads(run("evaluate", out, sums, "--json").stdout)
    assert set(found) == {"loss", "mse"}
    assert "mse" in run("evaluate", out, sums).stdout
    answers = pd.read_csv(tmp_path / "sums.csv").assign(
        prediction=tidegate.load(out).predict(pd.read_csv(sums)["numbers"])
    )
    assert run("predict", out, sums, "--out", tmp_path / "p.csv").exit_code == 0
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "p.csv"), answers)
    assert len(run("predict", out, "-", stdin="0.5* 0.25 0.1*\n").stdout.split()) == 1
    assert "16" in run("info", out).stdout


def test_help_of_a_model_names_the_columns_of_its_own_task(adder, run, sums, tmp_path):
    out = tmp_path / "model"
    words = ("--sequence", "numbers", "--hidden-size", "2", "--epochs", "1", "--quiet")
    assert run("fit", "adder", sums, *words, "--out", out).exit_code == 0
    for command, targets in (("predict", False), ("evaluate", True), ("doctor", True)):
        shown = run(command, out, "--help").stdout
        assert ("--sequence" in shown, "--total" in shown) == (True, targets)
        assert ("--text" in shown) == (command == "predict")  # of any text on the command line
        assert "--sequence" not in run(command, "--help").stdout


def test_columns_of_another_task_are_refused(adder, run, model, sums):
    shown = one_line(run("evaluate", model, sums, "--sequence", "numbers"))
    assert "--sequence is no option for a text-classifier" in shown


def test_a_model_of_another_task_cannot_be_gone_on_with(adder, run, model, sums, tmp_path):
    done = run(
        "fit", "adder", sums, "--sequence", "numbers", "--from", model, "--out", tmp_path / "m"
    )
    assert "`--from` must be a model of the task adder; got text-classifier" in one_line(done)

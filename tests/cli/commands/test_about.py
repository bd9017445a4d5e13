"""`tidegate info` and `tidegate tasks`."""

from __future__ import annotations

import platform
import re
from importlib.metadata import version

import pytest
import torch

import tidegate
from tests.cli.conftest import one_line
from tidegate.kernels import library


def test_info_tells_versions_threads_and_backends(run):
    done = run("info")
    assert done.exit_code == 0
    assert tidegate.__version__ in done.stdout
    assert platform.python_version() in done.stdout
    assert f"torch {version('torch')}" in done.stdout
    assert f"of which torch uses {torch.get_num_threads()}" in done.stdout
    for cell in ("lstm", "gru", "rnn"):
        assert re.search(rf"^{cell} +\w+ runs it", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("installed", [True, False])
def test_info_tells_the_instruction_set_or_how_to_get_the_speed(run, monkeypatch, installed):
    if not installed:
        problem = "The native library is not installed: a C++ compiler at install time builds it"
        monkeypatch.setattr(library, "LIBRARY", None)
        monkeypatch.setattr(library, "PROBLEM", problem)
    elif library.LIBRARY is None:
        pytest.skip(library.PROBLEM)
    shown = " ".join(run("info").stdout.split())
    assert f"native library {library.describe()}" in shown
    assert ("this machine runs" in shown) == installed
    assert ("a C++ compiler at install time builds it" in shown) == (not installed)


def test_info_of_a_model_tells_what_it_is_and_how_to_use_it(run, model):
    shown = run("info", model).stdout
    task = tidegate.load(model)
    assert "text-classifier" in shown
    assert f"{task.number_of_parameters:,}" in shown
    assert "no, yes" in shown
    assert re.search(r"^vocabulary +\d+", shown, re.MULTILINE)
    assert "text = text, label = label" in shown
    assert f"{task.metrics_['validation']['accuracy']:.4f}" in shown
    assert re.search(r"^hidden_size +4 +\(default 64\)", shown, re.MULTILINE)
    assert f'model = tidegate.load("{model}")' in shown
    assert f"tidegate predict {model} DATA.csv" in shown


def test_info_of_something_else_is_one_line(run, tmp_path):
    assert "must be a model's folder" in one_line(run("info", tmp_path / "none"))


def test_tasks_gives_each_a_sentence_and_a_command(run):
    lines = run("tasks").stdout.splitlines()
    assert "anomaly-detector" in lines
    sentence, command = lines[lines.index("text-classifier") + 1 :][:2]
    assert sentence.strip().endswith(".")
    assert command.split()[:4] == ["tidegate", "fit", "text-classifier", "DATA.csv"]
    assert "--text TEXT --label LABEL --out model/" in command

"""Tasks are found by name, from the files of the package and from installed plug-ins."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest

from tidegate import tasks
from tidegate.errors import InputError
from tidegate.tasks.core.task import Task
from tidegate.tasks.text.classifier import TextClassifier


def test_names_are_those_of_the_files():
    assert "text-classifier" in tasks.names()
    assert not {"base", "rows", "settings", "option", "classifier", "saved"} & set(tasks.names())
    for name in tasks.names():
        cls = tasks.get(name)
        assert issubclass(cls, Task)
        assert cls.task_name() == name


def test_an_unknown_task_gets_did_you_mean():
    with pytest.raises(InputError, match="Did you mean 'text-classifier'"):
        tasks.get("text-clasifier")


def test_listing_tasks_imports_nothing_heavy():
    code = "import sys; from tidegate import tasks; tasks.names(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_another_package_adds_a_task_by_an_entry_point(monkeypatch):
    point = importlib.metadata.EntryPoint(
        "my-classifier", "tidegate.tasks.text.classifier:TextClassifier", "tidegate.tasks"
    )
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    assert "my-classifier" in tasks.names()
    assert tasks.get("my-classifier") is TextClassifier

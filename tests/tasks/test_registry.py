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


BROKEN = {
    "import": "import no_such_module",
    "exit": "raise SystemExit(3)",
    "error": "raise RuntimeError('of another\\npackage')",
    "nothing": "x = 1",
    "no task": "class Broken: pass",
}


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_named_and_stops_no_other_task(code, tmp_path, monkeypatch):
    (tmp_path / "broken_task.py").write_text(code + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_task", raising=False)
    point = importlib.metadata.EntryPoint("broken", "broken_task:Broken", "tidegate.tasks")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    assert tasks.get("text-classifier") is TextClassifier
    told = [tasks.outline(name).sentence for name in tasks.names()]
    (broken,) = [sentence for sentence in told if sentence.startswith("Cannot be used")]
    assert "`broken` must be a plug-in that works (broken_task:Broken); got " in broken
    assert "\n" not in broken
    with pytest.raises(InputError, match="Mend that package, or uninstall it"):
        tasks.get("broken")
    monkeypatch.delitem(sys.modules, "broken_task", raising=False)

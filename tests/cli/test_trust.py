"""`--trust`: every command that loads a model runs none of its functions without it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, one_line

CUT = """
from pathlib import Path
(Path(__file__).parent / "imported").touch()

def cut(text):
    return text.split()
"""


@pytest.fixture
def hostile(model, tmp_path, monkeypatch) -> Path:
    """A model that names a function of a module that notes when it is imported."""
    (tmp_path / "hostile_cut.py").write_text(CUT, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "hostile_cut", None)
    del sys.modules["hostile_cut"]
    monkeypatch.chdir(tmp_path)
    path = Path(shutil.copytree(model, tmp_path / "hostile"))
    for name, keys in {"config.json": ["settings"], "encoder.json": []}.items():
        found = json.loads((path / name).read_text(encoding="utf-8"))
        inside = found
        for key in keys:
            inside = inside[key]
        inside["tokenizer"] = "hostile_cut:cut"
        (path / name).write_text(json.dumps(found), encoding="utf-8")
    return path


COMMANDS = {
    "predict": ["predict", "MODEL", "a good text"],
    "evaluate": ["evaluate", "MODEL", "DATA"],
    "doctor": ["doctor", "MODEL"],
    "explain": ["explain", "MODEL", "a good text", "--out", "why.json"],
    "info": ["info", "MODEL"],
    "fit": ["fit", "text-classifier", "DATA", "--from", "MODEL", "--out", "more", "--epochs", "1"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_function_runs_only_when_the_user_names_it(run, hostile, table, name):
    there = {"MODEL": str(hostile), "DATA": str(table)}
    words = [there.get(word, word) for word in COMMANDS[name]]
    said = one_line(run(*words))
    assert "got 'hostile_cut:cut'. Nothing was run." in said
    assert said.rstrip().endswith("--trust hostile_cut:cut.")
    assert not (hostile.parent / "imported").exists()
    done = run(*words, "--trust", "hostile_cut:cut")
    assert done.exit_code == 0, done.output
    assert (hostile.parent / "imported").exists()


@pytest.mark.parametrize("command", ["generate", "watch"])
def test_the_commands_of_single_tasks_take_it_too(run, hostile, command):
    words = [command, hostile] + (["so"] if command == "generate" else [])
    assert "--trust hostile_cut:cut" in one_line(run(*words))
    assert "must be a saved" in one_line(run(*words, "--trust", "hostile_cut:cut"))
    assert "must be a list of names" in one_line(run(*words, "--trust", "hostile_cut"))


def test_a_fit_without_a_model_to_go_on_from_trusts_nothing(run, table, tmp_path):
    words = ["fit", "text-classifier", table, *TINY, "--out", tmp_path / "new"]
    assert "`--trust` must be left out without --from" in one_line(run(*words, "--trust", "a:b"))

"""The benchmark of the defaults: its table, and what its file keeps."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import pytest

# The archive of sources has the tests and not the benchmarks.
pytest.importorskip("benchmarks.defaults")

from benchmarks import defaults
from benchmarks.suite.target import at_least
from benchmarks.untuned.part import Part


def toy(score):
    rows = [{"set": "a", "rows": 50, "score": score}, {"set": "bb", "rows": 100, "naive": None}]
    return Part("Toys", rows, [at_least("score", 0.5, score, "")], ["made up"])


def run(monkeypatch, tmp_path, score, *arguments):
    for name in ("series", "text"):
        module = ModuleType(f"benchmarks.untuned.{name}")
        module.measure = lambda data, draws: toy(score + draws)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    defaults.main(["--out", str(tmp_path), *arguments])


def test_a_table_has_aligned_columns_and_a_dash_for_what_is_missing():
    lines = toy(0.25).table().splitlines()
    assert lines[0] == "Toys"
    assert lines[1].split() == ["set", "rows", "score", "naive"]
    assert lines[2].split() == ["a", "50", "0.250", "–"]
    assert lines[3].split() == ["bb", "100", "–", "–"]
    assert len({len(line) for line in lines[1:4]}) == 1
    assert lines[4] == "  made up"


def test_parts_that_are_not_asked_for_keep_what_was_found(monkeypatch, tmp_path, capsys):
    run(monkeypatch, tmp_path, 0.25, "--parts", "series")
    assert "MISSED" in capsys.readouterr().out
    run(monkeypatch, tmp_path, 0.75, "--parts", "text")
    kept = json.loads((tmp_path / "defaults.json").read_text())
    assert list(kept) == ["date", "machine", "series", "text"]
    assert [kept[name]["rows"][0]["score"] for name in ("text", "series")] == [0.75, 0.25]
    assert kept["text"]["targets"][0]["met"] is True


def test_other_draws_are_shown_and_not_kept(monkeypatch, tmp_path, capsys):
    run(monkeypatch, tmp_path, 0.25, "--parts", "text", "--draws", "2")
    assert "2.250" in capsys.readouterr().out
    assert not (tmp_path / "defaults.json").exists()

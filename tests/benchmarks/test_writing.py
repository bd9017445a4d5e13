"""The benchmark of writing: the loops agree on what is likeliest, and a small run fills a row."""

from __future__ import annotations

import json

import pytest

# The archive of sources has the tests and not the benchmarks.
pytest.importorskip("benchmarks.writing")

from benchmarks import writing
from tidegate import LanguageModel


def test_a_small_run_writes_its_rows(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(writing, "MODELS", {"tiny": {"num_layers": 2, "hidden_size": 8}})
    writing.main(["--length", "40", "--rounds", "1", "--out", str(tmp_path)])
    row = json.loads((tmp_path / "writing.json").read_text())["rows"]["tiny"]
    torch = row["torch"], row["torch, 1 thread"]
    assert row["times"] == pytest.approx(row["tidegate"] / max(torch), rel=1e-2)
    assert "times faster" in capsys.readouterr().out


def test_loops_that_disagree_are_refused(monkeypatch):
    settings = {"num_layers": 1, "hidden_size": 8}
    text = writing.fitted(settings).generate(writing.PROMPT, length=40, temperature=0)
    swapped = text.swapcase()
    monkeypatch.setattr(LanguageModel, "generate", lambda self, prompt, **options: swapped)
    with pytest.raises(AssertionError, match="the loops disagree"):
        writing.measured(settings, 40, 1)

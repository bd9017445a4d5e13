"""The writing demo: what it shows and writes is what it promises."""

from __future__ import annotations

import functools

import pytest

import tidegate
from tidegate.datasets import load_tiny_shakespeare
from tidegate.demo import write


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less text, and a small net."""
    monkeypatch.setattr(write, "load_tiny_shakespeare", lambda: load_tiny_shakespeare()[:40_000])
    small = functools.partial(tidegate.LanguageModel, hidden_size=8, batch_size=4)
    monkeypatch.setattr(write, "LanguageModel", small)


def test_it_writes_a_model_and_samples(quick, tmp_path, capsys):
    out = tmp_path / "out"
    outcome = write.write_shakespeare(out, False)
    assert capsys.readouterr().out == ""
    model = tidegate.load(out / "model")
    (row,) = outcome.figures
    assert float(row["loss"]) == pytest.approx(model.metrics_["validation"]["loss"], abs=6e-4)
    samples = (out / "samples.txt").read_text()
    assert samples.count("After ") == 6  # 10, 20, 40, 80, 160 and 320 updates
    last = model.generate("\n\nROMEO:\n", length=600, temperature=0.8, seed=0)
    assert last.strip("\n") in outcome.verdict
    assert last.strip("\n") in samples
    assert str(out / "model") in outcome.summary
    assert [words[0] for words in outcome.commands] == ["generate", "generate", "info"]


def test_samples_are_shown_as_it_learns_and_do_not_change_what_it_learns(quick, tmp_path, capsys):
    write.write_shakespeare(tmp_path / "shown", True)
    shown = capsys.readouterr().out
    assert shown.count("After ") == 6
    assert "(loss " in shown
    assert shown.count("epoch ") == 6
    assert "\n\nROMEO:\n" in shown
    alone = write.LanguageModel(num_layers=1, epochs=6, dropout=0.2, verbose=False)
    alone.fit(write.load_tiny_shakespeare())
    found = tidegate.load(tmp_path / "shown" / "model")
    assert found.metrics_ == alone.metrics_

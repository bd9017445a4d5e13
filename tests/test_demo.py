"""The demos: found by name, and what they write is what they promise."""

from __future__ import annotations

import pandas as pd
import pytest

import tidegate
from tests.cli.conftest import rows
from tidegate import datasets, demo
from tidegate.errors import InputError


@pytest.fixture
def few_messages(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """A data set small enough to learn in a second, some of its messages sent twice."""
    names = {"yes": "ham", "no": "spam"}
    frame = pd.DataFrame(
        [(text, names[label]) for text, label in rows(60) + rows(6)], columns=["text", "label"]
    )
    monkeypatch.setattr(datasets, "load_sms_spam", lambda: frame)
    return frame


def test_demos_are_found_by_name():
    assert "spam" in demo.names()
    assert demo.get("spam").name == "spam"
    with pytest.raises(InputError, match=r"must be a demo; got .spma.* Did you mean .spam."):
        demo.get("spma")


def test_the_spam_demo_splits_without_leak_and_saves_what_it_learned(few_messages, tmp_path):
    outcome = demo.get("spam").run(tmp_path / "out", False)
    parts = {name: pd.read_csv(tmp_path / "out" / f"{name}.csv") for name in ("train", "test")}
    assert not set(parts["train"]["text"]) & set(parts["test"]["text"])
    assert len(parts["train"]) + len(parts["test"]) == len(few_messages)
    assert set(parts["test"]["label"]) == {"ham", "spam"}
    assert outcome.folder == tmp_path / "out" / "model"
    assert (outcome.folder / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    model = tidegate.load(outcome.folder)
    assert model.metrics_["test"]["accuracy"] == outcome.report["accuracy"]
    assert sum(map(sum, outcome.report["confusion_matrix"])) == len(parts["test"])
    assert model.columns_ == {"text": "text", "label": "label"}
    assert len(outcome.fresh) == 3
    assert not set(outcome.fresh) & set(datasets.load_sms_spam()["text"])


def test_the_split_is_fixed(few_messages, tmp_path):
    for name in ("one", "two"):
        demo.get("spam").run(tmp_path / name, False)
    for file in ("train.csv", "test.csv", "model/model.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_place_that_cannot_be_used_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"file.* must be a folder that can be written to"):
        demo.get("spam").run(tmp_path / "file", False)
    (tmp_path / "out" / "model").mkdir(parents=True)
    (tmp_path / "out" / "model" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="must be a new folder or a tidegate model"):
        demo.get("spam").run(tmp_path / "out", False)
    assert (tmp_path / "out" / "model" / "notes.txt").read_text() == "mine"


def test_the_fresh_messages_are_not_in_the_data():
    known = set(datasets.load_sms_spam()["text"])
    assert not set(demo._FRESH) & known

"""The spam demo: what it writes is what it promises."""

from __future__ import annotations

import pandas as pd
import pytest

import tidegate
from tests.cli.conftest import rows
from tidegate.datasets import load_sms_spam
from tidegate.demo import spam
from tidegate.errors import InputError


@pytest.fixture
def few_messages(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """A data set small enough to learn in a second, some of its messages sent twice."""
    names = {"yes": "ham", "no": "spam"}
    texts = [
        (text.replace(", row", ", now the"), names[label]) for text, label in rows(60) + rows(6)
    ]
    frame = pd.DataFrame(texts, columns=["text", "label"])
    monkeypatch.setattr(spam, "load_sms_spam", lambda: frame)
    return frame


def test_it_splits_without_leak_and_saves_what_it_learned(few_messages, tmp_path):
    outcome = spam.filter_spam(tmp_path / "out", False)
    parts = {name: pd.read_csv(tmp_path / "out" / f"{name}.csv") for name in ("train", "test")}
    assert not set(parts["train"]["text"]) & set(parts["test"]["text"])
    assert len(parts["train"]) + len(parts["test"]) == len(few_messages)
    assert set(parts["test"]["label"]) == {"ham", "spam"}
    folder = tmp_path / "out" / "model"
    assert str(folder) in outcome.summary
    assert (folder / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    model = tidegate.load(folder)
    assert model.metrics_["test"]["accuracy"] == outcome.report["accuracy"]
    assert sum(map(sum, outcome.report["confusion_matrix"])) == len(parts["test"])
    assert model.columns_ == {"text": "text", "label": "label"}
    assert outcome.answers.model.predict(spam.FRESH).shape == (3,)
    assert outcome.answers.inputs == spam.FRESH


def test_the_split_is_fixed(few_messages, tmp_path):
    for name in ("one", "two"):
        spam.filter_spam(tmp_path / name, False)
    for file in ("train.csv", "test.csv", "model/model.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "out" / "model").mkdir(parents=True)
    (tmp_path / "out" / "model" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="must be a new folder or a tidegate model"):
        spam.filter_spam(tmp_path / "out", False)
    assert (tmp_path / "out" / "model" / "notes.txt").read_text() == "mine"


def test_the_fresh_messages_are_not_in_the_data():
    assert not set(spam.FRESH) & set(load_sms_spam()["text"])

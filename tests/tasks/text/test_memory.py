"""The linear part of a text classifier is weighed before it is made."""

from __future__ import annotations

import pytest

import tidegate
from tests.tasks.texts import small, texts
from tidegate.errors import InputError
from tidegate.tasks.text.memory import check_wide
from tidegate.tasks.text.settings import TextClassifierSettings
from tidegate.training import memory as training_memory


def test_each_pair_of_a_word_and_a_class_is_eight_numbers(monkeypatch):
    needed = 8 * 4 * (50 + 30) * 20
    monkeypatch.setattr(training_memory, "free_memory", lambda device: needed)
    check_wide(TextClassifierSettings(), 50, 30, 20)
    monkeypatch.setattr(training_memory, "free_memory", lambda device: needed - 1)
    told = r"`wide` must be .*; got 50 words and 30 n-grams for each of 20 classes, about 0.0 GiB"
    with pytest.raises(InputError, match=told + r"\. Lower max_vocabulary or max_ngrams, raise"):
        check_wide(TextClassifierSettings(), 50, 30, 20)


def test_a_fit_is_refused_before_the_linear_part_is_made_and_a_saved_model_is_loaded(
    monkeypatch, tmp_path
):
    rows = texts(24)
    model = small(wide=1.0, epochs=1).fit(*rows)
    model.save(tmp_path / "model")
    monkeypatch.setattr(training_memory, "free_memory", lambda device: 1000)
    again = tidegate.load(tmp_path / "model")
    assert (again.predict_proba(rows[0]) == model.predict_proba(rows[0])).all()
    with pytest.raises(InputError, match=r"TextClassifier: `wide` must be small enough"):
        small(wide=1.0).fit(*rows)
    with pytest.raises(InputError, match=r"TextClassifier: `network` must be small enough"):
        small(wide=0.0).fit(*rows)

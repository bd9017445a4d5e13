"""The tagging demo: what it writes is what it promises, and the commands it prints work."""

from __future__ import annotations

import shlex

import pandas as pd
import pytest

import tidegate
from tests.cli.conftest import run
from tidegate.datasets import load_ud_english_ewt
from tidegate.demo import tag
from tidegate.tasks.tagging.tagger import Tagger

__all__ = ["run"]  # a fixture, found by its name in this module


@pytest.fixture
def few_sentences(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """A few dozen sentences of each part, and a tagger that learns them in a second."""
    words = load_ud_english_ewt()
    parts = [part[part["sentence"] < part["sentence"].min() + 40]
             for _, part in words.groupby("split", sort=False)]  # fmt: skip
    few = pd.concat(parts)
    seen = few[few["split"] == "train"]
    few = few[few["upos"].isin(set(seen["upos"])) & few["xpos"].isin(set(seen["xpos"]))]
    monkeypatch.setattr(tag, "load_ud_english_ewt", lambda: few)
    small = {"epochs": 2, "hidden_size": 4, "embedding_size": 4, "character_units": 2}
    monkeypatch.setattr(tag, "Tagger", lambda **options: Tagger(**options, **small))
    return few


def test_it_learns_shows_and_proposes_what_works(few_sentences, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("demo", "tag", "--out", "out", "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    answers = done.stdout.split("never seen:")[1].split("Worth trying next:")[0].split("\n\n")[1]
    assert answers.count("\n") == 2
    assert answers.count("[") == sum(len(text) for text in _words())
    commands = done.stdout.split("Worth trying next:\n")[1].strip().splitlines()
    assert len(commands) == 3
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "tidegate"
        quick = ["--epochs", "1", "--hidden-size", "4"] if words[0] == "fit" else []
        tried = run(*words, *quick)
        assert tried.exit_code == 0, (command, tried.output)
    model = tidegate.load(tmp_path / "out" / "model")
    words = pd.read_csv(tmp_path / "out" / "words.csv", keep_default_na=False)
    assert words["token"].tolist() == few_sentences["token"].tolist()
    assert model.columns_ == {"sentence": "sentence", "token": "token", "tag": "upos"}
    assert set(model.metrics_) == {"train", "validation", "test"}


def _words():
    from tidegate.data.text.tokens import find_words

    return [find_words(text) for text in tag.FRESH]


def test_the_fresh_sentences_are_not_in_the_data():
    words = load_ud_english_ewt().groupby("sentence")["token"].agg(" ".join)
    assert not set(tag.FRESH) & set(words)

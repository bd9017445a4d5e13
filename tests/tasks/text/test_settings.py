"""TextClassifierSettings: defaults that depend on others, and what excludes what."""

from __future__ import annotations

import pytest

from tidegate.data.text.options import TextOptions
from tidegate.errors import InputError
from tidegate.tasks.text.settings import TextClassifierSettings


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ({}, 0.5),
        ({"pretrained": "model"}, 0.1),
        ({"embedding_dropout": 0.0}, 0.0),
        ({"pretrained": "model", "embedding_dropout": 0.3}, 0.3),
    ],
)
def test_pretrained_layers_know_all_features(values, share):
    assert TextClassifierSettings(**values).vector_dropout == share


def test_a_language_model_brings_its_own_vectors():
    said = r"TextClassifier: `vectors` must be left out with pretrained; got glove\.txt"
    with pytest.raises(InputError, match=said):
        TextClassifierSettings(pretrained="model", vectors="glove.txt")


@pytest.mark.parametrize("name", ["lowercase", "clean", "max_length", "level", "min_frequency"])
def test_defaults_of_the_encoder_are_those_of_the_task(name):
    assert getattr(TextClassifierSettings(), name) == getattr(TextOptions(), name)


def test_the_help_of_what_was_declared_before_is_kept():
    options = TextClassifierSettings.options()
    assert options["bidirectional"].help == "Read the sequence from both ends."
    assert options["bidirectional"].default is True
    assert options["tokenizer"].cli is False


def test_a_tokenizer_travels_by_its_name():
    settings = TextClassifierSettings(tokenizer=str.split)
    told = settings.to_json()
    assert told["tokenizer"] == "builtins:str.split"
    assert TextClassifierSettings.from_json(told).tokenizer is str.split

"""The settings of language models: what follows from the level, and what excludes what."""

from __future__ import annotations

import pytest

from tidegate.errors import InputError
from tidegate.tasks.language.settings import LanguageModelSettings


@pytest.mark.parametrize(
    ("given", "vector", "tied"),
    [
        ({}, 64, False),
        ({"level": "word", "hidden_size": 300}, 300, True),
        ({"level": "bpe", "hidden_size": 300, "embedding_size": 20}, 20, True),
        ({"level": "word", "hidden_size": 300, "softmax": "adaptive"}, 300, False),
        ({"level": "char", "tied": True}, 64, True),
    ],
)
def test_what_follows_from_the_level(given, vector, tied):
    settings = LanguageModelSettings(**given)
    assert (settings.vector_size, settings.is_tied) == (vector, tied)


def test_dropout_between_layers_is_the_same_unless_said():
    assert LanguageModelSettings(dropout=0.4).between == 0.4
    assert LanguageModelSettings(dropout=0.4, hidden_dropout=0.1).between == 0.1
    assert LanguageModelSettings(dropout=0.4, hidden_dropout=0.0).between == 0.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"bidirectional": True}, "what comes next must not be read"),
        ({"tied": True, "softmax": "adaptive"}, "`tied` must be False with an adaptive softmax"),
        ({"mixtures": 3, "softmax": "full"}, "`mixtures` must be left out without a mixture"),
        ({"level": "chars"}, "Did you mean 'char'"),
        ({"weight_averaging": 0.9, "average_after": 5}, "must be 0 with average_after"),
    ],
)
def test_what_excludes_what(given, told):
    with pytest.raises(InputError, match=told):
        LanguageModelSettings(**given)

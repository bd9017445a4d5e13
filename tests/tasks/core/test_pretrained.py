"""What one task takes of another: who teaches, and what is handed on."""

from __future__ import annotations

import pytest
import torch

from tidegate import LanguageModel, TextClassifier, tasks
from tidegate.errors import InputError
from tidegate.tasks.core.pretrained import Teacher

TEXT = "the tide comes in, the tide goes out. " * 8
QUICK = {"hidden_size": 4, "num_layers": 1, "epochs": 1, "batch_size": 2, "verbose": False}


def test_language_models_teach_and_nobody_else():
    teachers = [name for name in tasks.names() if issubclass(tasks.get(name), Teacher)]
    assert teachers == ["language-model"]
    assert isinstance(LanguageModel(), Teacher)
    assert not isinstance(TextClassifier(), Teacher)


@pytest.mark.parametrize("level", ["char", "word", "bpe"])
def test_what_is_handed_on_is_that_of_the_network(level):
    sizes = {"embedding_size": 4, "max_vocabulary": 270}
    model = LanguageModel(**QUICK, level=level, **sizes).fit(TEXT, validation=None)
    found = model.pretrained()
    assert found.settings == model.settings_
    assert found.vectors.shape[1] == 4
    assert not found.vectors[0].any()  # padding
    symbols = found.symbols if isinstance(found.symbols, list) else found.symbols.words
    assert len(found.vectors) >= len(symbols)
    own = model.network_.stacks[0].state_dict()
    assert found.weights.keys() == own.keys()
    assert all(torch.equal(found.weights[name], own[name]) for name in own)


def test_a_kind_that_others_cannot_read_is_refused():
    by_space = LanguageModel(**QUICK, level="space").fit(TEXT, validation=None)
    with pytest.raises(InputError, match=r"of words, sub-words or characters; got level='space'"):
        by_space.pretrained()
    sizes = {"num_layers": 2, "embedding_size": 3, "tied": True}
    narrow = LanguageModel(**QUICK | sizes).fit(TEXT, validation=None)
    with pytest.raises(InputError, match="layers are of one size; got layers of 4 and 3"):
        narrow.pretrained()

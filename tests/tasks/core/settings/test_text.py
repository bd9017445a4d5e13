"""Settings of tasks on texts: declared once, and refused where they make no sense."""

from __future__ import annotations

import dataclasses

import pytest

from tidegate.data.text.cleaning import CLEANERS
from tidegate.errors import InputError
from tidegate.tasks import get
from tidegate.tasks.core.settings.text import CleanedSettings, SymbolSettings, WordSettings

SHARED = {
    "text-classifier": [SymbolSettings, CleanedSettings, WordSettings],
    "tagger": [SymbolSettings, WordSettings],
    "language-model": [SymbolSettings, CleanedSettings],
}


@pytest.mark.parametrize(
    ("name", "shared"), [(name, each) for name, all_of_it in SHARED.items() for each in all_of_it]
)
def test_what_tasks_share_differs_in_defaults_and_words_alone(name, shared):
    own = get(name).settings_class
    for field in dataclasses.fields(shared):
        option, base = own.options()[field.name], shared.options()[field.name]
        for part in ("minimum", "maximum", "choices", "structural", "group"):
            assert getattr(option, part) == getattr(base, part), (field.name, part)


def test_the_help_names_every_cleaner():
    told = CleanedSettings.options()["clean"].help
    assert all(name in told for name in CLEANERS)


def test_vectors_that_are_frozen_must_be_brought_along():
    assert WordSettings(freeze_vectors=True, vectors="glove.txt").freeze_vectors
    with pytest.raises(
        InputError, match=r"`freeze_vectors` must be False without vectors; got True"
    ):
        WordSettings(freeze_vectors=True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"min_frequency": 0}, "`min_frequency` must be an integer >= 1"),
        ({"max_vocabulary": 0}, "`max_vocabulary` must be an integer >= 1"),
        ({"max_vocabulary": None}, "`max_vocabulary` must be an integer >= 1; got None"),
        ({"embedding_size": 65537}, "`embedding_size` must be an integer >= 1 and <= 65536"),
        ({"word_dropout": 1.0}, r"`word_dropout` must be a number >= 0 and <= 0\.95"),
        ({"lowercase": 1}, "`lowercase` must be True or False"),
    ],
)
def test_values_out_of_range_are_refused(values, said):
    with pytest.raises(InputError, match=said):
        WordSettings(**values)

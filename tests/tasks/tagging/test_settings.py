"""TaggerSettings: what cannot be is refused in one line."""

from __future__ import annotations

import pytest

from tidegate.errors import InputError
from tidegate.tasks.tagging.settings import TaggerSettings


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"scheme": "bioes"}, "`scheme` must be one of 'auto', 'iob1', 'bio', 'iobes', 'none'"),
        ({"learned_scheme": "none"}, "`learned_scheme` must be one of 'iobes', 'bio'"),
        ({"freeze_vectors": True}, "`freeze_vectors` must be False without vectors"),
        ({"max_characters": 1}, "`max_characters` must be an integer >= 2"),
        ({"rare_word_dropout": -1}, "`rare_word_dropout` must be a number >= 0"),
    ],
)
def test_wrong_settings(settings, told):
    with pytest.raises(InputError, match=f"Tagger: {told}"):
        TaggerSettings(**settings)

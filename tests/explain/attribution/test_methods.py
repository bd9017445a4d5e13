"""Methods by name."""

from __future__ import annotations

import pytest

from tests.explain.nets import ragged, text_net
from tidegate.errors import InputError
from tidegate.explain.attribution.methods import METHODS, read_method


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_its_own_name(name):
    found = read_method("attribute", name)(text_net(), ragged(), 1)
    assert found.method == name
    assert found.target.tolist() == [1] * 4


def test_an_unknown_method_is_refused():
    with pytest.raises(InputError, match=r"`method` must be one of.*'gates'; got 'gate'. Did you"):
        read_method("attribute", "gate")

"""Labels: words stand apart, characters do not."""

from __future__ import annotations

import pytest

from tidegate.explain.labels import between


@pytest.mark.parametrize(
    ("tokens", "gap"),
    [
        (["to", "be"], " "),
        ("to be", ""),
        (["a", "é", "␣"], ""),
        (["a", "", "b"], ""),
        (["a", "10"], " "),
        ([1, 2], ""),
        ([1, 20], " "),
        ([], ""),
        (iter(["a", "bc"]), " "),
    ],
)
def test_what_stands_between_tokens_in_writing(tokens, gap):
    assert between(tokens) == gap

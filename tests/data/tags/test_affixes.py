"""Affixes and shapes worked by hand."""

from __future__ import annotations

import pytest

from tidegate.data.tags.affixes import COUNT, affixes, shape


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("", ""), ("a", "x"), ("USA", "XX"), ("London", "Xxx"), ("iPhone", "xXxx"),
        ("1,234.50", "d,dd.dd"), ("A-B-C-D-E-F-G", "X-X-X-X-X-"), ("....", ".."), ("Ünal", "Xxx"),
        ("日本語", "日本語"),
    ],
)  # fmt: skip
def test_shapes(word, expected):
    assert shape(word) == expected


def test_prefixes_and_suffixes_of_every_length():
    found = affixes("Rowing")
    assert found[:4] == ["1<r", "2<ro", "3<row", "4<rowi"]
    assert found[4:8] == ["1>g", "2>ng", "3>ing", "4>wing"]
    assert found[8] == "Xxx"


@pytest.mark.parametrize("word", ["", "a", "go", "Rowing", "-", "x" * 1000])
def test_every_word_has_as_many(word):
    assert len(affixes(word)) == COUNT
    assert len(set(affixes(word)[:8])) == 8

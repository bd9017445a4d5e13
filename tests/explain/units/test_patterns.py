"""Patterns: what is marked, token by token."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tidegate.errors import InputError
from tidegate.explain import mark


def marked(text, pattern):
    tokens = text.split()
    return [token for token, yes in zip(tokens, mark([tokens], pattern)[0], strict=True) if yes]


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ('he said " go away " twice', "inside quotes", "go away"),
        ('say " to the end', "inside quotes", "to the end"),
        ("“ so ” and « da »", "inside quotes", "so da"),
        ("it is not very good", "before a negation", "is"),
        ("not now", "before a negation", ""),
        ("it isn't a really good film", "after a negation", "a really good"),
        ("no . it is", "after a negation", ""),
        ("never not here at all today", "after a negation", "here at all"),
        ("call 0800 or b2b now", "number", "0800 b2b"),
        ("a good film a bad film", "film", "film film"),
        ("a good film", "good film", "good film"),
        ("a good film", r"oo", "good"),
        ("a good film", re.compile(r"\bg\w+"), "good"),
        ("a good film", r"x*", ""),  # an empty match touches nothing
        ("a good film", lambda row: [len(token) == 4 for token in row], "good film"),
    ],
)
def test_texts(text, pattern, expected):
    assert marked(text, pattern) == expected.split()


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ('say "to be" or', "inside quotes", ".....to be...."),
        ("if x:\n    y\n \tz  \n", "indentation", "......    .. \t...."),
        ("  \n\nab", "indentation", "  ...."),
        ("ROMEO:\nO, she\nKing:", r"(?m)^\w+:$", "ROMEO:........King:"),
        ("0123456\n01234\n0", "far into a line", "....456\n....4\n."),
        ("", "far into a line", ""),
        ("one two", "one", "one...."),
    ],
)
def test_characters(text, pattern, expected):
    """What is marked stands in `expected`, a dot in the place of the rest."""
    (found,) = mark([list(text)], pattern)
    assert "".join(s if yes else "." for s, yes in zip(text, found, strict=True)) == expected


def test_single_characters_are_joined_by_nothing():
    assert mark([list("a cat")], "ca") == [[False, False, True, True, False]]


def test_series():
    rows = [np.array([1.0, 2.0, 2.0, 0.5]), np.array([])]
    assert mark(rows, "rising") == [[False, True, False, False], []]
    assert mark(rows, "falling") == [[False, False, False, True], []]


def test_no_rows_and_empty_rows():
    assert mark([], "x") == []
    for name in ("inside quotes", "before a negation", "after a negation", "x"):
        assert mark([[]], name) == [[]]


def test_a_regular_expression_on_numbers_is_refused():
    with pytest.raises(InputError, match="`pattern` must be a function for a series; got 'up'"):
        mark([[1.0, 2.0]], "up")


def test_a_broken_regular_expression_is_refused():
    with pytest.raises(InputError, match=r"got '\[a' \(unterminated character set"):
        mark([["a"]], "[a")


def test_a_function_that_loses_a_step_is_refused():
    with pytest.raises(InputError, match="returns 2 truth values for row 2; got 1 of them"):
        mark([["a"], ["a", "b"]], lambda row: [True])

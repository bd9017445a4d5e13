"""Spans by characters against the texts that they are cut from."""

from __future__ import annotations

import random
import warnings

import pytest

from tidegate.data.tags.offsets import SpanWarning, has_offsets, read_offsets
from tidegate.data.tags.schemes import Span
from tidegate.data.text.tokens import find_word_spans
from tidegate.errors import InputError


def read(text, *spans):
    return read_offsets([text], [list(spans)], [7], "file", "spans")


def test_spans_of_whole_words_are_these_words_in_every_form():
    text, rng = "Ann, Bob 😀 and 北京 (Zoë's) row to Hull-on-Sea", random.Random(0)
    places = find_word_spans(text)
    for _ in range(50):
        edges = sorted(rng.sample(range(len(places)), 4))
        pairs = [(edges[0], edges[1] - 1), (edges[1], edges[3])]
        spans = [Span(first, max(first, last), "X") for first, last in pairs]
        told = [(places[s.first][0], places[s.last][1], s.label) for s in spans]
        forms = [
            [list(one) for one in told],
            [{"start": a, "end": b, "label": c} for a, b, c in told],
            [{"id": 3, "start_offset": a, "end_offset": b, "label": c} for a, b, c in told],
        ]
        for form in forms:
            rng.shuffle(form)
            words, found = read(text, *form)
            assert found == [spans]
            assert words == [[text[a:b] for a, b in places]]


def test_a_span_that_cuts_a_word_takes_it_in_and_is_counted():
    texts, given = ["Ann", "Bob's dog. "], [[[0, 3, "P"]], [[0, 3, "P"], [5, 11, "Q"]]]
    with pytest.warns(SpanWarning) as told:
        _, found = read_offsets(texts, given, [1, 2], "file", "spans")
    assert found == [[Span(0, 0, "P")], [Span(0, 0, "P"), Span(1, 2, "Q")]]
    start = "file: 2 of 3 spans were moved to the edges of words, the first from 'Bob'"
    assert str(told[0].message) == f"""{start} to "Bob's" in row 2."""


def test_punctuation_parts_words_and_nothing_is_moved():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read("Berlin-based", [0, 6, "LOC"])[1] == [[Span(0, 0, "LOC")]]


@pytest.mark.parametrize(
    ("spans", "told"),
    [
        ([[0, 8, "P"], [4, 8, "P"]], "'P' from 4 to 8 on top of 'P' from 0 to 8 in row 7"),
        ([[0, 3, "P"], [0, 3, "P"]], "on top of"),
        ([[9, 12, "P"], [12, 14, "Q"]], "'Q' from 12 to 14 in one word with 'P' from 9 to 12"),
        ([[0, 99, "P"]], "inside the text, from 0 to 14"),
        ([[-3, 3, "P"]], "from -3 to 3"),
        ([[3, 3, "P"]], "from 3 to 3"),
        ([[3, 0, "P"]], "no end before its start"),
        ([[3, 4, "P"]], "spans with a word"),
        ([[0, 3]], "got [0, 3] in row 7"),
        ([[0, 3, ""]], "must be spans such as"),
        ([[0.0, 3, "P"]], "must be spans such as"),
        ([[True, 3, "P"]], "must be spans such as"),
        ([{"begin": 0, "end": 3, "label": "P"}], "must be spans such as"),
        (["P"], "got 'P' in row 7"),
    ],
)
def test_wrong_spans_are_named_with_their_row(spans, told):
    with pytest.raises(InputError, match=r"^file: `spans` must be") as error:
        read("Ann Reed Bob's", *spans)
    assert told in str(error.value)


def test_lists_beside_texts_are_spans_and_other_cells_are_refused():
    assert has_offsets([None, []])
    assert not has_offsets([None, "pos"])
    with pytest.raises(InputError, match=r"must be lists of spans such as .* got 'pos' in row 2"):
        read_offsets(["Ann", "Bob"], [[], "pos"], [1, 2], "file", "label")

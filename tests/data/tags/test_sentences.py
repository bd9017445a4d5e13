"""Sentences: every word is where it is said to be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.tags.sentences import Sentence, cut_finer, read_sentence
from tidegate.data.text.tokens import find_word_spans, find_words
from tidegate.errors import InputError


@given(st.text())
def test_the_spans_are_those_of_the_words(text):
    spans = find_word_spans(text)
    words = find_words(text)
    assert len(spans) == len(words)
    for (start, end), word in zip(spans, words, strict=True):
        again = find_words(text[start:end])
        assert again == [word] or "'" in word  # an apostrophe at an end is a word of its own
    assert all(one[1] <= two[0] for one, two in pairwise(spans))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ann rows.", ["Ann", "rows", "."]),
        ("don’t go", ["don’t", "go"]),
        ("soft\u00adhyphen x", ["soft\u00adhyphen", "x"]),
        ("e\u0301a b", ["e\u0301a", "b"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_a_text_is_cut_into_pieces_of_itself(text, words):
    sentence = read_sentence(text, 0, "Tagger")
    assert list(sentence.words) == words
    assert sentence.text == text
    assert [text[start:end] for start, end in sentence.places] == words


def test_words_stay_as_they_are():
    for given_words in (["New York", "is"], ("New York", "is"), np.array(["New York", "is"])):
        sentence = read_sentence(given_words, 0, "Tagger")
        assert sentence == Sentence(("New York", "is"))
        assert [sentence.text[start:end] for start, end in sentence.places] == ["New York", "is"]
    assert read_sentence([], 0, "Tagger").places == ()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (5, "made of texts, or of lists of words; got 5 in row 4"),
        (None, "got None in row 4"),
        (b"Ann", "in row 4"),
        (["Ann", 5], "made of words with a character; got 5 at word 2 of row 4"),
        (["Ann", ""], "got '' at word 2 of row 4"),
        (["Ann", float("nan")], "got nan at word 2 of row 4"),
    ],
)
def test_what_is_no_sentence_is_named(wrong, told):
    with pytest.raises(InputError, match=f"Tagger: `X` must be .*{told}"):
        read_sentence(wrong, 3, "Tagger")


@pytest.mark.parametrize("given", ["a " * 100_001, ["a"] * 100_001])
def test_a_book_in_one_line_is_refused(given):
    with pytest.raises(InputError, match="at most 100,000 words; got 100,001 in row 3"):
        read_sentence(given, 2, "T")


@pytest.mark.parametrize("wrong", ["Ann \ud800", ["Ann", "\ud800"]])
def test_half_a_surrogate_pair_is_named_with_its_row(wrong):
    told = r"Tagger: `X` must be valid Unicode; got .* U\+D800 in row 4\."
    with pytest.raises(InputError, match=told):
        read_sentence(wrong, 3, "Tagger")


@pytest.mark.parametrize(
    ("texts", "vocabulary", "found"),
    [
        (["我在北京", "rows"], ["我", "北京"], (1, "北京")),
        (["我在北京"], ["我", "北", "京"], (0, "")),
        (["ขีขี"], ["ขี"], (0, "")),
        ([["北京"]], ["北京"], (0, "")),
        (["rows"], ["北京"], (0, "")),
    ],
)
def test_texts_that_are_cut_finer_than_words_that_were_learned(texts, vocabulary, found):
    sentences = [read_sentence(text, row, "T") for row, text in enumerate(texts)]
    assert cut_finer(sentences, vocabulary) == found

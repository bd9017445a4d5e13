"""Cutting texts: against Python's re, the tokenizers library, and by hand."""

from __future__ import annotations

import re
import time
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from tidegate.data.text.tokens import (
    Pieces,
    find_word_spans,
    find_words,
    join_words,
    lone_letters,
    single_letter_share,
    split_by,
    split_characters,
    split_spaces,
    split_words,
)
from tidegate.errors import InputError


def spelled(pieces: Pieces) -> list[list[str]]:
    tokens = [pieces.words[code] for code in pieces.codes]
    return [tokens[a:b] for a, b in pairwise(pieces.offsets)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("don't", ["don't"]),
        ("Didn’t she?!", ["Didn't", "she", "?", "!"]),
        ("rock 'n' roll's", ["rock", "'", "n", "'", "roll's"]),
        ("'tis dogs' ''x''", ["'", "tis", "dogs", "'", "'", "'", "x", "'", "'"]),
        ("wouldn't've can\x92t Oʼneil", ["wouldn't've", "can't", "O'neil"]),
        ("3.5 of 10/10 a_b", ["3", ".", "5", "of", "10", "/", "10", "a_b"]),
        ("naïve café cafe\u0301", ["naïve", "café", "cafe\u0301"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Привет, мир!", ["Привет", ",", "мир", "!"]),
        ("❤\ufe0f ok 👍🏽", ["❤\ufe0f", "ok", "👍", "🏽"]),
        ("soft\u00adhyphen zero\u200bwidth \ufeffmark", ["softhyphen", "zero", "width", "mark"]),
        ("a\x00b\tc\u00a0d\u2028e\r\nf", ["a", "b", "c", "d", "e", "f"]),
        ("𞤀𞥄𞤁 Adlam", ["𞤀𞥄𞤁", "Adlam"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words_by_hand(text, words):
    assert find_words(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我爱北京。", ["我", "爱", "北", "京", "。"]),
        ("GPU很快 2024年", ["GPU", "很", "快", "2024", "年"]),
        ("かなとカナ", ["か", "な", "と", "カ", "ナ"]),
        ("ภาษาไทย", ["ภ", "า", "ษ", "า", "ไ", "ท", "ย"]),
        ("กี่คน", ["กี่", "ค", "น"]),
        ("ខ្មែរ", ["ខ្មែ", "រ"]),
        ("한국어 말", ["한국어", "말"]),
        ("don't 停", ["don't", "停"]),
    ],
)
def test_letters_of_scripts_without_spaces_are_tokens(text, words):
    assert find_words(text) == words
    assert [text[start:end] for start, end in find_word_spans(text)] == words


@pytest.mark.parametrize("text", ["我爱北京。", "the GPU 很快。 ok"])
def test_words_are_put_together_as_they_were_written(text):
    assert join_words(find_words(text)).replace(" ", "") == text.replace(" ", "")
    assert "很 快" not in join_words(find_words(text))


PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("äßжλ中文\n"))


@given(PLAIN)
def test_words_are_those_of_the_simple_pattern(text):
    assert find_words(text, unspaced=False) == re.findall(r"\w+(?:'\w+)*|[^\w\s]", text)


@given(PLAIN)
def test_words_are_those_of_the_tokenizers_library(text):
    pattern = Regex(r"\w+(?:'\w+)*|[^\w\s]")
    split = pre_tokenizers.Split(pattern, behavior="removed", invert=True)
    assert find_words(text, unspaced=False) == [word for word, _ in split.pre_tokenize_str(text)]


@given(st.text())
def test_words_found_again_are_the_same(text):
    words = find_words(text)
    assert find_words(" ".join(words)) == words
    assert not any(re.search(r"\s", word) or not word for word in words)


@given(st.lists(st.text(max_size=30), max_size=5))
def test_a_chunk_is_cut_as_its_texts_one_by_one(texts):
    assert spelled(split_words(texts)) == [find_words(text) for text in texts]
    assert spelled(split_characters(texts)) == [list(text) for text in texts]
    assert spelled(split_by(str.split, texts)) == [text.split() for text in texts]


def test_tokens_of_a_function_may_hold_spaces_and_be_empty():
    pieces = split_by(lambda text: text.split("|"), ["New York|is|", "New York"])
    assert spelled(pieces) == [["New York", "is", ""], ["New York"]]
    assert len(pieces.words) == 3


@pytest.mark.parametrize("returned", ["text", None, 3, [1], [None], [["a"]], [b"a"]])
def test_a_function_that_returns_no_strings_is_refused(returned):
    with pytest.raises(InputError, match="`tokenizer` must be a function that returns a list of"):
        split_by(lambda text: returned, ["a"])


def test_counts_and_leaving_out():
    texts = ["to be or not to be", "", "be", "that is the question"]
    pieces = split_words(texts)
    assert dict(pieces.counts()) == Counter(" ".join(texts).split())
    left = pieces.without(frozenset(["be", "to", "nowhere"]))
    assert spelled(left) == [["or", "not"], [], [], ["that", "is", "the", "question"]]
    assert sorted(left.words) == sorted(set(pieces.words) - {"be", "to"})
    assert pieces.without(frozenset(["nowhere"])) is pieces
    assert spelled(pieces.without(frozenset(pieces.words))) == [[], [], [], []]


def test_pieces_hold_arrays_not_objects():
    pieces = split_words(["a b a"] * 10)
    assert pieces.codes.dtype.kind == "i"
    assert pieces.lengths.dtype == np.int64
    assert pieces.words == ["a", "b"]


@given(st.lists(st.text(alphabet="ab'. \t\n\r\v\u00a0é")))
def test_spaces_cut_as_pythons_split_does_for_ascii(texts):
    expected = [re.split(r"[ \t\n\r\v]+", text.strip(" \t\n\r\v")) for text in texts]
    assert spelled(split_spaces(texts)) == [[w for w in words if w] for words in expected]


def test_single_letters_between_spaces_are_counted():
    joined = " ".join("this is a film")
    share, words, letters = single_letter_share([joined])
    assert (share, words, letters) == (1.0, 11, len(set("thisisafilm")))
    assert single_letter_share(["f(x) = x+y, U.S.A. o'k 7 7 7 !"])[0] == 0
    assert single_letter_share(["我 爱 你"]) == (0.0, 3, 0)
    assert single_letter_share(["ש ל ו ם"])[0] == 1.0
    assert single_letter_share([]) == (0.0, 0, 0)


@pytest.mark.parametrize(
    "hostile",
    ["a'" * 200_000, "'" * 200_000, "e\u0301" * 100_000, "\u0301" * 200_000, "𞤀𞥄" * 20_000,
     "\u00ad" * 200_000, "!" * 200_000, "\x00" * 200_000],
    ids=["inner", "quotes", "accents", "marks", "rare", "formats", "signs", "controls"],
)  # fmt: skip
def test_hostile_texts_take_linear_time(hostile):
    start = time.process_time()
    find_words(hostile)
    assert time.process_time() - start < 3


def test_letters_that_are_words_are_listed_where_they_are_not_rare():
    assert lone_letters(["the", "很", "ก"]) == ["很", "ก"]
    assert lone_letters(["a"] * 19 + ["很"]) == ["很"]
    assert lone_letters(["a"] * 20 + ["很"]) == []
    assert lone_letters(["한국", "naïve", "3"]) == []


def test_half_a_character_out_of_a_tokenizer_is_named():
    told = "`tokenizer` must be a function whose tokens are valid Unicode; got the lone surrogate"
    with pytest.raises(InputError, match=told):
        split_by(lambda text: [text, "a\ud83d"], ["fine"])

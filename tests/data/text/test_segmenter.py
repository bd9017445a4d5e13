"""From options to tokens: stop words, and texts that were taken apart by mistake."""

from __future__ import annotations

import random

import pytest

from tidegate.data.text.options import TextOptions
from tidegate.data.text.segmenter import Segmenter
from tidegate.datasets import load_sms_spam
from tidegate.errors import InputError

REVIEWS = [
    "This was a wonderful little film, and I do not say that often about films like it.",
    "A plot hole is a plot hole; I would not watch it again if you paid me to do so!",
    "U r l8 :( c u @ 5, k? I m @ d bus stop n i c d bus",
] * 20


def words(text: str, **options: object) -> list[str]:
    segmenter = Segmenter(TextOptions(**options))
    ((cleaned,),) = segmenter.clean([text], "Owner")
    return segmenter.read(cleaned)


def test_what_is_done_to_a_text():
    raw = "The <i>Sea</i> &amp; me: https://a.org &c."
    assert words(raw) == ["the", "sea", "&", "me", ":", "url", "&", "c", "."]
    assert words(raw, lowercase=False)[:2] == ["The", "Sea"]
    assert words(raw, stop_words=("THE", "&", "me")) == ["sea", ":", "url", "c", "."]
    assert words("ab c", level="char") == ["a", "b", " ", "c"]
    assert words("A-b C", tokenizer=str.split) == ["a-b", "c"]


def test_negations_stay_unless_asked_otherwise():
    assert words("I don’t NOT like it") == ["i", "don't", "not", "like", "it"]
    assert words("I don’t like it", stop_words=["DON'T"]) == ["i", "like", "it"]


@pytest.mark.parametrize("word", ["to be", "", "e.g."])
def test_a_stop_word_is_one_token(word):
    with pytest.raises(InputError, match="`stop_words` must be words of one token each; got"):
        Segmenter(TextOptions(stop_words=("the", word)))


def refused(texts: list[str], **options: object) -> bool:
    segmenter = Segmenter(TextOptions(**options))
    (cleaned,) = segmenter.clean(texts, "Owner")
    try:
        segmenter.refuse_letters(cleaned)
    except InputError:
        return True
    return False


def test_the_error_says_what_was_probably_done():
    with pytest.raises(InputError, match=r"letter by letter, as by ' '\.join\(text\) on a str"):
        Segmenter(TextOptions()).refuse_letters([" ".join(text) for text in REVIEWS])


@pytest.mark.parametrize(
    "taken_apart",
    [
        " ".join,
        lambda text: " ".join(" ".join(text).split()),
        lambda text: " ".join(letter for letter in text.lower() if letter not in "aisdtomy,.!;"),
        lambda text: " ".join(letter for letter in text if letter.isalpha()),
        lambda text: "\n".join(text.upper()),
    ],
    ids=["joined", "spaces", "stop-words", "letters", "lines"],
)
def test_joining_a_joined_text_is_noticed(taken_apart):
    assert refused([taken_apart(text) for text in REVIEWS])


def alphabet(letters: str, words: int = 600) -> list[str]:
    return [" ".join(random.Random(0).choices(letters, k=words))]


@pytest.mark.parametrize(
    "texts",
    [
        REVIEWS,
        load_sms_spam()["text"].tolist()[:500],
        alphabet("ACGT"),
        alphabet("我爱你们好天地人大中小上下"),
        alphabet("0123456789"),
        ["a b c d e f g h i j k l m n"],
        ["x+y=z, 2*a-b/c; f(x)=g(h(t))"] * 60,
        ["U.S.A. vs. U.K. - A/B/C/D/E/F/G/H"] * 60,
        [""] * 300,
    ],
    ids=["reviews", "sms", "dna", "chinese", "digits", "few", "formulas", "initials", "empty"],
)
def test_real_texts_are_never_refused(texts):
    assert not refused(texts)


def test_letters_that_are_meant_can_be_said_so():
    proteins = alphabet("ACDEFGHIKLMNPQRSTVWY")
    assert refused(proteins)
    assert not refused(proteins, tokenizer=str.split)
    assert not refused(proteins, level="char")

"""What of a text the model read: counted against plain slicing."""

from __future__ import annotations

import pytest

from tidegate.data import TextEncoder
from tidegate.explain.report.excerpt import Excerpt, excerpt

LETTERS = list("abcdefghijk")


@pytest.mark.parametrize("keep", ["head", "tail", "both"])
@pytest.mark.parametrize("most", [4, 5, 11, 12])
def test_the_tokens_left_out_stand_where_it_says(keep, most):
    encoder = TextEncoder(max_length=most, keep=keep).fit([" ".join(LETTERS)])
    text = " ".join(LETTERS)
    found, kept = excerpt(encoder, text), encoder.tokens(text)
    after, end = found.skipped_after, found.skipped_after + found.skipped
    assert LETTERS[:after] + LETTERS[end:] == kept
    assert bool(found.notes) == (most < 11)


def test_a_cut_is_told_in_a_sentence():
    encoder = TextEncoder(max_length=5, keep="both").fit([" ".join(LETTERS)])
    (note,) = excerpt(encoder, " ".join(LETTERS)).notes
    assert note.startswith("The model read 5 of the 11 tokens, the first 3 and the last 2: ")
    assert note.endswith(": max_length is 5, keep is both.")


def test_words_it_does_not_know_are_marked():
    found = excerpt(TextEncoder(ngrams=2).fit(["the tide is high"]), "The moon is sly")
    note = "2 of the 4 tokens are not in its vocabulary."
    assert found == Excerpt(separator=" ", unknown=(1, 3), skipped_after=4, notes=(note,))


@pytest.mark.parametrize(("level", "between"), [("word", " "), ("char", ""), ("bpe", "")])
def test_the_tokens_joined_are_the_text(level, between):
    encoder = TextEncoder(level=level).fit(["high tide at the tide gate"] * 3)
    text = "the tide at high gate"
    found = excerpt(encoder, text)
    assert found.separator == between
    assert found.separator.join(encoder.tokens(text)) == text


def test_an_empty_text_has_no_tokens_to_tell_of():
    assert excerpt(TextEncoder().fit(["a"]), "") == Excerpt()

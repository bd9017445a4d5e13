"""Byte-pair encoding: lossless, repeatable, and what the library itself says."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.text.subwords import Subwords, byte_alphabet

TEXTS = ["low lower lowest", "new newer newest", "wide wider widest, naïve 😀"] * 3
SUBWORDS = Subwords.trained([TEXTS], 280, 2)


def test_the_first_merge_joins_the_most_frequent_pair():
    trained = Subwords.trained([["aaab abab", "abc"]], 257, 1)
    assert trained.merges == [("a", "b")]
    assert trained.words[-1] == "ab"
    assert sorted(trained.words[:-1]) == byte_alphabet()


def test_a_rare_pair_is_not_joined():
    assert Subwords.trained([["ab"]], 300, 2).merges == []
    assert len(Subwords.trained([["ab"]], 300, 2).words) == 256


@given(st.lists(st.text(), max_size=4))
def test_every_text_comes_back_to_the_letter(texts):
    pieces = SUBWORDS.split(texts)
    tokens = [pieces.words[code] for code in pieces.codes]
    bounds = zip(pieces.offsets[:-1], pieces.offsets[1:], strict=True)
    assert [SUBWORDS.joined(tokens[start:end]) for start, end in bounds] == texts


@given(st.text())
def test_readable_tokens_are_as_many_and_cover_the_text(text):
    readable = SUBWORDS.readable(text)
    assert len(readable) == SUBWORDS.split([text]).lengths[0]
    assert set("".join(readable)) == set(text)


def test_readable_tokens_by_hand():
    trained = Subwords.trained([["ab ab"]], 258, 1)
    assert trained.readable("ab abc") == ["ab", " ab", "c"]
    # The library gives each byte of a character it does not know the whole character.
    assert SUBWORDS.readable("日") == ["日", "日", "日"]


def test_the_tokenizer_is_rebuilt_from_words_and_merges():
    again = Subwords(SUBWORDS.words, SUBWORDS.merges)
    encoded = again.tokenizer.encode("the lowest newest").ids
    assert encoded == SUBWORDS.tokenizer.encode("the lowest newest").ids


def test_training_in_another_process_gives_the_same():
    code = (
        "from tidegate.data.text.subwords import Subwords\n"
        f"trained = Subwords.trained([{TEXTS!a}], 280, 2)\n"
        "print(ascii((trained.words, trained.merges)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ascii((SUBWORDS.words, SUBWORDS.merges))

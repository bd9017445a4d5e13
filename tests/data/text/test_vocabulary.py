"""Ranking tokens and looking them up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.text.tokens import split_by, split_words
from tidegate.data.text.vocabulary import Vocabulary, most_frequent


@given(
    st.dictionaries(st.text(max_size=3), st.integers(1, 5)), st.integers(1, 9), st.integers(1, 4)
)
def test_the_most_frequent_are_kept_and_ties_fall_alphabetically(counts, maximum, minimum):
    kept = most_frequent(counts, maximum, minimum)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    assert kept == [word for word in ranked if counts[word] >= minimum][:maximum]


def test_the_order_of_the_texts_does_not_matter():
    assert most_frequent({"b": 1, "a": 1}, 1, 1) == most_frequent({"a": 1, "b": 1}, 1, 1) == ["a"]


def test_ids_count_from_two_and_unknown_is_one():
    vocabulary = Vocabulary(["the", "sea"])
    assert vocabulary.listed == ["<pad>", "<unk>", "the", "sea"]
    assert len(vocabulary) == 4
    assert vocabulary.ids(split_words(["the deep blue sea", "sea"])).tolist() == [2, 1, 1, 3, 3]
    assert vocabulary.ids(split_words([])).tolist() == []


def test_special_words_in_a_text_are_common_words():
    pieces = split_by(str.split, ["<pad> <unk> x <pad>"])
    assert Vocabulary(["x"]).ids(pieces).tolist() == [1, 1, 2, 1]
    assert "<pad>" not in Vocabulary(["x"])
    learned = Vocabulary(most_frequent(Counter(dict(pieces.counts())), 9, 1))
    assert learned.ids(pieces).tolist() == [2, 3, 4, 2]

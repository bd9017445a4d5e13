"""Splits without overlap: nothing leaks, labels keep their share, the seed decides."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from tidegate.data.splits import hold_out, same_texts, split_without_overlap
from tidegate.datasets import load_sms_spam
from tidegate.errors import InputError


def key(text: str) -> str:
    return " ".join(text.lower().split())


@given(
    st.lists(st.sampled_from(["a", "A", " a", "b", "b\tc", "B  C ", "d", "e", "ef"]), max_size=30),
    st.floats(0.2, 0.6),
    st.integers(0, 9),
)
def test_no_text_stands_on_both_sides(texts, share, seed):
    texts = [*texts, "one", "two", "three", "four"]
    first, second = split_without_overlap(texts, test_size=share, seed=seed)
    assert sorted([*first, *second]) == list(range(len(texts)))
    assert not {key(texts[row]) for row in first} & {key(texts[row]) for row in second}
    assert first.tolist() == sorted(first)
    assert len(first) > 0
    assert len(second) > 0


@pytest.mark.parametrize("seed", range(5))
def test_messages_are_split_in_proportion(seed):
    texts, labels = load_sms_spam(return_X_y=True)
    first, second = split_without_overlap(texts, labels, test_size=0.2, seed=seed)
    assert not {key(texts[row]) for row in first} & {key(texts[row]) for row in second}
    assert len(second) / len(texts) == pytest.approx(0.2, abs=0.01)
    share = Counter(labels[row] for row in second)["spam"] / len(second)
    assert share == pytest.approx(747 / 5574, abs=0.01)


def test_the_seed_decides():
    texts = [str(number) for number in range(100)]
    one, again, other = (split_without_overlap(texts, seed=seed)[1].tolist() for seed in (1, 1, 2))
    assert one == again != other


def test_labels_may_be_numbers_or_a_series_and_copies_may_disagree():
    frame = pd.DataFrame({"text": [*"abcdefgh", "A", "A"], "label": [0, 1] * 5})
    first, second = split_without_overlap(frame["text"], frame["label"], test_size=0.5)
    assert len(first) + len(second) == 10
    assert set(frame["label"][second]) == {0, 1}
    assert first.dtype == second.dtype == np.int64


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"test_size": 0}, "`test_size` must be between 0 and 1; got 0"),
        ({"test_size": 1.5}, "`test_size` must be between 0 and 1; got 1.5"),
        ({"labels": [1]}, "`labels` must be one per text; got 1 for 4 texts"),
        ({"labels": [1, 1, 1, 2]}, "`texts` must be enough different texts of every label"),
        ({"texts": ["a", "A ", "a"]}, "`texts` must be enough different texts"),
        ({"texts": "abcd"}, "a sequence of strings; got the single text"),
    ],
)
def test_what_cannot_be_split(arguments, said):
    with pytest.raises(InputError, match=said) as caught:
        split_without_overlap(**{"texts": ["a", "b", "c", "d"], **arguments})
    assert "\n" not in str(caught.value)


@given(
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from("abc")), min_size=1, max_size=30),
    st.floats(0.05, 0.9),
    st.integers(0, 20),
)
def test_no_label_is_lost_and_no_group_is_parted(rows, share, seed):
    groups = pd.factorize(np.array([group for group, _ in rows]))[0]
    labels = np.array([label for _, label in rows])
    held = hold_out(groups, labels.tolist(), share, seed)
    assert set(labels) == set(labels[~held])
    assert not set(groups[held]) & set(groups[~held])


def test_held_out_rows_are_those_of_scikit_learn_where_it_can():
    labels = ["a"] * 60 + ["b"] * 40
    theirs = train_test_split(np.arange(100), test_size=0.1, stratify=labels, random_state=3)[1]
    assert np.flatnonzero(hold_out(np.arange(100), labels, 0.1, 3)).tolist() == sorted(theirs)


def test_texts_of_one_kind_have_one_number():
    assert same_texts(["a", "b", " A", "B "]).tolist() == [0, 1, 0, 1]

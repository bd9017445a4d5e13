"""ClassEncoder: labels to numbers and back, and bad labels in one line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.preprocessing import LabelEncoder

from tidegate.data.classes import ClassEncoder, find_labels, read_labels
from tidegate.errors import InputError


@pytest.mark.parametrize(
    "labels", [["b", "a", "c", "a"], [3, -1, 3, 0], [True, False, True], ["10", "9", "1"]]
)
def test_numbers_are_those_of_scikit_learn_and_come_back(labels):
    given = read_labels(labels, "test")
    encoder, theirs = ClassEncoder().fit(given), LabelEncoder().fit(labels)
    numbers = encoder.encode(given)
    assert numbers.dtype == np.int64
    assert numbers.tolist() == theirs.transform(labels).tolist()
    assert encoder.decode(numbers).tolist() == labels
    assert len(encoder) == len(theirs.classes_)
    again = ClassEncoder.from_files(json.loads(json.dumps(encoder.to_files())))
    assert again.classes.tolist() == encoder.classes.tolist()
    assert {type(label) for label in again.classes.tolist()} == {type(labels[0])}


def test_whole_floats_are_integers():
    assert read_labels([1.0, 0.0], "test").tolist() == [1, 0]
    assert read_labels([1.0, 0.0], "test").dtype.kind == "i"


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["a", 1], r"T: `y` must be a text, an integer .* of one kind in all rows; got 1 in row 2"),
        ([True, 1], "got 1 in row 2"),
        ([1.5, 2], r"got 1\.5 in row 1"),
        (["a", None], "got None in row 2"),
    ],
)
def test_labels_of_other_kinds_are_refused_by_their_row(labels, said):
    with pytest.raises(InputError, match=said):
        read_labels(labels, "T")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["a", "a"], "T: `y` must be labels of at least two classes; got only 'a'"),
        ([], "got no rows"),
    ],
)
def test_one_class_is_none(labels, said):
    with pytest.raises(InputError, match=said):
        ClassEncoder("T").fit(np.array(labels))


def test_labels_that_were_never_seen_are_named():
    encoder = ClassEncoder("T").fit(np.array(["a", "b"]))
    said = r"T: `y` must be .* training, 'a', 'b'; got 'd' in row 2 and 1 more labels\..*new model"
    with pytest.raises(InputError, match=said):
        encoder.encode(np.array(["a", "d", "c", "d"]))


@pytest.mark.parametrize(
    ("classes", "labels", "wanted"),
    [
        (["1", "2", "other"], [1, "2", 2.0], [0, 1, 1]),
        ([0, 1], ["1", "0"], [1, 0]),
        (["007", "010", "11"], [11, "010"], [2, 1]),
        (["10", "1E1"], ["1E1", "10"], [1, 0]),
        (["false", "true"], [True, "True", "FALSE"], [1, 1, 0]),
        ([False, True], ["true", "False"], [1, 0]),
        (["TRUE", "true"], ["true", "TRUE"], [1, 0]),
    ],
)
def test_a_label_is_the_class_of_the_same_text(classes, labels, wanted):
    assert find_labels(labels, classes) == wanted


@pytest.mark.parametrize(
    ("classes", "label"),
    [
        (["7", "8"], "007"),
        ([1, 10], "1E1"),
        (["TRUE", "true"], "True"),
        (["a", "b"], "A"),
        ([0, 1], True),
    ],
)
def test_another_spelling_is_another_label(classes, label):
    assert find_labels([label], classes) == [None]


def test_a_label_that_differs_in_white_space_is_said():
    encoder = ClassEncoder("T").fit(np.array(["neg", "pos"]))
    with pytest.raises(InputError, match=r"'pos ' in row 2.* differs from 'pos' in nothing"):
        encoder.encode(np.array(["neg", "pos "]))


@pytest.mark.parametrize("found", ["ab", [], ["a"], ["a", 2], {"a": 1}, None])
def test_damaged_labels_are_refused(found):
    with pytest.raises(InputError, match="load"):
        ClassEncoder.from_files({"classes": found})


def test_a_label_that_no_file_can_hold_is_named():
    with pytest.raises(InputError, match=r"valid Unicode; got the lone surrogate U\+D800 .* row 2"):
        read_labels(["fine", "\ud800"], "test")

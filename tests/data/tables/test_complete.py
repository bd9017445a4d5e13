"""Rows that can be used: empty texts and labels are counted, named, and dropped when asked."""

from __future__ import annotations

import pandas as pd
import pytest

from tidegate.data.tables.complete import check_column, clean_rows
from tidegate.errors import InputError

FRAME = pd.DataFrame(
    {
        "id": [10, 11, 12, 13, 14],
        "text": ["fine", " ", "NA", None, "good"],
        "label": ["a", "b", "b", "a", float("nan")],
    }
)


def test_complete_rows_stay_as_they_are():
    frame = pd.DataFrame({"text": ["a", "b"], "label": [1, 0]}, index=[5, 9])
    kept, dropped = clean_rows(frame, "text", "label", False, "t.csv")
    assert kept.to_dict("list") == {"text": ["a", "b"], "label": [1, 0]}
    assert (dropped, kept.index.tolist()) == (0, [0, 1])


def test_incomplete_rows_are_counted_and_named():
    with pytest.raises(InputError) as caught:
        clean_rows(FRAME, "text", "label", False, "t.csv")
    assert str(caught.value) == (
        "t.csv: `rows` must be complete; got 2 empty texts (rows 2, 4) and 1 empty labels (row 5). "
        "Fill them in, or drop these rows with drop_missing=True (--drop-missing)."
    )


def test_many_rows_are_not_all_named():
    frame = pd.DataFrame({"text": [""] * 9 + ["a"]})
    with pytest.raises(InputError, match=r"got 9 empty texts \(rows 1, 2, 3, 4, 5, \.\.\.\)\."):
        clean_rows(frame, "text", None, False, "t.csv")


def test_incomplete_rows_are_dropped_when_asked():
    kept, dropped = clean_rows(FRAME, "text", "label", True, "t.csv")
    assert kept.to_dict("list") == {"id": [10, 12], "text": ["fine", "NA"], "label": ["a", "b"]}
    assert (dropped, kept.index.tolist()) == (3, [0, 1])
    unlabelled, dropped = clean_rows(FRAME, "text", None, True, "t.csv")
    assert unlabelled["id"].tolist() == [10, 12, 14]
    assert dropped == 2
    assert len(FRAME) == 5


def test_nothing_left_is_an_error():
    with pytest.raises(InputError, match="one or more with a text; got 2 empty"):
        clean_rows(pd.DataFrame({"text": ["", None]}), "text", None, True, "t.csv")


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ([1.0, 0.0], [1, 0]),
        (pd.array([1, 0], dtype="Int64"), [1, 0]),
        ([0.5, 1.0], [0.5, 1.0]),
        (["1", "x"], ["1", "x"]),
        ([True, False], [True, False]),
        (pd.Categorical(["b", "a"]), ["b", "a"]),
    ],
)
def test_labels_keep_their_kind(labels, wanted):
    frame = pd.DataFrame({"text": ["a", "b"], "label": labels})
    found = clean_rows(frame, "text", "label", False, "t.csv")[0]["label"].tolist()
    assert found == wanted
    assert [type(label) for label in found] == [type(label) for label in wanted]


def test_a_missing_label_does_not_turn_whole_numbers_into_fractions():
    frame = pd.DataFrame({"text": ["a", "b"], "label": [1, None]})
    kept, _ = clean_rows(frame, "text", "label", True, "t.csv")
    assert kept["label"].tolist() == [1]
    assert kept["label"].dtype == "int64"


def test_texts_that_are_numbers_become_text():
    frame = pd.DataFrame({"text": [2024, 7]})
    assert clean_rows(frame, "text", None, False, "t.csv")[0]["text"].tolist() == ["2024", "7"]


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"a"])
def test_texts_that_are_something_else_are_named(value):
    frame = pd.DataFrame({"text": pd.Series(["fine", value], dtype=object)})
    with pytest.raises(InputError, match=r"t\.jsonl: `text` must be text; got .* in row 2"):
        clean_rows(frame, "text", None, False, "t.jsonl")


def test_wrong_columns_are_named():
    with pytest.raises(InputError, match=r"`columns` must be there; got no column 'lable'\. Did"):
        clean_rows(FRAME, "text", "lable", False, "t.csv")
    with pytest.raises(InputError, match=r"got no column 'x'\. Known: label, text"):
        check_column("x", ["text", "label"], "t.csv")
    with pytest.raises(InputError, match=r"Known: label, text\."):
        check_column("x", ["text", "label", "\0row"], "t.csv")

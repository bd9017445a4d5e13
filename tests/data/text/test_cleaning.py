"""Cleaning: what each named option does, what it leaves alone, and what is no text at all."""

from __future__ import annotations

import time
import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data.text.cleaning import CHUNK_ROWS, clean_text, text_chunks
from tidegate.errors import InputError


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("one<br />two", "one two"),
        ("a <B CLASS='x'>b</B>", "a  b "),
        ("a<!-- hidden <b> -->b", "a b"),
        ("a<script>if (x<y) alert('&')</script >b", "a b"),
        ("<style>p {color: red}</style><!DOCTYPE html>b", "  b"),
        ("Tom &amp; Ann &#39;n&#x27; caf&eacute;", "Tom & Ann 'n' café"),
        ("&lt;b&gt; is shown, not obeyed", "<b> is shown, not obeyed"),
        ("I <3 you, 1 < 2 and 3 > 2", "I <3 you, 1 < 2 and 3 > 2"),
        ("left < right > wrong", "left < right > wrong"),
        ("an open <b at the end", "an open <b at the end"),
    ],
)
def test_html(raw, cleaned):
    assert clean_text(raw, ["html"], lowercase=False) == cleaned


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("see http://a.org/b?c=d#e now", "see  url  now"),
        ("see HTTPS://A.ORG.", "see  url ."),
        ("(www.example.org/x)!", "( url )!"),
        ('"ftp://host/file", he said', '" url ", he said'),
        ("www. is no address, nor is a.org", "www. is no address, nor is a.org"),
    ],
)
def test_urls(raw, cleaned):
    assert clean_text(raw, ["urls"], lowercase=False) == cleaned


def test_digits_keep_the_shape_of_numbers():
    assert clean_text("call 0845-28 ٣", ["digits"], lowercase=False) == "call 0000-00 0"


def test_nothing_is_cleaned_that_is_not_named():
    raw = "<b>A &amp; 7</b> http://a.org"
    assert clean_text(raw, [], lowercase=False) == raw
    assert clean_text(raw, ["digits"], lowercase=True) == "<b>a &amp; 0</b> http://a.org"


def test_the_order_of_the_names_does_not_matter():
    raw = "<a href='http://a.org'>http://b.org</a> &amp; 7"
    one = clean_text(raw, ["html", "urls", "digits"], lowercase=True)
    assert one == clean_text(raw, ["digits", "urls", "html"], lowercase=True)
    assert one.split() == ["url", "&", "0"]


@given(st.text())
def test_accents_are_composed_and_case_is_python_s(text):
    assert clean_text(text, [], lowercase=True) == unicodedata.normalize("NFC", text.lower())


@pytest.mark.parametrize(
    "hostile",
    ["<!--" * 50_000, "<script>" * 50_000, "<a b='" * 50_000, "<" * 200_000,
     "<a " * 100_000, "www." * 100_000,
     "http://" + "," * 200_000, "&" * 200_000, "<style </style" * 20_000],
    ids=["comment", "script", "quote", "less", "tag", "www", "url", "entity", "style"],
)  # fmt: skip
def test_hostile_texts_take_linear_time(hostile):
    start = time.process_time()
    clean_text(hostile, ["html", "urls", "digits"], lowercase=True)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "texts",
    [["a", "b"], ("a", "b"), pd.Series(["a", "b"]), np.array(["a", "b"]), iter(["a", "b"]),
     {"a": 1, "b": 2}],
    ids=["list", "tuple", "series", "array", "iterator", "keys"],
)  # fmt: skip
def test_texts_may_be_any_iterable_of_strings(texts):
    assert list(text_chunks(texts, "Owner")) == [["a", "b"]]


def test_chunks_are_bounded_in_rows_and_in_characters():
    rows = [str(number) for number in range(2 * CHUNK_ROWS + 1)]
    chunks = list(text_chunks(rows, "Owner"))
    assert [len(chunk) for chunk in chunks] == [CHUNK_ROWS, CHUNK_ROWS, 1]
    assert [text for chunk in chunks for text in chunk] == rows
    assert [len(chunk) for chunk in text_chunks(["x" * 3_000_000] * 3, "Owner")] == [2, 1]
    assert list(text_chunks([], "Owner")) == []


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ("one text", r"a sequence of strings; got the single text 'one text'\. .*\[text\] for one"),
        (b"bytes", "the single text b'bytes'"),
        (7, "got int"),
        (None, "got NoneType"),
        (["a", None], "got NoneType None in row 2"),
        (["a", float("nan")], "got float nan in row 2"),
        ([b"a"], "got bytes b'a' in row 1"),
        (pd.DataFrame({"text": ["a"]}), "a DataFrame with 2 axes"),
        (np.array([["a"]]), "a ndarray with 2 axes"),
        (["fine", "half \ud83d pair"], r"lone surrogate U\+D83D at character 6 in row 2"),
    ],
)
def test_what_is_no_list_of_texts_is_refused_in_one_line(texts, said):
    with pytest.raises(InputError, match=said) as caught:
        list(text_chunks(texts, "Owner"))
    assert str(caught.value).startswith("Owner: `texts` must be ")
    assert "\n" not in str(caught.value)


def test_a_bad_row_is_named_by_its_place_among_all_rows():
    rows = ["x"] * (CHUNK_ROWS + 3) + ["\udc00"]
    with pytest.raises(InputError, match=f"in row {CHUNK_ROWS + 4}"):
        list(text_chunks(rows, "Owner"))

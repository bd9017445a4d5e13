"""Codecs: what a field may be, in words and in fact, and files of them."""

from __future__ import annotations

import math

import pytest

from tidegate.data.codec import Field, damaged, read_fields, read_texts, take
from tidegate.errors import ArtifactError, InputError

FITS = [
    (Field(bool), [True, False], [0, 1, None, "true"]),
    (Field(int), [0, -3, 2**63 - 1], [10**40, -(2**63) - 1, True, 1.0, "1", None, [1]]),
    (Field(int, minimum=1, maximum=5), [1, 5], [0, 6, -(10**40)]),
    (Field(float), [0, 1.5, -2, 10**300], [10**400, math.nan, math.inf, True, "1.5"]),
    (Field(str), ["", "a"], ["\ud800", 1, None, ["a"], b"a"]),
    (Field(str, ("a", "b")), ["a"], ["c", "", ["a"]]),
    (Field(str, optional=True), ["a", None], [3]),
    (Field(str, ("a", "b"), many=True), [[], ["a"], ("b", "a")], [["c"], ["a", 1], "a", None]),
    (Field(float, many=True), [[1, 2.5]], [[1, math.inf], [True], 1.0, {}]),
    (Field(int, minimum=0, many=True), [[0, 3]], [[-1], [0.0], [None]]),
]


@pytest.mark.parametrize(("field", "right", "wrong"), FITS)
def test_what_fits_a_field(field, right, wrong):
    for value in right:
        assert field.fault(value) is None, value
        field.check(value, "Owner", "name")
    for value in wrong:
        assert field.fault(value) is not None, value
        with pytest.raises(InputError, match=r"^Owner: `name` must be "):
            field.check(value, "Owner", "name")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (Field(bool), 1, "True or False; got 1"),
        (Field(int, minimum=1), 0, "an integer >= 1; got 0"),
        (Field(int, maximum=9), 10, "an integer <= 9; got 10"),
        (Field(int, minimum=1, maximum=9), 10, "an integer from 1 to 9; got 10"),
        (Field(float), "x", "a finite number; got 'x'"),
        (Field(str, ("word", "char")), "words", "one of word, char; got 'words'. Did you mean 'wo"),
        (Field(str, ("word",), many=True), ["word", "wrd"], "one of word; got 'wrd'. Did you mean"),
        (Field(str, many=True), "word", "a sequence of strings; got 'word'"),
        (Field(int, many=True), 3, "a list of integers; got 3"),
        (Field(str, rule="the name of a thing"), 3, "the name of a thing; got 3"),
    ],
)
def test_what_is_wrong_is_said_in_the_house_sentence(field, value, said):
    with pytest.raises(InputError) as caught:
        field.check(value, "Owner", "name")
    assert str(caught.value).startswith(f"Owner: `name` must be {said}")


FIELDS = {"size": Field(int, minimum=1), "names": Field(str, many=True)}
GOOD = {"size": 2, "names": ["a"]}


def test_what_files_of_older_versions_lack_is_filled_in():
    fields = FIELDS | {"new": Field(bool, optional=True)}
    assert read_fields({"a.json": GOOD}, "a.json", fields, absent={"new": None})["new"] is None
    told = {"a.json": GOOD | {"new": True}}
    assert read_fields(told, "a.json", fields, absent={"new": None})["new"] is True


def test_fields_come_back_by_name():
    assert read_fields({"a.json": GOOD}, "a.json", FIELDS) == GOOD
    assert read_fields({"a.json": {"version": 3, **GOOD}}, "a.json", FIELDS, version=3) == GOOD


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD | {"size": 0}, "`size` must be an integer >= 1; got 0. The model is damaged"),
        (GOOD | {"sise": 1}, "`sise` must be a known option; got another. Did you mean 'size'"),
        ({"size": 1}, "`names` must be there; got nothing"),
        ([], "`content` must be an object; got list"),
        (None, "`content` must be an object; got NoneType"),
    ],
)
def test_damaged_fields_are_refused_by_file_and_name(content, said):
    with pytest.raises(ArtifactError) as caught:
        read_fields({"a.json": content}, "a.json", FIELDS)
    assert str(caught.value).startswith(f"a.json: {said}")


@pytest.mark.parametrize("version", [2, "1", True, 1.0, None, [1]])
def test_another_version_is_refused(version):
    with pytest.raises(ArtifactError, match=r"`version` must be 1; got .*tidegate that wrote it"):
        read_fields({"a.json": {"version": version, **GOOD}}, "a.json", FIELDS, version=1)
    with pytest.raises(ArtifactError, match="`version` must be a known option"):
        read_fields({"a.json": {"version": version, **GOOD}}, "a.json", FIELDS)


def test_texts_come_back_without_the_special_ones():
    files = {"a.json": ["<x>", "b", "<x>"]}
    assert read_texts(files, "a.json", special=("<x>",)) == ["b", "<x>"]
    assert read_texts({"a.json": []}, "a.json") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (["b"], "`texts` must be strings, first <x>; got others"),
        (["<x>", 1], "`texts` must be strings, first <x>; got others"),
        (["<x>", "b", "b"], "`texts` must be different from each other"),
        (["<x>", "\ud800"], "`texts` must be valid Unicode"),
        ({"<x>": 1}, "`content` must be a list; got dict"),
    ],
)
def test_damaged_texts_are_refused_by_file(content, said):
    with pytest.raises(ArtifactError, match=f"^a.json: {said}"):
        read_texts({"a.json": content}, "a.json", special=("<x>",))


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ArtifactError, match=r"^b\.json: `file` must be there; got nothing"):
        take({"a.json": []}, "b.json", list)
    assert (
        str(damaged("a.json", "x", "1", 2, "Mend it")) == "a.json: `x` must be 1; got 2. Mend it."
    )

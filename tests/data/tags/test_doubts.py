"""Doubts: labels in other capitals, and spans in brackets."""

from __future__ import annotations

import pytest

from tidegate.data import read_sentences
from tidegate.data.tags.doubts import check_brackets, check_capitals, check_columns, find_likeness
from tidegate.data.tags.encoder import TagEncoder
from tidegate.data.tags.schemes import TagError
from tidegate.errors import InputError


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["B-PER Ann", "O rows", "O home"], r"`token` must be words; got tags, 'B-PER' first, in"),
        (["d 0 Ann O", "d 1 is O", "d 2 in O", "d 3 Hull B-LOC"], r"got 'd' in all 4 lines of col"),
        (["Ann O 0.98", "rows O .5"], r"`tag` must be tags; got numbers, 0\.98 first, in column 2"),
        (["Ann rows home", "Bob sits there"], r"got lines that end in words, 'home' first"),
    ],
)
def test_columns_that_hold_something_else_are_refused_unless_they_are_named(tmp_path, lines, told):
    path = tmp_path / "a.txt"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=told):
        read_sentences(path)
    assert read_sentences(path, token="1", tag="0")[1] == [[line.split()[0] for line in lines]]


def test_columns_of_words_and_tags_are_taken():
    for words in (["Ann", "O", "B"], ["O", "O"], ["I", "O", "U"]):
        check_columns({"0": words, "1": ["NN"] * len(words)}, "0", "1", "a.conll")
    check_columns({"0": ["Ann", "rows"]}, "0", None, "a.conll")


@pytest.mark.parametrize("many", ["LOC", "loc"])
def test_a_few_labels_in_other_capitals_are_mistakes(many):
    tags = [[f"B-{many}", "O"]] * 20 + [["O", f"I-{many.swapcase()}"]] * 2
    told = rf"alike: '{many}' 20 times; got '{many.swapcase()}' at word 2 of sentence 58, 2 in all"
    with pytest.raises(TagError, match=told) as caught:
        check_capitals(tags, "Tagger", range(37, 59), spans=True)
    assert (caught.value.sentence, caught.value.word) == (57, 1)
    assert "--scheme none" in str(caught.value)


def test_two_kinds_that_are_both_frequent_are_told():
    tags = [["B-LOC", "B-LOC", "B-PER"], ["O", "B-loc", "B-per"]]
    assert [told[:31] for told in check_capitals(tags, "Tagger", spans=True)] == [
        "'LOC' and 'loc' are two kinds o",
        "'PER' and 'per' are two kinds o",
    ]
    assert TagEncoder().fit(tags, tags).doubts == check_capitals(tags, "Tagger", spans=True)
    assert not check_capitals([["B-LOC", "B-PER", "O"]], "Tagger", spans=True)


def test_tags_that_are_no_spans_are_told_and_never_refused():
    (told,) = check_capitals([["NN"] * 50 + ["nn", "VB"]], "Tagger", spans=False)
    assert told.startswith("'NN' and 'nn' are two kinds of 50 and 1 tags, the second first at word")
    words = [f"{word}{number}" for number in range(150) for word in "aA"]
    assert not check_capitals([words], "Tagger", spans=False)  # lemmas, say


@pytest.mark.parametrize("tags", ["* (PER* *) *", "(PER) * (ORG* * *)", "* (A0*) (V*)"])
def test_spans_in_brackets_are_refused(tags):
    first = next(tag for tag in tags.split() if tag != "*")
    with pytest.raises(TagError) as caught:
        TagEncoder().fit([tags.split()], [tags.split()])
    assert f"brackets around spans are not read; got {first!r} at word" in str(caught.value)
    assert TagEncoder(scheme="none").fit([tags.split()], [tags.split()]).scheme == "none"


@pytest.mark.parametrize("tags", ["NN * (", "( NN )", "* O", "-LRB- ( )", "PRP$ (X) NN"])
def test_tags_of_signs_are_no_brackets(tags):
    check_brackets([tags.split()], "Tagger")


@pytest.mark.parametrize("tags", ["'B-PER' 'O'", "[B-X] [O]", "BEGIN-PER IN-PER O", "B- I- O"])
def test_tags_that_look_like_spans_are_told(tags):
    encoder = TagEncoder().fit([tags.split()], [tags.split()])
    assert encoder.scheme == "none"
    assert [told.split(" look ")[1][:23] for told in encoder.doubts] == ["like those of spans, bu"]
    assert not TagEncoder(scheme="none").fit([tags.split()], [tags.split()]).doubts


def test_tags_of_words_do_not_look_like_spans():
    assert not find_likeness([["NOUN", "VB", "BE", "BEZ", "B", "b", "-"]])

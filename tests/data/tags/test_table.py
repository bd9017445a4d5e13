"""Sentences gathered from tables of words, in whatever columns."""

from __future__ import annotations

import pandas as pd
import pytest

from tidegate.data import gather_sentences, read_sentences
from tidegate.data.tags.conll import words_of_lines
from tidegate.data.tags.schemes import TagError
from tidegate.data.tags.table import PLACES, TAGS, TOKENS, located
from tidegate.errors import InputError

WORDS = pd.DataFrame(
    {
        "sentence": [7, 7, 2, 2, 2],
        "token": ["Ann", "rows", "1", "in", "Hull"],
        "tag": ["B-PER", "O", "O", "O", "B-LOC"],
        "part": ["a", "a", "b", "b", "b"],
    }
)
X = [["Ann", "rows"], ["1", "in", "Hull"]]
Y = [["B-PER", "O"], ["O", "O", "B-LOC"]]


def gathered(frame, *, drop_missing=False, tagged=True, **columns):
    options = {"drop_missing": drop_missing, "source": "words.csv", "tagged": tagged}
    return gather_sentences(frame, {"token": "token", "tag": "tag"} | columns, **options)


def test_words_become_sentences_in_their_order():
    found, dropped = gathered(WORDS)
    assert (found[TOKENS].tolist(), found[TAGS].tolist(), dropped) == (X, Y, 0)
    assert found["part"].tolist() == ["a", "b"]


def test_columns_of_other_names():
    other = WORDS.rename(columns={"sentence": "s", "token": "w", "tag": "t"})
    found, _ = gathered(other, sentence="s", token="w", tag="t")
    assert (found[TOKENS].tolist(), found[TAGS].tolist()) == (X, Y)
    for name in ("s", "w", "t"):
        with pytest.raises(InputError, match=f"words.csv: .*'{name}'"):
            gathered(other.drop(columns=name), sentence="s", token="w", tag="t")


def test_a_column_that_is_not_there_is_told_with_those_of_the_file():
    words = words_of_lines(["Ann X B-PER"], "a.conll", conllu=False)
    for columns in ({"token": "w"}, {"tag": "7"}, {"sentence": "s"}):
        for tagged in (True, False):
            with pytest.raises(InputError, match=r"got no column '\w'\. Known: 0, 1, 2\.$"):
                gathered(words, tagged=tagged, **columns)
    with pytest.raises(InputError, match=r"a tag for each word; got the columns 0\."):
        gathered(words_of_lines(["Ann"], "a.conll", conllu=False))


def test_each_word_keeps_its_line_or_row():
    error = TagError("a wrong tag at word 2 of sentence 2.", 1, 1)
    lines = ["Ann O", None, "-DOCSTART- O", None, "Bob O", "rows O"]
    found, _ = gathered(words_of_lines(lines, "a.conll", conllu=False))
    assert found[PLACES].tolist() == [[1], [5, 6]]
    assert located(error, found) == "a wrong tag at word 2 of sentence 2 (line 6)."
    bare = WORDS.assign(tag=["O", None, "O", "O", "O"], line="own")
    three = pd.concat([bare, WORDS.assign(sentence=9)], ignore_index=True)
    found, _ = gathered(three, drop_missing=True)  # the first sentence is left out
    assert found[PLACES].tolist() == [[3, 4, 5], [6, 7, 8, 9, 10]]
    assert located(error, found) == "a wrong tag at word 2 of sentence 2 (row 7)."
    assert located(InputError("another"), found) == "another"
    assert PLACES not in gathered(pd.DataFrame({"token": X, "tag": Y}))[0]


def test_a_row_a_sentence():
    frame = pd.DataFrame({"token": X, "tag": Y})
    found, _ = gathered(frame)
    assert (found[TOKENS].tolist(), found[TAGS].tolist()) == (X, Y)


def test_texts_are_sentences_where_no_tags_are_asked_for():
    frame = pd.DataFrame({"body": ["Ann rows.", "Hull"]})
    found, _ = gathered(frame, token="body", tagged=False)
    assert found[TOKENS].tolist() == ["Ann rows.", "Hull"]
    with pytest.raises(InputError, match=r"`tag` must be there: a tag for each word"):
        gathered(frame, token="body")


def test_tags_need_not_be_there_to_be_answered():
    found, _ = gathered(WORDS.drop(columns="tag"), tagged=False)
    assert found[TOKENS].tolist() == X
    assert TAGS not in found


def test_the_sentence_of_a_word_must_be_known():
    with pytest.raises(InputError, match=r"`sentence` must be there: which sentence each word"):
        gathered(WORDS.drop(columns="sentence"))


@pytest.mark.parametrize("empty", [None, "", float("nan")])
def test_what_is_missing_is_named_or_left_out(empty):
    bare = WORDS.assign(tag=WORDS["tag"].where(WORDS.index != 1, empty))
    with pytest.raises(InputError, match="1 without a tag, the first in row 2"):
        gathered(bare)
    found, dropped = gathered(bare, drop_missing=True)
    assert (found[TOKENS].tolist(), dropped) == (X[1:], 2)
    hollow = WORDS.assign(token=WORDS["token"].where(WORDS.index != 4, empty))
    with pytest.raises(InputError, match="1 without a word, the first in row 5"):
        gathered(hollow)


def test_the_rows_of_a_sentence_stand_together():
    apart = WORDS.iloc[[0, 2, 1, 3, 4]].reset_index(drop=True)
    told = r"`sentence` must be one value a sentence, rows together; got 7 again in row 3\."
    with pytest.raises(InputError, match=told):
        gathered(apart)
    nowhere = WORDS.assign(sentence=[7, 7, None, 2, 2])
    with pytest.raises(InputError, match="1 without a sentence, the first in row 3"):
        gathered(nowhere)
    assert gathered(nowhere, drop_missing=True)[1] == 3  # the sentence that it may belong to


def test_files_with_the_usual_columns(tmp_path):
    rows = list(zip(WORDS["sentence"], WORDS["token"], WORDS["tag"], strict=True))
    body = "".join(f"{'' if place != 2 else chr(10)}{word} X {tag}\n" for place, (_, word, tag)
                   in enumerate(rows))  # fmt: skip
    for name in ("a.conll", "a.txt", "a.iob"):
        (tmp_path / name).write_text(body)
        assert read_sentences(tmp_path / name) == (X, Y)
        assert read_sentences(tmp_path / name, tag="1")[1] == [["X"] * 2, ["X"] * 3]
    WORDS.to_csv(tmp_path / "a.csv", index=False)
    assert read_sentences(tmp_path / "a.csv") == (X, Y)


def test_a_file_of_one_column_has_no_tags(tmp_path):
    (tmp_path / "a.conll").write_text("Ann\nrows\n")
    with pytest.raises(InputError, match=r"`tag` must be there: a tag for each word; got the"):
        read_sentences(tmp_path / "a.conll")


def test_running_text_is_learned_only_if_its_column_is_named(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("the cat sat\nthe dog ran\na bird flew\n")
    with pytest.raises(InputError, match=r"got lines that end in words, 'sat' first, as in run.*"):
        read_sentences(path)
    assert read_sentences(path, tag="2")[1] == [["sat", "ran", "flew"]]


@pytest.mark.parametrize("first", [0, 1])
def test_a_column_that_counts_the_words_is_not_theirs(tmp_path, first):
    path = tmp_path / "a.conll"
    rows = [("Ann", "B-PER"), ("rows", "O"), ("", ""), ("Bob", "B-PER"), ("sits", "O")]
    lines = [f"{number % 3 + first} {word} {tag}" if word else ""
             for number, (word, tag) in enumerate(rows)]  # fmt: skip
    path.write_text("\n".join(lines))
    assert read_sentences(path)[0] == [["Ann", "rows"], ["Bob", "sits"]]
    frame = words_of_lines(["1 Ann", "2 rows"], "a.conll", conllu=False)
    assert gathered(frame, tag="", tagged=False)[0][TOKENS].tolist() == [["Ann", "rows"]]
    path.write_text("7 X O\n8 X B-PER\n")
    assert read_sentences(path)[0] == [["7", "8"]]


def test_spaces_around_tags_are_none_of_theirs(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("Ann\tB-PER \nrows\t O\n")
    assert read_sentences(path)[1] == [["B-PER", "O"]]


@pytest.mark.parametrize("drop", [False, True])
def test_words_follow_the_sentence_that_is_named_at_its_first(drop):
    frame = pd.DataFrame(
        {
            "Sentence #": ["Sentence: 1", None, " ", "Sentence: 2", None],
            "Word": ["Ann", "rows", ".", "Bob", "waits"],
            "Tag": ["B-per", "O", "O", "B-per", "O"],
        }
    )
    columns = {"token": "Word", "tag": "Tag", "sentence": "Sentence #"}
    found, dropped = gather_sentences(frame, columns, drop_missing=drop, source="a.csv")
    assert found[TOKENS].tolist() == [["Ann", "rows", "."], ["Bob", "waits"]]
    assert dropped == 0


def test_a_sentence_that_is_missing_among_others_is_not_guessed():
    frame = pd.DataFrame({"sentence": [1, 1, None, 2], "token": [*"abcd"], "tag": ["O"] * 4})
    columns = {"token": "token", "tag": "tag", "sentence": "sentence"}
    with pytest.raises(InputError, match="1 without a sentence, the first in row 3"):
        gather_sentences(frame, columns, drop_missing=False, source="a.csv")


@pytest.mark.parametrize("ids", [["S1", None, "S1", None], [None, "S1", None, None]])
def test_dropping_makes_no_sentences_of_first_words(ids):
    frame = pd.DataFrame({"sentence": ids, "token": [*"abcd"], "tag": ["O"] * 4})
    more = pd.DataFrame({"sentence": ["S9", "S9"], "token": [*"ef"], "tag": ["O"] * 2})
    columns = {"token": "token", "tag": "tag", "sentence": "sentence"}
    whole = pd.concat([frame, more], ignore_index=True)
    found, dropped = gather_sentences(whole, columns, drop_missing=True, source="a.csv")
    assert found[TOKENS].tolist() == [["e", "f"]]
    assert dropped == 4

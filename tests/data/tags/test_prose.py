"""Prose: sentences are told from words with their tags, and no real tags are refused."""

from __future__ import annotations

import pytest

from tidegate.data.tags.prose import looks_like_prose, mostly_words, prose_error, too_many_kinds


def rows(text):
    return [line.split() for line in text.split("\n")]


NUMBERS = "one two three four five six seven eight nine ten".split()


@pytest.mark.parametrize(
    "text",
    [
        "Ann rows\nBob waits\nEve sleeps",
        "the cat sat\nthe dog ran\na bird flew",
        "Ann rows to Hull.\nBob waits for Ann.",
        "what is it ?\nit is done .\nit is true !",
        "Ann rows to Hull\nBob waits for Ann\nEve reads at home",
        "Ann rows home\nBob rows home\nAnn swims home\nEve rows away",
        "Ann/NNP rows/VBZ\nBob/NNP sits/VBZ",
        "ANN ROWS HOME.\nBOB IS THERE.",
        "она пришла домой\nмы видели море\nкто знает ответ",
        "\n".join(f"the {one}{two}" for one in NUMBERS for two in NUMBERS),
    ],
)
def test_sentences_of_as_many_words_are_prose(text):
    assert looks_like_prose(rows(text))
    assert looks_like_prose(rows(text) * 3)


@pytest.mark.parametrize(
    "text",
    [
        "Ann B-PER\nrows O",
        "Ann NNP\nrows VBZ\nhome NN\n. .",
        "the det\ncat noun\nsits verb",
        "EU NNP\nOK UH",
        "Ann Ann nsubj\nRows row root\nHome home advmod",
        "cat n.\nrun v.\nbig adj.",
        "Ann b-per\nrows o\nto o\nHull b-loc",
        "Ann PER-B\nrows O\nHull LOC-B",
        "miza Ncfsn\nje Va-r3s\nbela Agpfsn",
        "kat SUBST\nzit WW(pv,tgw)\nop VZ(init)",
        "kedi Case=Nom|Number=Sing\nuyur Tense=Pres\n. _",
        "a 1\nb 2\nc 3",
        "我们 PN\n去 VV\n北京 NR",
        "cat nn np\nsits vb vp\nthe dt np",
        "Ann nsubj Ncfsn\nrows root Vmip\nhome advmod Rgpn",
        "rows O O\nto O O\n. O O",
    ],
)
def test_a_few_words_with_tags_of_all_kinds_are_no_prose(text):
    assert not looks_like_prose(rows(text))
    assert not looks_like_prose(rows(text) * 10)


def test_many_words_have_few_kinds_of_tags():
    tags = ["nsubj", "root", "obj", "case", "nmod", "det"] * 100
    words = [(f"w{number}", tag) for number, tag in enumerate(tags)]
    assert not any(looks_like_prose(words[:count]) for count in range(1, 100))
    assert not too_many_kinds(40, 100)
    assert too_many_kinds(60, 100)
    assert not too_many_kinds(19, 19)  # too few to tell


def test_what_looks_like_a_word():
    assert mostly_words(["home", "day.", "NOUN"])
    assert not mostly_words(["home", "NOUN"])
    assert mostly_words(["a b", "New York"])


def test_the_error_says_what_the_file_is():
    told = str(prose_error("a.txt", "lines of 2 to 5 words"))
    assert told.startswith(
        "a.txt: `file` must be CoNLL: a word a line, with its columns; got lines"
    )
    assert "running text" in told

"""CoNLL files: columns, sentences, what is left out, and faults named with their line."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data import read_conll, read_sentences, read_table
from tidegate.data.tags.conll import looks_like_conll, words_of_lines, write_conll
from tidegate.data.text.cleaning import lone_surrogate
from tidegate.errors import InputError

PLAIN = """-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
# SYM O O

Peter NNP I-NP I-PER


-DOCSTART- -X- O O
Blackburn NNP I-NP I-PER
"""

UNIVERSAL = """\
# sent_id = 1
# text = Don't go
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\t_\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_
3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_
3.1\tgone\tgo\tVERB\tVB\t_\t_\t_\t_\t_

# sent_id = 2
1\tNew York\tNew York\tPROPN\tNNP\t_\t0\troot\t_\t_
"""


def test_words_columns_sentences_and_lines(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text(PLAIN)
    frame = read_conll(path)
    assert list(frame.columns) == ["sentence", "line", "0", "1", "2", "3"]
    assert frame["0"].tolist() == ["EU", "rejects", "#", "Peter", "Blackburn"]
    assert frame["3"].tolist() == ["I-ORG", "O", "O", "I-PER", "I-PER"]
    assert frame["sentence"].tolist() == [1, 1, 1, 2, 3]
    assert frame["line"].tolist() == [3, 4, 5, 7, 11]


def test_universal_dependencies_leave_out_what_is_no_word(tmp_path):
    path = tmp_path / "a.conllu.gz"
    path.write_bytes(gzip.compress(UNIVERSAL.encode()))
    frame = read_conll(path)
    assert frame["form"].tolist() == ["Do", "n't", "go", "New York"]
    assert frame["upos"].tolist() == ["AUX", "PART", "VERB", "PROPN"]
    assert frame["sentence"].tolist() == [1, 1, 1, 2]
    assert frame["line"].tolist() == [4, 5, 6, 10]


def test_universal_dependencies_are_known_by_their_columns(tmp_path):
    for name in ("a.conll", "a.txt"):
        (tmp_path / name).write_text(UNIVERSAL)
        assert read_sentences(tmp_path / name)[1] == [["AUX", "PART", "VERB"], ["PROPN"]]


def test_it_is_a_table_like_others(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text(UNIVERSAL)
    frame = read_table(path, columns=["form", "upos"])
    assert frame.values.tolist()[0] == ["Do", "AUX"]
    with pytest.raises(
        InputError, match=r"a\.conllu: `columns` must be there; got no column 'tag'"
    ):
        read_table(path, columns=["tag"])


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "a.conll",
            "EU O\nrejects\n",
            r"`line 2` must be 2 columns, as 1 of 2 lines have; got 1\.",
        ),
        (
            "a.conll",
            "EU O\n\nPeter NNP O\n",
            r"`line 3` must be 2 columns, as 1 of 2 lines have; got 3",
        ),
        ("a.conllu", "1\tEU\tO\n", r"`line 1` must be 10 columns parted by tabs; got 3"),
        ("a.conll", "\n\n-DOCSTART- O\n", r"`file` must be a CoNLL file with a word; got none"),
        ("a.conll", "# one\n# two words\n", r"a CoNLL file with a word; got comments alone"),
        ("a.conll", "word\tNER\nEU\tO\n", r"`first line` must be words .* got names of columns"),
        ("a.conllu", "# nothing\n", r"a CoNLL file with a word; got none"),
        ("a.conll", "", r"`file` must be a table with a row; got an empty file"),
        ("a.conll", b"EU O\ncaf\xe9 O\n", r"`line 2` must be UTF-8 text; got byte 0xE9 at"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, name, text, told):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=told) as caught:
        read_conll(path)
    assert str(caught.value).startswith(str(path))


def test_what_is_written_is_read_again():
    sentences = [[("EU", "B-ORG"), ("rejects", "O")], [("New York", "B-LOC")], [("#", "O")]]
    text = io.StringIO()
    write_conll(sentences, text)
    frame = words_of_lines(text.getvalue().split("\n"), "text", conllu=False)
    found = frame.groupby("sentence")[["0", "1"]].apply(lambda rows: [*map(tuple, rows.values)])
    assert found.tolist() == sentences


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10\u00a0000 O\nboats O\n", [["10\u00a0000", "boats"]]),
        ("\u3000 O\n\u6211 O\n", [["\u3000", "\u6211"]]),
        ("Ann O\n-DOCSTART- O\nBob O\n", [["Ann"], ["Bob"]]),
        ("# id 1\tdomain=en\nAnn _ O\nrows _ O\n", [["Ann", "rows"]]),
        ("# O\n1 O\n\n# O\n", [["#", "1"], ["#"]]),
        ("Ann B-X\rrows O\r\rBob O\r", [["Ann", "rows"], ["Bob"]]),
        ("a\x0bb O\n\x0c O\n", [["a\x0bb", "\x0c"]]),
        ("-DOCSTART-x O\nAnn O\n", [["-DOCSTART-x", "Ann"]]),
        ("Ann  O \r\n  Bob\tO\r\n", [["Ann", "  Bob"]]),
    ],
)
def test_words_are_parted_by_spaces_and_tabs_alone(tmp_path, text, words):
    path = tmp_path / "a.conll"
    path.write_bytes(text.encode("utf-8"))
    frame = read_conll(path)
    found = [group["0"].tolist() for _, group in frame.groupby("sentence")]
    assert found == words


@pytest.mark.parametrize("odd", [1, 3, 5])
def test_the_line_that_is_odd_is_named(tmp_path, odd):
    lines = ["Ann B-PER"] * 5
    lines[odd - 1] = "Ann A B-PER"
    path = tmp_path / "a.conll"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=rf"`line {odd}` must be 2 columns.*got 3"):
        read_conll(path)


ODD = ["-DOCSTART-", "#", "# id 7", "#begin document", " ", "\u3000", "\ufeff", "a b", " a", "\r"]
WORD = st.text(min_size=1, max_size=5) | st.sampled_from(ODD)
TAG = st.sampled_from(["O", "B-PER", "nn", "document", "_"])


@given(st.lists(st.lists(st.tuples(WORD, TAG), min_size=1, max_size=4), min_size=1, max_size=4))
def test_what_is_written_is_read_again_or_refused(tmp_path_factory, sentences):
    path, handle = tmp_path_factory.getbasetemp() / "a.conll", io.StringIO()
    try:
        write_conll(sentences, handle)
    except InputError:
        assert not handle.getvalue()
        return
    path.write_bytes(handle.getvalue().encode(errors="surrogatepass"))
    if any(map(lone_surrogate, handle.getvalue())):
        return  # no text of any file
    frame = read_conll(path)
    found = frame.groupby("sentence")[["0", "1"]].apply(lambda rows: [*map(tuple, rows.values)])
    assert found.tolist() == sentences


@pytest.mark.parametrize("word", ["a\tb", "a\n", "-DOCSTART-", "# sent_id = 3"])
def test_a_word_that_would_not_be_read_again_is_named(word):
    rows = [[("Ann", "O")], [("to", "O"), (word, "O")]]
    with pytest.raises(InputError, match=r"at word 2 of sentence 2\. Write another format"):
        write_conll(rows, io.StringIO())


@pytest.mark.parametrize(
    "text",
    [
        "Ann\tO\n \tO\n",
        "Ann\tO\t\n \tO\t\n",
        "Ann\tO  \n \tO\n",
        "Ann O\n \tO",
        "\ufeffAnn\tO\r\n \tO\r\n\r\n",
    ],
)
def test_a_word_may_be_a_space_where_tabs_part_columns(tmp_path, text):
    path = tmp_path / "a.conll"
    path.write_bytes(text.encode())
    assert read_sentences(path) == ([["Ann", " "]], [["O", "O"]])


@pytest.mark.parametrize(
    ("comment", "row"),
    [
        ("# sent_id = 3", "Ann NNP B-NP B-PER"),
        ("# newdoc", "Ann B-PER"),
        ("# id 7 de", "Ann NNP B-NP B-PER"),
        ("#begin document (a);\n#end document", "Ann B-PER"),
        ("# global.columns = ID FORM", "Ann a b c B-PER"),
    ],
)
def test_comments_with_as_many_columns_are_no_words(comment, row):
    lines = f"{comment}\n{row}\n#{' O' * row.count(' ')}\n\n{comment}\n{row}".split("\n")
    frame = words_of_lines(lines, "a.conll", conllu=False)
    assert frame["0"].tolist() == ["Ann", "#", "Ann"]
    assert frame["sentence"].tolist() == [1, 1, 2]


@pytest.mark.parametrize("first", ["# O", "#\tnn", "# SYM", "#foo ht", "#1 O", "## O", "#id O"])
def test_a_word_may_begin_with_a_number_sign(first):
    lines = [first, "foo O", "", "bar O"]
    frame = words_of_lines(lines, "a.conll", conllu=False)
    assert frame["0"].tolist() == [first.split()[0], "foo", "bar"]


def test_what_may_be_a_word_or_a_comment_is_asked_about():
    for lines in (["# a b", "Ann X O"], ["Ann X O", "", "# a b"], ["# a b", "# c d"]):
        with pytest.raises(InputError, match=r"`line \d` must be a word with its columns, or a co"):
            words_of_lines(lines, "a.conll", conllu=False)
    with pytest.raises(InputError, match=r"`line 2` must be .* got a comment in a sentence"):
        words_of_lines(["Ann B C O", "# sent_id = 3"], "a.conll", conllu=False)


def test_running_text_is_named_as_such(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("Ann rows to Hull.\nBob waits.\nEve sleeps all day long.\n")
    with pytest.raises(
        InputError, match=r"got lines of 2 to 5 words, as in running text\. .*--tag"
    ):
        read_conll(path)


@pytest.mark.parametrize("row", ["{0} {1}\tO", "{0}  \tO"])
def test_columns_parted_by_tabs_and_spaces_are_refused(row):
    lines = [row.format(word, "NNP") for word in ("Ann", "rows", ".")]
    with pytest.raises(InputError, match=r"parted by tabs, or by spaces; got both, as in '\."):
        words_of_lines(lines, "a.conll", conllu=False)


@pytest.mark.parametrize(
    ("lines", "looks"),
    [
        (["Ann B-PER", "rows O", None, "to O"], True),
        (["# comment here", "Ann B-PER", "rows O", "to O"], True),
        (["Ann B-PER", "rows O", "to the O", "x O", "y O", "z O"], True),
        (["Ann B-PER", "rows O", "to O", "Hull B-LOC"], True),
        (["the det", "cat noun", "sits verb"], True),
        (["Ann rows to Hull.", "Bob waits."], False),
        (["Ann rows", "Bob waits", "Eve sleeps"], False),
        (["Ann"], False),
        ([], False),
    ],
)
def test_a_text_file_of_words_looks_like_conll(lines, looks):
    assert looks_like_conll(lines) == looks

"""CoNLL files: columns, sentences, what is left out, and faults named with their line."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.data import read_conll, read_table
from tidegate.data.tags.conll import looks_like_conll, words_of_lines, write_conll
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
        ("a.conll", "EU O\nrejects\n", r"`line 2` must be 2 columns, as in the first; got 1\."),
        ("a.conll", "EU O\n\nPeter NNP O\n", r"`line 3` must be 2 columns, as in the first; got 3"),
        ("a.conllu", "1\tEU\tO\n", r"`line 1` must be 10 columns parted by tabs; got 3"),
        ("a.conll", "\n\n-DOCSTART- O\n", r"`file` must be a CoNLL file with a word; got none"),
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


@given(st.lists(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4), min_size=1))
def test_whatever_a_token_holds_words_stay_words(sentences):
    handle = io.StringIO()
    write_conll([[(word, "O") for word in words] for words in sentences], handle)
    lines = list(filter(None, handle.getvalue().split("\n")))
    assert len(lines) == sum(map(len, sentences))
    assert all(line.endswith(("\tO", " O")) for line in lines)


@pytest.mark.parametrize(
    ("lines", "looks"),
    [
        (["Ann B-PER", "rows O", None, "to O"], True),
        (["# comment here", "Ann B-PER", "rows O", "to O"], True),
        (["Ann B-PER", "rows O", "to the O", "x O", "y O", "z O"], True),
        (["Ann rows to Hull.", "Bob waits."], False),
        (["Ann rows", "Bob waits", "Eve sleeps"], False),
        (["Ann"], False),
        ([], False),
    ],
)
def test_a_text_file_of_words_looks_like_conll(lines, looks):
    assert looks_like_conll(lines) == looks

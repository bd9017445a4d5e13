"""CoNLL-U written, against a reader of its own and against what stood there before."""

from __future__ import annotations

import gzip

import pytest

from tidegate.data.tags.conllu import filled, made, tag_column
from tidegate.errors import InputError

FILE = """\
# newdoc id = weblog-1
# sent_id = 1
# text = Don't go to Zoë's 1 000 isles, she (rowed).
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=Yes
1\tDo\tdo\tAUX\tVB\tMood=Imp\t3\taux\t3:aux\t_
2\tn't\tnot\tPART\tRB\tPolarity=Neg\t3\tadvmod\t3:advmod\t_
3\tgo\tgo\tVERB\tVB\tVerbForm=Inf\t0\troot\t0:root\t_
4\t1 000\t1 000\tNUM\tCD\tNumType=Card\t5\tnummod\t5:nummod\tSpaceAfter=No|Gloss=a b
5\tisles\tisle\tNOUN\tNNS\t_\t3\tobl\t3:obl\t
5.1\trowed\trow\tVERB\tVBD\t_\t_\t_\t0:root\tCopyOf=3

# sent_id = 2
#comment without a space
1\t#\t#\tSYM\tNN\t_\t0\troot\t_\t_

"""
WORDS = {5: "A", 6: "B", 7: "C", 8: "D", 9: "E", 14: "F"}


@pytest.mark.parametrize("name", ["a.conllu", "a.conllu.gz"])
@pytest.mark.parametrize("column", ["upos", "xpos", "misc"])
def test_only_the_column_of_the_tags_changes(tmp_path, name, column):
    path = tmp_path / name
    path.write_bytes(gzip.compress(FILE.encode()) if "gz" in name else FILE.encode())
    place = {"upos": 3, "xpos": 4, "misc": 9}[column]
    found = "".join(filled(path, WORDS, column))
    assert len(found.split("\n")) == len(FILE.split("\n"))
    for number, (was, now) in enumerate(zip(FILE.split("\n"), found.split("\n"), strict=True), 1):
        if number not in WORDS:
            assert now == was
            continue
        fields = was.split("\t")
        fields[place] = WORDS[number]
        assert now.split("\t") == fields


def test_the_last_sentence_ends_with_an_empty_line(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text(FILE.rstrip("\n"))
    assert "".join(filled(path, WORDS, "upos")).endswith("\t_\t_\n\n")


def test_words_alone_get_ten_columns():
    found = "".join(made([(["Ann", "1 000"], ["PROPN", "NUM"]), ([], []), (["#"], ["X"])], "xpos"))
    rest = "\t_" * 5
    assert found == (
        f"1\tAnn\t_\t_\tPROPN{rest}\n2\t1 000\t_\t_\tNUM{rest}\n\n1\t#\t_\t_\tX{rest}\n\n"
    )


@pytest.mark.parametrize(
    ("word", "tag"), [("a\tb", "X"), ("a\nb", "X"), ("a\rb", "X"), ("a", "\t")]
)
def test_what_would_part_lines_is_named(tmp_path, word, tag):
    with pytest.raises(InputError, match="at word 2 of sentence 3"):
        list(made([(["ok"], ["X"]), (["ok"], ["X"]), (["ok", word], ["X", tag])], "upos"))
    path = tmp_path / "a.conllu"
    path.write_text(FILE)
    with pytest.raises(InputError, match=r"in line 5 of .*a\.conllu"):
        list(filled(path, {5: "A\n"}, "upos"))


def test_tags_go_where_they_were_learned_but_never_over_the_words():
    columns = ["xpos", "misc", "tag", None, "id", "form"]
    assert [*map(tag_column, columns)] == ["xpos", "misc", "upos", "upos", "upos", "upos"]

"""Sentences with their tags, as a terminal, a program and a file have them."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from rich.console import Console

from tidegate.errors import InputError
from tidegate.tasks.core.files.answer import Question
from tidegate.tasks.tagging.answer import Tagged, TaggedAnswer, coloured, tagged_answer
from tidegate.tasks.tagging.sentence import TaggedSentence, TaggedSpan

LABELS = ["LOC", "PER"]


def sentence(text: str) -> TaggedSentence:
    """Every word with a capital is a person, but Hull is a place; sure of half of it."""
    words, spans, start = tuple(text.split()), [], 0
    for word in words:
        start = text.index(word, start)
        if word[0].isupper():
            label = "LOC" if word == "Hull" else "PER"
            spans.append(TaggedSpan(start, start + len(word), label, word, 0.5))
    tags = tuple(next((f"B-{s.label}" for s in spans if s.text == w), "O") for w in words)
    return TaggedSentence(text, words, tags, (0.5,) * len(words), tuple(spans))


def tag(rows):
    return [sentence(row if isinstance(row, str) else " ".join(row)) for row in rows]


def answer(*texts: str, live: bool = False) -> TaggedAnswer:
    chunks = [[text] for text in texts] if live else [list(texts)]
    return tagged_answer(
        SimpleNamespace(columns_={}), Question(texts=chunks, live=live), tag, LABELS
    )


def shown(form: str, *texts: str, **options: bool) -> str:
    out = io.StringIO()
    answer(*texts, **options).show(form, Console(file=out, width=40))
    return out.getvalue()


TEXTS = ("Ann rows in Hull", "she waits")


def test_texts_have_their_spans_named():
    assert shown("text", *TEXTS) == "Ann[PER] rows in Hull[LOC]\nshe waits\n"


def test_a_long_text_is_not_broken():
    assert shown("text", "she " * 30).count("\n") == 1


def test_a_word_a_line_and_an_empty_one_between_sentences():
    expected = "Ann B-PER\nrows O\nin O\nHull B-LOC\n\nshe O\nwaits O\n\n"
    assert shown("conll", *TEXTS) == shown("conll", *TEXTS, live=True) == expected


@pytest.mark.parametrize("live", [False, True])
def test_tables_have_one_header_and_number_the_sentences(live):
    lines = shown("csv", *TEXTS, live=live).splitlines()
    assert lines[0] == "sentence,token,prediction,confidence"
    assert lines[1] == "1,Ann,B-PER,0.5"
    assert lines[-1] == "2,waits,O,0.5"
    assert len(lines) == 1 + 6
    assert shown("tsv", *TEXTS, live=live) == "\n".join(lines).replace(",", "\t") + "\n"


def test_programs_read_a_sentence_a_line():
    rows = [json.loads(line) for line in shown("jsonl", "Ann rows", "schön").splitlines()]
    assert rows == [sentence("Ann rows").to_json(), sentence("schön").to_json()]
    assert "schön" in shown("jsonl", "schön")


def test_rows_are_counted_and_the_form_is_that_of_the_question():
    found = answer(*TEXTS)
    assert (found.form, found.rows) == ("text", 0)
    found.show("text", Console(file=io.StringIO()))
    assert found.rows == 2
    assert answer(*TEXTS, live=True).form == "conll"


@pytest.mark.parametrize("suffix", [".conll", ".txt", ".jsonl"])
def test_files_hold_what_is_shown(tmp_path, suffix):
    form = {".conll": "conll", ".txt": "text", ".jsonl": "jsonl"}[suffix]
    plain, packed = tmp_path / f"a{suffix}", tmp_path / f"a{suffix}.gz"
    answer(*TEXTS).save(plain)
    answer(*TEXTS).save(packed)
    assert plain.read_text() == gzip.decompress(packed.read_bytes()).decode() == shown(form, *TEXTS)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv.gz", "a.parquet"])
def test_tables_are_files_too(tmp_path, name):
    path = tmp_path / name
    answer(*TEXTS, live=True).save(path)
    read = pd.read_parquet if "parquet" in name else pd.read_csv
    frame = read(path, **({"sep": "\t"} if "tsv" in name else {}))
    assert list(frame.columns) == ["sentence", "token", "prediction", "confidence"]
    assert frame["prediction"].tolist() == ["B-PER", "O", "O", "B-LOC", "O", "O"]


def test_a_file_that_cannot_be_written_is_named_and_an_unknown_one_refused(tmp_path):
    with pytest.raises(InputError, match=r"gone.*a\.conll: `path` must be writable"):
        answer(*TEXTS).save(tmp_path / "gone" / "a.conll")
    with pytest.raises(InputError, match=r"`suffix` must be a name that ends in \.conll"):
        TaggedAnswer.check_path(Path("a.png"))
    with pytest.raises(
        InputError, match="must be one of text, conll, conllu, jsonl, csv, tsv; got cvs"
    ):
        TaggedAnswer.check_form("cvs")


def test_the_columns_of_a_file_stay_before_the_tag():
    words = pd.DataFrame({"word": ["Ann", "rows"], "kind": ["NNP", "VBZ"]})
    out = io.StringIO()
    found = TaggedAnswer(iter([Tagged([sentence("Ann rows")], words)]), LABELS, "conll")
    found.show("conll", Console(file=out))
    assert out.getvalue() == "Ann NNP B-PER\nrows VBZ O\n\n"


def test_nothing_to_tag_is_refused():
    with pytest.raises(
        InputError, match="`DATA` must be a CoNLL file, a table, texts or -; got noth"
    ):
        tagged_answer(SimpleNamespace(columns_={}), Question(), tag, LABELS)


def test_spans_have_the_colours_of_their_labels():
    spans = (TaggedSpan(0, 3, "PER", "Ann", 0.9), TaggedSpan(12, 16, "LOC", "Hull", 0.9))
    text = coloured(TaggedSentence("Ann rows in Hull", (), (), (), spans), ["LOC", "PER"])
    console = Console(force_terminal=True, color_system="standard", width=80, legacy_windows=False)
    with console.capture() as caught:
        console.print(text)
    shown = caught.get()
    assert "\x1b[1;33mAnn\x1b[0m" in shown
    assert "\x1b[1;36mHull\x1b[0m" in shown
    assert text.plain == "Ann[PER] rows in Hull[LOC]"

"""Answers as a terminal, a program and a file have them; and what is asked."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from tidegate.data.tables.reader import read_table
from tidegate.errors import InputError
from tidegate.tasks.core.files.answer import Question, TableAnswer, beside

FRAMES = [
    pd.DataFrame({"text": ["a fine film", 'say "no",\nor not'], "prediction": ["good", "bad"],
                  "probability_bad": [0.25, 0.875], "probability_good": [0.75, 0.125]}),
    pd.DataFrame({"text": ["schön"], "prediction": ["good"],
                  "probability_bad": [0.0], "probability_good": [1.0]}),
]  # fmt: skip


def shown(form: str, frames=FRAMES, text: str = "text", width: int = 60) -> str:
    out = io.StringIO()
    TableAnswer(iter(frames), text).show(form, Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize(("form", "mark"), [("csv", ","), ("tsv", "\t")])
def test_tables_have_one_header_and_every_row(form, mark):
    found = pd.read_csv(io.StringIO(shown(form)), sep=mark)
    pd.testing.assert_frame_equal(found, pd.concat(FRAMES, ignore_index=True))


def test_programs_read_a_row_a_line_in_its_own_letters():
    lines = shown("jsonl").splitlines()
    assert [json.loads(line) for line in lines] == pd.concat(FRAMES).to_dict("records")
    assert "schön" in lines[2]
    assert shown("jsonl", [FRAMES[0][:0]]) == ""


def test_lines_are_the_answer_and_its_probability():
    assert shown("lines") == "good\t0.7500\nbad\t0.8750\ngood\t1.0000\n"
    assert (
        shown("lines", [frame[["text", "prediction"]] for frame in FRAMES]) == "good\nbad\ngood\n"
    )


def test_people_read_a_line_a_row_that_is_cut_at_its_end():
    lines = shown("table", [FRAMES[0].assign(text=["a [bold] film", "no " * 99])]).splitlines()
    assert lines[0].split() == ["prediction", "probability", "text"]
    assert lines[2].rstrip().split(maxsplit=2) == ["good", "0.7500", "a [bold] film"]
    assert lines[3].rstrip().endswith("…")
    assert max(map(len, lines)) <= 60
    assert "'\\n'" in shown("table", [pd.DataFrame({"text": ["a"], "prediction": ["\n"]})])


def test_answers_that_are_no_rows_of_the_user_are_shown_whole():
    frame = pd.DataFrame({"time": ["2024"], "prediction": [1234.56789]})
    assert shown("table", [frame], "").splitlines()[-1].split() == ["2024", "1,234.57"]


def test_rows_are_counted_as_they_are_answered(tmp_path):
    found = TableAnswer(iter(FRAMES), "text")
    found.save(tmp_path / "a.csv")
    assert found.rows == 3
    assert (tmp_path / "a.csv").read_text() == shown("csv")


def test_forms_and_files_are_checked_by_name():
    TableAnswer.check_form("jsonl")
    with pytest.raises(InputError, match=r"`--format` must be one of table, .*; got jsonll\. Did"):
        TableAnswer.check_form("jsonll")
    TableAnswer.check_path(Path("a.csv.gz"))
    with pytest.raises(InputError, match=r"`suffix` must be a name that ends in \.csv"):
        TableAnswer.check_path(Path("a.xlsx"))


def test_answers_stand_beside_the_rows_with_probabilities_to_six_digits():
    frame = pd.DataFrame({"text": ["a", "b"]})
    found = beside(frame, {"prediction": [1 / 3, 2 / 3], "probability_x": [1 / 3, 2 / 3]})
    assert found.to_dict("list") == {
        "text": ["a", "b"], "prediction": [1 / 3, 2 / 3], "probability_x": [0.333333, 0.666667],
    }  # fmt: skip
    assert list(frame.columns) == ["text"]
    with pytest.raises(InputError, match="predict: `text` must be free for the answers"):
        beside(frame, {"text": ["c", "d"]})


def test_what_cannot_be_answered_is_told_as_it_was_typed():
    asked = Question(texts=[["a text", "another"]])
    assert str(asked.refused("a table")) == "predict: `DATA` must be a table; got a text another."
    assert "got -." in str(Question(texts=iter([["x"]]), live=True).refused("a table"))
    assert "got nothing." in str(Question().refused("a table"))


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl"])
def test_what_is_printed_is_what_is_written(form, tmp_path):
    frame = pd.DataFrame(
        {
            "text": ["a/b", "one\rtwo", "caf\u00e9 \u2603"],
            "w": [0.12345678901234566, 1e-17, float("nan")],
            "prediction": ["x", "y", "z"],
        }
    )
    path, shown = tmp_path / f"a.{form}", io.StringIO()
    TableAnswer(iter([frame])).save(path)
    TableAnswer(iter([frame])).show(form, Console(file=shown))
    assert shown.getvalue().encode("utf-8") == path.read_bytes()
    read = read_table(path)
    assert read["text"].tolist() == frame["text"].tolist()
    assert read["w"].tolist()[:2] == frame["w"].tolist()[:2]


@pytest.mark.parametrize(("form", "escape"), [("table", r"\x1b"), ("lines", "\x1b")])
def test_a_label_stays_in_its_line_and_column(form, escape):
    frame = pd.DataFrame({"text": ["a\rb\x1b"], "prediction": ["two\nlines\tor\u2028\x1bmore"],
                          "probability_x": [1.0]})  # fmt: skip
    told = [line for line in shown(form, [frame], width=80).splitlines() if "two" in line]
    assert told[0].split("  ")[0].startswith(rf"two\nlines\tor\u2028{escape}more")
    whole = pd.DataFrame({"gr\noup": ["a\tb"], "prediction": [1.5]})
    assert [*map(str.split, shown("table", [whole], "none").splitlines())][2] == [r"a\tb", "1.5"]


def test_many_classes_stand_beside_rows_of_any_index_without_a_word_of_fragments():
    frame = pd.DataFrame({"text": ["a", "b"]}, index=[7, 3])
    answers = {f"probability_{number}": [number / 300, 0.5] for number in range(300)}
    found = beside(frame, {"prediction": ["x", "y"], **answers})
    assert list(found.columns) == ["text", "prediction", *answers]
    assert list(found.index) == [7, 3]
    assert found["probability_30"].tolist() == [0.1, 0.5]
    assert len(beside(frame[:0], {"prediction": []})) == 0

"""How a task that answers rows answers a file, or texts as they come."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from rich.console import Console

from tests.tasks.texts import small
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.files.answer import Question
from tidegate.tasks.core.files.responding import respond


class Lengths(type(small())):
    """Answers how long a text is."""

    def answer(self, X):
        return {"prediction": [len(text) for text in X]}


class Places(Lengths):
    """Answers each row by its place in the whole table."""

    whole_tables = True
    optional_roles = ("label",)

    def answer(self, X):
        return {"prediction": list(range(len(X)))}


TASK = Lengths()


def answered(question: Question, task=TASK) -> pd.DataFrame:
    out = io.StringIO()
    respond(task, question).show("csv", Console(file=out))
    return pd.read_csv(io.StringIO(out.getvalue()))


def written(folder, rows: list[str], name: str = "a.csv"):
    path = folder / name
    path.write_text("\n".join(["id,text", *rows]) + "\n")
    return path


def test_texts_are_answered_as_they_come():
    asked = []

    def texts():
        for chunk in (["a", "bcd"], ["ef"]):
            asked.append(len(chunk))
            yield chunk

    answer = respond(TASK, Question(texts=texts(), live=True))
    assert answer.form == "lines"
    assert asked == []  # nothing is read before it is shown
    out = io.StringIO()
    answer.show("lines", Console(file=out))
    assert out.getvalue() == "1\n3\n2\n"
    assert respond(TASK, Question(texts=[["a"]])).form == "table"


def test_a_file_keeps_its_columns_and_is_answered_in_pieces(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(Lengths, "answer", lambda self, X: seen.append(len(X)) or {
        "prediction": [len(text) for text in X]})  # fmt: skip
    path = written(tmp_path, [f"{n},{'x' * (n % 7 + 1)}" for n in range(5000)])
    found = answered(Question(path=path))
    assert list(found.columns) == ["id", "text", "prediction"]
    assert found["id"].tolist() == list(range(5000))
    assert found["prediction"].tolist() == [n % 7 + 1 for n in range(5000)]
    assert sum(seen) == 5000
    assert len(seen) > 1


def test_a_column_is_the_one_that_is_named_and_lines_have_but_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text,review\na,bcd\n")
    assert answered(Question(path=path, columns={"text": "review"}))["prediction"].item() == 3
    lines = tmp_path / "a.txt"
    lines.write_text("ab\ncde\n")
    assert answered(Question(path=lines, columns={"text": None}))["prediction"].tolist() == [2, 3]


def test_a_fault_at_the_end_of_a_file_is_told_before_the_first_answer(tmp_path, monkeypatch):
    path = written(tmp_path, [f"{n},x" for n in range(5000)] + ["9,"])
    monkeypatch.setattr(Lengths, "answer", lambda *_: pytest.fail("answered"))
    with pytest.raises(InputError, match=r"1 empty texts \(row 5001\)"):
        answered(Question(path=path))


def test_empty_cells_are_left_out_and_counted_once(tmp_path):
    path = written(tmp_path, ["1,a", "2,", "3,bc"])
    with pytest.warns(DataWarning, match="1 rows with an empty text were left out") as told:
        found = answered(Question(path=path, drop_missing=True))
    assert len(told) == 1
    assert found["id"].tolist() == [1, 3]


def test_rows_that_belong_together_are_answered_together(tmp_path):
    path = written(tmp_path, [f"{n},x" for n in range(5000)])
    found = answered(Question(path=path), Places())
    assert found["prediction"].tolist() == list(range(5000))
    assert list(found.columns) == ["text", "prediction"]  # those that the task reads


@pytest.mark.parametrize("question", [Question(), Question(texts=[["a"]])])
def test_what_has_no_rows_is_refused(question):
    with pytest.raises(InputError, match="predict: `DATA` must be a table; got"):
        respond(Places(), question)
    if question.texts is None:
        with pytest.raises(InputError, match="must be a table, texts or -; got nothing"):
            respond(TASK, question)

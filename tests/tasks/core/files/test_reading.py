"""How a task takes X and y out of a file, and what is said of a file that is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.tasks.texts import small
from tidegate import Forecaster, LanguageModel, TextClassifier
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.files.reading import fitted_columns, read_row, read_split

COLUMNS = {"text": "review", "label": "stars"}


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.parquet"])
def test_files_are_tables_unless_a_task_says_otherwise(name):
    assert TextClassifier().read_file(Path(name), {"text": "text"}) is None


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "shakespeare", "a.md", "tables.csv.txt"])
def test_a_language_model_reads_plain_text_itself(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"a tide") if name.endswith(".gz") else b"a tide")
    assert LanguageModel().read_file(path, {"text": "text"}) == (path, None)


@pytest.mark.parametrize("name", ["a.csv", "a.TSV", "a.jsonl.gz", "a.parquet"])
def test_a_language_model_reads_tables_of_documents(name):
    assert LanguageModel().read_file(Path(name), {"text": "text"}) is None


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("stars,review,part\n5,fine,train\n,dull,train\n1,007,test\n")
    return path


def test_a_table_is_read_with_the_numbers_of_its_rows(table):
    with pytest.warns(DataWarning, match=r"a.csv: 1 rows with an empty cell were left out"):
        split = read_split(small(), table, COLUMNS, True, also="part")
    assert split.rows(small()) == (["fine", "007"], ["5", "1"])
    assert [split.number(row) for row in (0, 1)] == [1, 3]
    assert split.frame["part"].tolist() == ["train", "test"]
    with pytest.raises(InputError, match=r"a.csv: .*1 empty labels \(row 2\)"):
        read_split(small(), table, COLUMNS, False)


def test_what_a_task_says_of_x_and_y_is_said_of_their_columns(table):
    with pytest.warns(DataWarning):
        split = read_split(small(), table, COLUMNS, True)
    for argument, column in (("X", "review"), ("y", "stars")):
        rule = rf"^{table}: `{column}` must be so\.$"
        with pytest.raises(InputError, match=rule), split.naming(small()):
            raise InputError(f"TextClassifier: `{argument}` must be so.")
    with pytest.raises(InputError, match=r"^Other: `X` must be so"), split.naming(small()):
        raise InputError("Other: `X` must be so.")


def test_a_file_that_a_task_reads_itself_has_no_columns(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a tide")
    split = read_split(LanguageModel(), path, {"text": "text"}, False)
    assert split.rows(LanguageModel()) == (path, None)
    with pytest.raises(InputError, match="`--split` must be left out for a file that is no table"):
        read_split(LanguageModel(), path, {"text": "text"}, False, also="part")


def test_columns_are_as_given_or_as_in_training_or_of_the_name_of_their_role():
    task = small()
    assert fitted_columns(task, {}) == {"text": "text", "label": "label"}
    task.columns_ = {"text": "review"}
    assert fitted_columns(task, {"label": None}) == {"text": "review", "label": "label"}
    assert fitted_columns(task, {"text": "body"})["text"] == "body"
    series = Forecaster()
    assert set(series.optional_roles) - fitted_columns(series, {}).keys()
    assert fitted_columns(series, {"known": "heat"})["known"] == "heat"


def test_one_row_is_found_by_its_number(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("text\nfine\ndull\n")
    assert read_row(small(), path, {}, 2) == "dull"
    for number in (0, 3):
        with pytest.raises(
            InputError, match=rf"`--row` must be from 1 to 2, the rows of .*{number}"
        ):
            read_row(small(), path, {}, number)

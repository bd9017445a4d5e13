"""The files of a fit: which rows train, validate and test, and how they are checked together."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.tasks.texts import small
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.core.files.splits import measure_split, read_splits

COLUMNS = {"text": "text", "label": "label"}
ROWS = [(f"{('low', 'high')[n % 2]} {n}", "ab"[n % 2], ("train", " Dev", "TEST")[n % 3])
        for n in range(24)]  # fmt: skip


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "a.csv"
    pd.DataFrame(ROWS, columns=["text", "label", "part"]).to_csv(path, index=False)
    return path


def read(data, **given):
    empty = {"validation": None, "test": None, "split": None, "drop_missing": False}
    return read_splits(small(), COLUMNS, {**empty, "data": data, **given})


@pytest.mark.parametrize(
    ("said", "share"), [(None, 0.1), ("0.25", 0.25), ("none", None), ("None", None), ("0", None)]
)
def test_validation_may_be_a_share(table, said, share):
    splits = read(table, validation=said)
    assert splits.validation == share
    assert splits.test is None
    assert len(splits.train.frame) == 24


def test_parts_may_be_files_of_their_own(table):
    splits = read(table, validation=str(table), test=str(table))
    assert splits.validation.source == splits.test.source == str(table)


def test_a_column_divides_the_rows_which_keep_their_numbers(table):
    splits = read(table, split="part")
    assert [len(part.frame) for part in (splits.train, splits.validation, splits.test)] == [8] * 3
    assert splits.train.rows(small())[0] == [text for text, _, _ in ROWS[::3]]
    assert [splits.test.number(row) for row in range(3)] == [3, 6, 9]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"validation": "1.5"}, "`--validation` must be a file, or a share of the rows"),
        ({"validation": "gone.csv"}, "gone.csv: `file` must be an existing one"),
        ({"split": "part", "test": "a.csv"}, "`--test` must be the only one of its kind; got test"),
        ({"split": "label"}, r"`label` must be train, validation or test in each row; got 'a'"),
    ],
)
def test_what_does_not_fit_together_is_told(table, monkeypatch, given, told):
    monkeypatch.chdir(table.parent)
    with pytest.raises(InputError, match=told):
        read(table, **given)


def test_some_rows_must_be_to_learn_from(table):
    pd.DataFrame(ROWS, columns=["text", "label", "part"]).assign(part="test").to_csv(table)
    with pytest.raises(InputError, match="`part` must be train in some rows; got none such"):
        read(table, split="part")


def test_a_task_is_fitted_and_measured_and_remembers_its_columns(table, tmp_path):
    task = small(epochs=1)
    found = read(table, split="part").fit(task, checkpoint=tmp_path / "kept", resume=False)
    assert task.columns_ == COLUMNS
    assert set(task.metrics_) == {"train", "validation", "test"}
    assert task.metrics_["test"].items() <= found.items()
    assert found["per_class"].keys() == {"a", "b"}
    assert read(table).fit(small(epochs=1), checkpoint=tmp_path / "other", resume=False) == {}


@pytest.mark.parametrize("part", ["validation", "test"])
def test_targets_that_cannot_be_learned_are_named_before_training(table, tmp_path, part):
    other = tmp_path / "other.csv"
    other.write_text("text,label\nlow,a\nodd,c\neven,d\n")
    splits = read(table, **{part: str(other)})
    task = small(epochs=1)
    rule = r"other.csv: `label` must be made of the labels .*; got 'c' in row 2, and 1 more such"
    with pytest.raises(InputError, match=rule):
        splits.fit(task, checkpoint=tmp_path / "kept", resume=False)
    assert not hasattr(task, "network_")


def test_a_label_without_a_row_is_told_of(table, tmp_path):
    task = small(epochs=1)
    read(table).fit(task, checkpoint=tmp_path / "kept", resume=False)
    other = tmp_path / "other.csv"
    other.write_text("text,label\nlow,a\n")
    with pytest.warns(DataWarning, match="other.csv: no row has the label 'b'"):
        found = measure_split(task, read(other).train)
    assert found["per_class"]["b"]["support"] == 0

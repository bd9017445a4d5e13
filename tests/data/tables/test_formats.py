"""The row readers beneath the tables: suffixes, and rows as they stand in the file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tidegate.data.tables.formats import (
    parquet_columns,
    read_json_rows,
    read_parquet_tables,
    read_text_rows,
    table_suffix,
)
from tidegate.errors import InputError

KNOWN = (".csv", ".parquet")


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.csv", ".csv"), ("A.CSV", ".csv"), ("a.b.csv.gz", ".csv"), ("a.CSV.GZ", ".csv"),
     ("a.parquet", ".parquet")],
)  # fmt: skip
def test_suffixes(name, suffix):
    assert table_suffix(Path(name), KNOWN) == suffix


@pytest.mark.parametrize("name", ["a", "a.gz", "a.csv.zip", "a.parquet.gz", ".csv", "csv"])
def test_unknown_suffixes(name):
    with pytest.raises(InputError, match=f"{name}: `suffix` must be a name that ends in .csv, .pa"):
        table_suffix(Path(name), KNOWN)


def test_text_rows_are_strings(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,\n\n,x\n", encoding="utf-8")
    assert list(read_text_rows(path, ".csv")) == [["a", "b"], ["1", None], [None, "x"]]


def test_a_reader_that_is_left_half_way_does_not_disturb_another(tmp_path):
    long = "x" * 200_000
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(f"a\nshort\n{long}\n", encoding="utf-8")
    one = read_text_rows(tmp_path / "one.csv", ".csv")
    assert [next(one), next(one)] == [["a"], ["short"]]
    assert len(list(read_text_rows(tmp_path / "two.csv", ".csv"))) == 3
    assert next(one) == [long]
    one.close()


def test_json_and_parquet_rows(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": [1, "\\u00e9"]}\n', encoding="utf-8")
    assert list(read_json_rows(tmp_path / "t.jsonl")) == [{"a": [1, "é"]}]
    pd.DataFrame({"a": range(5), "b": range(5)}).to_parquet(tmp_path / "t.parquet")
    assert parquet_columns(tmp_path / "t.parquet") == ["a", "b"]
    tables = list(read_parquet_tables(tmp_path / "t.parquet", ["b"], 2))
    assert [table.to_pydict() for table in tables] == [{"b": [0, 1]}, {"b": [2, 3]}, {"b": [4]}]

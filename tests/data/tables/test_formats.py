"""The row readers beneath the tables: suffixes, and rows as they stand in the file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
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


@pytest.mark.parametrize(
    ("lines", "rows"),
    [
        ('"text, whole";label\na;1\n', [["text, whole", "label"], ["a", "1"]]),
        ("sep=;\ntext;label\na,b;1\n", [["text", "label"], ["a,b", "1"]]),
        ("sep=,\ntext,label\na,1\n", [["text", "label"], ["a", "1"]]),
        ("a,a,a (1)\n1,2,3\n", [["a (2)", "a (3)", "a (1)"], ["1", "2", "3"]]),
    ],
    ids=["a-quoted-name", "semicolon-named", "comma-named", "a-numbered-name"],
)
def test_headers_as_spreadsheets_write_them(tmp_path, lines, rows):
    (tmp_path / "t.csv").write_text(lines, encoding="utf-8")
    assert list(read_text_rows(tmp_path / "t.csv", ".csv")) == rows


def test_names_that_come_twice_in_parquet_matter_to_nobody_who_does_not_ask(tmp_path):
    path = tmp_path / "t.parquet"
    columns = [pa.array([number]) for number in (1, 2, 3)]
    pq.write_table(pa.Table.from_arrays(columns, ["a", "b", "a"]), path)
    assert parquet_columns(path) == ["a (1)", "b", "a (2)"]
    for wanted, row in ((["b"], {"b": 2}), (["a (2)", "b"], {"a (2)": 3, "b": 2})):
        assert next(read_parquet_tables(path, wanted, 5)).to_pylist() == [row]

"""What is written is read back; nothing half-written is ever left behind."""

from __future__ import annotations

import csv
import gzip
import json
import math

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.data.tables.reader import read_table
from tidegate.data.tables.writer import write_table
from tidegate.errors import InputError

NAMES = ["t.csv", "t.tsv", "t.jsonl", "t.parquet", "t.csv.gz", "t.tsv.gz", "t.jsonl.gz"]
FRAME = pd.DataFrame({"text": ['a "b", c', "d\ne", "f\tg", "h\ri"], "score": [0.1, 1 / 3, 2e-9, 4]})


def columns(frame):
    return {name: frame[name].tolist() for name in frame}


@pytest.mark.parametrize("name", NAMES)
def test_written_and_read_back(tmp_path, name):
    write_table(FRAME, tmp_path / name)
    assert columns(read_table(tmp_path / name)) == columns(FRAME)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_frames_follow_each_other(tmp_path, name):
    write_table((FRAME[at : at + 1] for at in range(4)), str(tmp_path / name))
    assert columns(read_table(tmp_path / name)) == columns(FRAME)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(min_size=1), st.integers(0, 9)), min_size=1, max_size=4))
def test_any_text_survives(tmp_path, suffix, rows):
    frame = pd.DataFrame(rows, columns=["text", "label"])
    path = tmp_path / f"t.{suffix}"
    write_table(frame, path)
    assert columns(read_table(path, text=["text"])) == columns(frame)


def test_missing_values_survive(tmp_path):
    frame = pd.DataFrame({"text": ["a", None], "n": pd.array([1, None], dtype="Int64")})
    for name in NAMES:
        write_table(frame, tmp_path / name)
        found = read_table(tmp_path / name)
        assert found.isna().to_numpy().tolist() == [[False, False], [True, True]]
        assert (found["text"][0], found["n"][0]) == ("a", 1)


def test_a_lone_empty_column_keeps_its_rows(tmp_path):
    write_table(pd.DataFrame({"text": ["a", "", "b"]}), tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv")["text"].isna().tolist() == [False, True, False]


def test_a_packed_table_has_the_same_bytes_every_time(tmp_path):
    write_table(FRAME, tmp_path / "a.csv.gz")
    write_table(FRAME, tmp_path / "b.csv.gz")
    packed = (tmp_path / "a.csv.gz").read_bytes()
    assert packed == (tmp_path / "b.csv.gz").read_bytes()
    assert gzip.decompress(packed).startswith(b'"text","score"\n')


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "t.csv"
    write_table(FRAME, path)
    before = path.read_bytes()

    def frames():
        yield FRAME
        raise RuntimeError("the model broke")

    with pytest.raises(RuntimeError, match="the model broke"):
        write_table(frames(), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(InputError, match=r"`suffix` must be a name that ends in .*; got \.txt"):
        write_table(FRAME, tmp_path / "t.txt")
    with pytest.raises(InputError, match="`path` must be in a folder that exists; got no folder"):
        write_table(FRAME, tmp_path / "no" / "t.csv")
    with pytest.raises(InputError, match="`frame` must be one frame or more; got none"):
        write_table([], tmp_path / "t.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="`path` must be writable; got"):
        write_table(FRAME, tmp_path / "folder.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["folder.csv"]


def test_lists_of_a_parquet_file_stay_lists(tmp_path):
    steps = [[0.1 * step for step in range(2_000)], [0.5, None]]
    pq.write_table(pa.table({"x": steps, "y": [[[1], [2, 3]], []]}), tmp_path / "t.parquet")
    frame = read_table(tmp_path / "t.parquet")
    for name in ("t.jsonl", "t.csv"):
        write_table(frame, tmp_path / name)
    lines = (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [{"x": steps[0], "y": [[1], [2, 3]]}, {"x": steps[1], "y": []}]
    assert [json.loads(line) for line in lines] == expected
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    assert [{name: json.loads(cell) for name, cell in row.items()} for row in cells] == expected


def test_json_has_no_infinity(tmp_path):
    frame = pd.DataFrame({"x": [math.inf, -math.inf, math.nan, 0.1], "y": [[math.inf, 1.0]] * 4})
    write_table(frame, tmp_path / "t.jsonl")
    lines = (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [{"x": x, "y": [None, 1.0]} for x in (None, None, None, 0.1)]
    assert [json.loads(line, parse_constant=pytest.fail) for line in lines] == expected
    write_table(frame, tmp_path / "t.csv")
    assert pd.read_csv(tmp_path / "t.csv")["x"].tolist()[:2] == [math.inf, -math.inf]

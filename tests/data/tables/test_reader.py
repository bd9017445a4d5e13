"""Reading tables: every form gives the same frame, and every fault is one line."""

from __future__ import annotations

import gzip
import itertools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.data.tables.reader import iter_table, read_table
from tidegate.errors import InputError

TEXTS = ['He said "no", twice', "two\nlines", "NA", "null", "Ünï, 😀", " padded ", "None"]
LABELS = [1, 0, 1, 1, 0, 0, 1]
FRAME = pd.DataFrame({"text": TEXTS, "label": LABELS})


def put(path, content):
    """Write text or bytes, gzipped when the name says so."""
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def columns(frame):
    return {name: frame[name].tolist() for name in frame}


@pytest.fixture(
    params=["t.csv", "t.tsv", "t.jsonl", "t.parquet", "t.csv.gz", "t.tsv.gz", "t.jsonl.gz", "T.CSV"]
)
def file(request, tmp_path):
    path = tmp_path / request.param
    name = request.param.lower()
    if "csv" in name:
        return put(path, FRAME.to_csv(index=False))
    if "tsv" in name:
        return put(path, FRAME.to_csv(index=False, sep="\t"))
    if "jsonl" in name:
        rows = FRAME.to_dict("records")
        return put(path, "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n")
    FRAME.to_parquet(path)
    return path


def test_every_form_gives_the_same_table(file):
    frame = read_table(file)
    assert columns(frame) == {"text": TEXTS, "label": LABELS}
    assert frame["label"].dtype == np.int64
    assert frame.index.tolist() == list(range(7))
    assert all(type(text) is str for text in frame["text"])


def test_columns_come_as_asked(file):
    assert list(read_table(str(file), columns=["label", "text"])) == ["label", "text"]
    assert columns(read_table(file, columns=["label"])) == {"label": LABELS}
    with pytest.raises(InputError, match=r"no column 'txet'\. Did you mean 'text'"):
        read_table(file, columns=["txet"])


@pytest.mark.parametrize("rows", [1, 3, 7, 100])
def test_pieces_put_together_are_the_whole(file, rows):
    frames = list(iter_table(file, rows))
    assert [len(frame) for frame in frames] == [min(rows, 7 - at) for at in range(0, 7, rows)]
    assert list(itertools.chain(*(frame["text"] for frame in frames))) == TEXTS
    labels = [str(label) for frame in frames for label in frame["label"]]
    assert labels == [str(label) for label in LABELS]
    assert all(frame.index[0] == 0 for frame in frames)


def test_a_txt_has_a_row_a_line(tmp_path):
    path = put(tmp_path / "t.txt", '\ufeffone, "two"\r\n\nNA\tx\rlast')
    assert [str(text) for text in read_table(path)["text"]] == [
        'one, "two"', str(read_table(path)["text"][1]), "NA\tx\rlast",
    ]  # fmt: skip
    assert read_table(path)["text"].isna().tolist() == [False, True, False]
    assert sum(len(frame) for frame in iter_table(put(tmp_path / "u.txt", "1\n2\n"), 1)) == 2


def test_byte_order_mark_carriage_returns_and_blank_lines(tmp_path):
    path = put(tmp_path / "t.csv", '\ufefftext,label\r\n\r\n"a\r\nb",x\r\nc,y\r\n\r\n')
    assert columns(read_table(path)) == {"text": ["a\r\nb", "c"], "label": ["x", "y"]}
    old = put(tmp_path / "old.csv", "text,label\ra,x\rb,y\r")
    assert columns(read_table(old)) == {"text": ["a", "b"], "label": ["x", "y"]}


def test_quotes_inside_a_plain_field_are_text(tmp_path):
    path = put(tmp_path / "t.csv", "text,label\na 5\" disk,1\nit's,0\n")
    assert read_table(path)["text"].tolist() == ['a 5" disk', "it's"]


def test_a_tsv_whose_quotes_are_common_signs(tmp_path):
    path = put(tmp_path / "t.tsv", 'label\ttext\nham\t"Hi" he said\nspam\t"\nham\tok\r\n\nham\t\n')
    frame = read_table(path)
    assert frame["text"].tolist()[:3] == ['"Hi" he said', '"', "ok"]
    assert frame["text"].isna().tolist() == [False, False, False, True]
    assert [len(piece) for piece in iter_table(path, 3)] == [3, 1]


def test_a_field_of_a_million_characters(tmp_path):
    long = "word " * 200_000
    path = put(tmp_path / "t.csv", f'text,label\n"{long}",1\nshort,0\n')
    assert read_table(path)["text"].tolist() == [long, "short"]


def test_empty_fields_are_missing_and_numbers_stay_whole(tmp_path):
    path = put(tmp_path / "t.csv", 'text,label,score,code\na,1,,007\n"",,2.5,1\nNaN,0,1,2\n')
    frame = read_table(path)
    assert frame.isna().sum().to_dict() == {"text": 1, "label": 1, "score": 1, "code": 0}
    assert frame["label"].dropna().tolist() == [1, 0]
    assert str(frame["label"].dtype) == "Int64"
    assert frame["score"].dtype == np.float64
    assert frame["code"].tolist() == ["007", "1", "2"]
    assert frame["text"].tolist()[2] == "NaN"


def test_a_column_can_be_kept_as_text(tmp_path):
    path = put(tmp_path / "t.csv", "text,label\n1.50,1\n2024,0\n")
    assert read_table(path)["text"].tolist() == [1.5, 2024]
    assert read_table(path, text=["text"])["text"].tolist() == ["1.50", "2024"]
    (frame,) = iter_table(path)
    assert columns(frame) == {"text": ["1.50", "2024"], "label": ["1", "0"]}


def test_json_rows_may_lack_a_name(tmp_path):
    rows = ['{"text": "a", "label": 1}', '{"label": 0}', '{"text": null, "extra": [1]}']
    path = put(tmp_path / "t.jsonl", "\n".join(rows))
    frame = read_table(path)
    assert list(frame) == ["text", "label", "extra"]
    assert frame.isna().to_numpy().tolist() == [
        [False, False, True], [True, False, True], [True, True, False],
    ]  # fmt: skip
    assert [list(piece) for piece in iter_table(path, 1)] == [
        ["text", "label"], ["text", "label"], ["text", "label", "extra"],
    ]  # fmt: skip


def test_parquet_of_other_kinds(tmp_path):
    frame = pd.DataFrame(
        {
            "text": pd.Series(["a", None, "b"], dtype="category"),
            "label": pd.array([1, None, 0], dtype="Int64"),
            "small": np.array([1, 2, 3], np.int8),
        }
    )
    frame.index = pd.Index([7, 8, 9])
    frame.to_parquet(tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet", columns=["text", "label", "small"])
    assert found["text"].isna().tolist() == found["label"].isna().tolist() == [False, True, False]
    assert found["label"].dropna().tolist() == [1, 0]
    assert found["small"].tolist() == [1, 2, 3]
    assert found.index.tolist() == [0, 1, 2]


PARQUET_WITHOUT_ROWS = pd.DataFrame({"text": []}).to_parquet()


FAULTS = [
    ("t.csv", "", "`file` must be a table with a row; got an empty file"),
    ("t.csv", "text,label\n", "`rows` must be one or more; got none"),
    ("t.csv", "\n\n", "`rows` must be one or more; got none"),
    ("t.csv", "\ufeff", "`rows` must be one or more; got none"),
    ("t.jsonl", "\n\n", "`rows` must be one or more; got none"),
    ("t.parquet", PARQUET_WITHOUT_ROWS, "`rows` must be one or more; got none"),
    ("t.csv.gz", "", "`rows` must be one or more; got none"),
    ("t.csv", 'text,label\na,1\n"b,1\nc,1\n', "`line 3` must be a record whose quotes are closed"),
    ("t.csv", 'text,label\n"b,1\nc,"x"\n', "`line 2` must be a record whose quotes are closed"),
    ("t.csv", 'text,label\n"a\nb",1\n"c"d,1\n', "`line 4` must be a record whose quotes are cl"),
    ("t.csv", "text,label\na,1\nb,1,2\n", "`line 3` must be 2 fields, as in the header; got 3"),
    ("t.csv", 'text,label\n"x\ny",1\nb\n', "`line 4` must be 2 fields, as in the header; got 1"),
    ("t.tsv", 'text\tlabel\n"a\t1\nb\n', "`line 3` must be 2 fields, as in the header; got 1"),
    (
        "t.csv",
        b"text,label\na,1\ncaf\xe9,1\n",
        "`line 3` must be UTF-8 text; got byte 0xE9 at",
    ),
    ("t.csv.gz", b"text\ncaf\xe9\n", "byte 0xE9 at position 8. Save the file as UTF-8"),
    ("t.txt", b"\xff\xfea\x00", "`line 1` must be UTF-8 text; got byte 0xFF at position 0"),
    ("t.jsonl", b'{"text": "\xe9"}', "`line 1` must be UTF-8 text"),
    ("t.jsonl", '{"a": 1}\n{"a": 1\n', "`line 2` must be a JSON object; got Expecting"),
    ("t.jsonl", '{"a": 1}\n\n[1]\n', "`line 3` must be a JSON object; got a JSON list"),
    ("t.jsonl", '"text"\n', "`line 1` must be a JSON object; got a JSON str"),
    (
        "t.jsonl",
        '{"text": "\\ud800"}',
        "`line 1` must be valid Unicode; got the lone",
    ),
    ("t.jsonl", "[" * 100_000, "`line 1` must be a JSON object; got"),
    ("t.parquet", "no parquet", "`file` must be a whole parquet file; got"),
    ("t.parquet", FRAME.to_parquet()[:-20], "`file` must be a whole parquet file; got"),
    ("t.xlsx", "PK", r"`suffix` must be a name that ends in \.csv, .*; got \.xlsx"),
    ("table", "a", "`suffix` must be .*; got none"),
    ("t.zip.gz", "a", r"`suffix` must be .*; got \.zip\.gz"),
    ("t.parquet.gz", "a", r"got \.parquet\.gz"),
]


@pytest.mark.parametrize(("name", "content", "said"), FAULTS)
def test_faults_are_said_in_one_line(tmp_path, name, content, said):
    path = put(tmp_path / name, content)
    with pytest.raises(InputError, match=said) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: `")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=said):
        list(iter_table(path, 2))


def test_damaged_gzip(tmp_path):
    whole = gzip.compress(FRAME.to_csv(index=False).encode() * 50)
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 0xFF
    for content in (b"text,label\na,1\n", whole[: len(whole) // 2], bytes(broken)):
        (tmp_path / "t.csv.gz").write_bytes(content)
        with pytest.raises(InputError, match=r"t\.csv\.gz: `(file|line \d+)` must be"):
            read_table(tmp_path / "t.csv.gz")


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(
        InputError, match=r"no\.csv: `file` must be an existing one; got no such file. Check the"
    ):
        read_table(tmp_path / "no.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="`file` must be a file; got a folder"):
        read_table(tmp_path / "folder.csv")
    with pytest.raises(InputError, match="`file` must be an existing one"):
        iter_table(tmp_path / "no.csv")  # at once, not when the first piece is asked for


def test_a_fault_further_down_comes_when_it_is_reached(tmp_path):
    frames = iter_table(put(tmp_path / "t.csv", "text\na\nb\nc,d\n"), 2)
    assert next(frames)["text"].tolist() == ["a", "b"]
    with pytest.raises(InputError, match="`line 4` must be 1 fields"):
        next(frames)


def test_wrong_chunk_size(tmp_path):
    with pytest.raises(InputError, match="`chunk_rows` must be an integer >= 1; got 0"):
        iter_table(put(tmp_path / "t.csv", "a\n1\n"), 0)


SEEDS = {
    ".csv": b'text,label\n"a ""b"", c\nd",1\nNA,\n',
    ".tsv": b'text\tlabel\n"a\tb"\t1\n"\t0\n',
    ".jsonl": b'{"text": "a\\u00e9", "label": 1}\n\n{"label": [null, NaN]}\n',
    ".txt": "ä b\n\nc\r\n".encode(),
    ".parquet": FRAME.to_parquet(),
    ".csv.gz": gzip.compress(b"text,label\na,1\nb,0\n", mtime=0),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(SEEDS)), st.integers(0, 9999), st.integers(0, 9), st.binary(max_size=6)
)
def test_damaged_bytes_give_a_table_or_one_line(tmp_path, suffix, at, cut, put_in):
    seed = SEEDS[suffix]
    at %= len(seed) + 1
    path = tmp_path / f"t{suffix}"
    path.write_bytes(seed[:at] + put_in + seed[at + cut :])
    try:
        frame = read_table(path)
    except InputError as error:
        assert str(error).startswith(f"{path}: `")  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert len(frame) == sum(len(piece) for piece in iter_table(path, 2)) > 0


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = put(tmp_path / "t.csv", "a\n1\n")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(InputError, match="`file` must be readable; got Permission denied"):
        read_table(path)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_what_parts_the_columns_of_a_csv_is_found(tmp_path, mark):
    path = tmp_path / "t.csv"
    path.write_text(f'text{mark}label\n"a, b; c"{mark}1\n')
    assert read_table(path).to_dict("records") == [{"text": "a, b; c", "label": 1}]


def test_columns_without_a_name_do_not_matter_unless_they_are_asked_for(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("v1,v2,,,\nspam,now,,,\n")
    assert read_table(path, columns=["v2", "v1"]).to_dict("records") == [
        {"v2": "now", "v1": "spam"}
    ]
    assert list(read_table(path)) == ["v1", "v2", "unnamed (1)", "unnamed (2)", "unnamed (3)"]
    path.write_text("text,text\na,b\n")
    with pytest.raises(InputError, match=r"got no column 'text'\. Did you mean 'text"):
        read_table(path, columns=["text"])
    assert read_table(path, columns=["text (2)"])["text (2)"].tolist() == ["b"]


def test_labels_are_the_texts_that_stand_there(tmp_path):
    for name, text in (("t.csv", "label\n007\n1E1\n1.5\nTrue\n"), ("t.tsv", "label\n07\n1E1\n")):
        (tmp_path / name).write_text(text)
        found = read_table(tmp_path / name, text=["label"])["label"].tolist()
        assert found == text.split()[1:]
    rows = ["7", "true", '"07"', "2.0"]
    (tmp_path / "t.jsonl").write_text("".join(f'{{"label": {row}}}\n' for row in rows))
    found = read_table(tmp_path / "t.jsonl", text=["label"])["label"].tolist()
    assert found == ["7", "true", "07", "2"]

"""Arguments that may be texts or files, and the bytes of texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.cli.paths import decoded, is_true, names_existing, typed
from tidegate.errors import InputError


@pytest.mark.parametrize("name", ["a text " * 1000, "a\0b", "\ud800"])
def test_what_cannot_be_a_path_is_none(name):
    assert not is_true(Path(name).is_file)


def test_a_path_is_asked(tmp_path):
    assert is_true(tmp_path.is_dir)
    assert not is_true(tmp_path.is_file)


def test_bytes_are_read_as_utf8_with_or_without_its_mark():
    assert decoded("schön".encode(), "predict", "DATA") == "schön"
    assert decoded("schön".encode("utf-8-sig"), "predict", "DATA") == "schön"


@pytest.mark.parametrize(("content", "place"), [(b"ab\xff", "0xff at byte 2"), (b"\xe9", "0xe9")])
def test_the_first_byte_that_is_no_utf8_is_named(content, place):
    with pytest.raises(
        InputError, match=rf"^predict: `DATA` must be UTF-8 text; got {place}.*iconv"
    ):
        decoded(content, "predict", "DATA")


def test_an_argument_is_read_from_the_bytes_that_were_typed():
    assert typed("schön", "predict", "DATA") == "schön"
    ascii_terminal = "schön".encode().decode("ascii", errors="surrogateescape")
    assert typed(ascii_terminal, "predict", "DATA") == "schön"
    with pytest.raises(InputError, match="got 0xf6 at byte 3"):
        typed("schön".encode("latin-1").decode(errors="surrogateescape"), "predict", "DATA")


@pytest.mark.parametrize(
    "given",
    [
        "missing.csv",
        "missing.CSV",
        "a.txt.gz",
        "./x",
        "../x",
        "~/x",
        "/no/such",
        "folder/",
        "x.parquet",
    ],
)
def test_what_can_only_be_a_file_is_refused_where_there_is_none(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"`DATA` must be a file, or a text; got .*--text takes"):
        names_existing(given, "predict", "DATA")


@pytest.mark.parametrize("given", ["great!", "I read notes.csv today", "5/10", "a.b", "", "and/or"])
def test_texts_are_texts(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not names_existing(given, "predict", "DATA")


def test_folders_are_refused_and_files_are_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "plain").write_text("x")
    assert names_existing("plain", "predict", "DATA")
    with pytest.raises(InputError, match="got the folder notes"):
        names_existing("notes", "predict", "DATA")

"""Live lines: as soon as they are whole, from files and pipes, and a stall is told."""

from __future__ import annotations

import gzip
import os
import sys

import pytest

from tidegate.cli import lines as module
from tidegate.cli.lines import lines
from tidegate.errors import InputError


def test_a_file_without_a_last_newline_is_read_whole(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"1\n2\n\n3")
    assert list(lines(str(tmp_path / "a.txt"), None)) == [b"1", b"2", b"", b"3"]


def test_a_packed_file_is_unpacked_and_a_table_without_lines_refused(tmp_path):
    packed = tmp_path / "values.csv.GZ"
    packed.write_bytes(gzip.compress(b"1\n2\n"))
    assert list(lines(str(packed), None)) == [b"1", b"2"]
    packed.write_bytes(gzip.compress(b"1\n2\n")[:-9])
    with pytest.raises(InputError, match=r"^watch: `FILE` must be a file that can be read, or -"):
        list(lines(str(packed), None))
    for name in ("a.parquet", "a.JSONL", "a.jsonl.gz"):
        with pytest.raises(
            InputError, match=rf"a line for each time; got .*{name}\. tidegate pred"
        ):
            list(lines(str(tmp_path / name), None))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(
        InputError, match=r"`FILE` must be a file that can be read, or -; got .*gone"
    ):
        next(lines(str(tmp_path / "gone"), None))


@pytest.fixture
def pipe(monkeypatch):
    """The end of a pipe to write into; the other one is standard input."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as source, os.fdopen(write, "wb", buffering=0) as sink:
        monkeypatch.setattr(sys, "stdin", os.fdopen(os.dup(source.fileno())))
        yield sink
        sys.stdin.close()


def test_a_line_comes_when_it_is_whole_and_the_last_one_at_the_end(pipe):
    pipe.write(b"one\ntw")
    found = lines("-", None)
    assert next(found) == b"one"
    pipe.write(b"o\nthree")
    assert next(found) == b"two"
    pipe.close()
    assert list(found) == [b"three"]


def test_nothing_for_too_long_is_told_again_and_again_and_loses_nothing(pipe):
    pipe.write(b"one\ntw")
    found = lines("-", 0.05)
    assert next(found) == b"one"
    assert [next(found), next(found)] == [None, None]
    pipe.write(b"o\n")
    assert next(line for line in found if line is not None) == b"two"
    pipe.close()
    assert [line for line in found if line is not None] == []


@pytest.mark.parametrize("form", ["file", "pipe"])
def test_a_line_that_does_not_end_is_refused_by_its_number(monkeypatch, tmp_path, pipe, form):
    monkeypatch.setattr(module, "_MOST_BYTES", 1000)
    content = b"1\n" + b"7" * 900 + b"\n" + b"8" * 1001
    (tmp_path / "a.txt").write_bytes(content)
    pipe.write(content)
    found = lines(str(tmp_path / "a.txt") if form == "file" else "-", None)
    assert [len(next(found)) for _ in range(2)] == [1, 900]
    with pytest.raises(
        InputError, match="must be lines of at most 1,000 bytes; got a longer one, line 3"
    ):
        next(found)


def test_a_long_line_in_small_pieces_is_put_together_once(monkeypatch):
    """Each byte is copied a few times at most, whatever the line's length."""
    pieces = [b"12345"] * 2000 + [b"\n", b"6\n7"]
    monkeypatch.setattr(module, "_chunks", lambda stall: iter(pieces))
    assert list(lines("-", None)) == [b"12345" * 2000, b"6", b"7"]

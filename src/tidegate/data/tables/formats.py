"""The file formats of tables, read row by row; what is wrong with a file is said in one line."""

from __future__ import annotations

import collections
import contextlib
import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from tidegate.data.text.cleaning import lone_surrogate
from tidegate.errors import InputError, message

DAMAGE = (pa.ArrowException, OSError, EOFError, zlib.error)
LONGEST_FIELD = 2**31 - 1  # csv refuses fields over 131,072 characters unless it is told


def table_suffix(path: Path, known: tuple[str, ...]) -> str:
    """Return the suffix of a table, `.gz` left off.

    Args:
        path: The file.
        known: Suffixes that are possible here.

    Returns:
        The suffix, lower-case.

    Raises:
        InputError: If it is none of them.

    Example:
        >>> table_suffix(Path("reviews.CSV.gz"), (".csv",))
        '.csv'
    """
    name = path.name.lower()
    packed = name.endswith(".gz")
    suffix = Path(name.removesuffix(".gz")).suffix
    if suffix not in known or (packed and suffix == ".parquet"):
        rule = f"a name that ends in {', '.join(known)} (.gz may follow, but not on .parquet)"
        raise InputError(message(str(path), "suffix", rule, suffix + ".gz" * packed or "none"))
    return suffix


def check_file(path: Path, holds: str = "a table with a row") -> None:
    """Refuse what is missing, a folder, or empty.

    Args:
        path: The file.
        holds: What should be in it, for the message.

    Raises:
        InputError: If it is.
    """
    if not path.exists():
        raise InputError(
            message(str(path), "file", "an existing one", "no such file", "Check the path")
        )
    if path.is_dir():
        raise InputError(message(str(path), "file", "a file", "a folder", "Name a file in it"))
    if path.stat().st_size == 0:
        raise InputError(message(str(path), "file", holds, "an empty file"))


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the libraries raise about a file into one line that names it.

    Args:
        path: The file that is being read.

    Yields:
        Nothing.

    Raises:
        InputError: If the file cannot be read, is not UTF-8, or is damaged.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        if path.suffix.lower() == ".parquet":
            raise _damaged(path, error) from None
        try:
            raise _not_utf8(path) from None
        except DAMAGE as damage:  # a packed file that breaks off has strange bytes at its end too
            raise _damaged(path, damage) from None
    except DAMAGE as error:
        raise _damaged(path, error) from None


def read_text_rows(path: Path, suffix: str) -> Iterator[list[Any]]:
    """Read a table of text, its column names first.

    A field that starts with a quote ends with one, and may hold separators and line ends. Where the
    header of a .csv has no comma, semicolons, tabs or bars part it. Names that come several times,
    or are empty, are numbered. In a .tsv quotes are common signs unless the whole file is quoted
    properly. A .txt has one column, "text", and a row a line.

    Args:
        path: The file.
        suffix: ".csv", ".tsv" or ".txt".

    Yields:
        The names of the columns, then each row: strings, None where a field is empty.

    Raises:
        InputError: If something is wrong with the file; the message names the line.
    """
    with explained(path):
        if suffix == ".txt":
            yield ["text"]
            yield from ([line or None] for _, line in _lines(path))
        elif suffix == ".csv":
            yield from _rectangular(_quoted(path, _separator(path)), path)
        else:
            yield from _rectangular(_tabbed(path), path)


def read_json_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read a file of JSON objects, one a line.

    Args:
        path: The file.

    Yields:
        The objects; blank lines are skipped.

    Raises:
        InputError: If something is wrong with the file; the message names the line.
    """
    with explained(path):
        for number, line in _lines(path):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                # Only an escape can bring in half a surrogate pair.
                half = lone_surrogate(json.dumps(row, ensure_ascii=False)) if "\\u" in line else ""
            except (ValueError, RecursionError) as error:
                raise _wrong_line(path, number, "a JSON object", error) from None
            if half:
                raise _wrong_line(path, number, "valid Unicode", half.partition(" at ")[0])
            if not isinstance(row, dict):
                raise _wrong_line(path, number, "a JSON object", f"a JSON {type(row).__name__}")
            yield row


def read_parquet_tables(path: Path, columns: list[str] | None, rows: int) -> Iterator[pa.Table]:
    """Read a parquet file piece by piece.

    Args:
        path: The file.
        columns: Which columns to read, or None for all.
        rows: Rows of a piece.

    Yields:
        Arrow tables.

    Raises:
        InputError: If the file is damaged.
    """
    with explained(path), pq.ParquetFile(path) as file:
        own = list(file.schema_arrow.names)
        names = different(own)
        for batch in file.iter_batches(rows, columns=columns if names == own else None):
            table = pa.Table.from_batches([batch]).replace_schema_metadata(None)
            if names != own:
                table = table.rename_columns(names).select(names if columns is None else columns)
            table.validate(full=True)  # texts that are no UTF-8, offsets that lead astray
            yield table


def parquet_columns(path: Path) -> list[str]:
    """Return the names of a parquet file's columns.

    Args:
        path: The file.

    Returns:
        The names, in order; those that come several times are numbered.

    Raises:
        InputError: If the file is damaged.
    """
    with explained(path), pq.ParquetFile(path) as file:
        return different(file.schema_arrow.names)


@contextlib.contextmanager
def _open(path: Path, newline: str) -> Iterator[TextIO]:
    """Open a text file, gzipped or not; a byte-order mark at its start is dropped."""
    with _open_bytes(path) as binary:
        yield io.TextIOWrapper(binary, encoding="utf-8-sig", newline=newline)


def _open_bytes(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.GzipFile(path) if path.name.lower().endswith(".gz") else path.open("rb")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line numbers and lines without their ends: line feeds, or carriage returns alone."""
    with _open(path, "\n") as handle:
        for number, line in enumerate(handle, 1):
            if number == 1 and "\r" in line and not line.endswith("\n"):
                yield from enumerate(line.removesuffix("\r").split("\r"), 1)
                return
            yield number, line.removesuffix("\n").removesuffix("\r")


def _quoted(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record and the line it starts on, quotes taken strictly."""
    # A wider limit stays set: another reader may be half way through its own file.
    csv.field_size_limit(max(LONGEST_FIELD, csv.field_size_limit()))
    with _open(path, "") as handle:
        reader = csv.reader(handle, delimiter=delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                yield line, next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                remedy = "Close the quote, and write a quote inside quotes twice"
                rule = "a record whose quotes are closed"
                raise _wrong_line(path, line, rule, error, remedy) from None


def _tabbed(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a .tsv, reading quotes as quotes only when that fits the whole file."""
    try:
        collections.deque(_rectangular(_quoted(path, "\t"), path), maxlen=0)
    except InputError:
        return ((line, text.split("\t") if text else []) for line, text in _lines(path))
    return _quoted(path, "\t")


def _rectangular(records: Iterator[tuple[int, list[str]]], path: Path) -> Iterator[list[Any]]:
    """Yield the header and the rows, checking that all have as many fields; skip blank lines."""
    header: list[str] = []
    for line, record in records:
        if not record or (not header and record == ["sep=", ""]):
            continue  # "sep=;" is how Excel names the separator: no names of columns
        if not header:
            header = record
            yield different(header)
        elif len(record) != len(header):
            rule = f"{len(header)} fields, as in the header"
            remedy = "Put quotes around a text that holds the separator"
            raise _wrong_line(path, line, rule, len(record), remedy)
        else:
            yield [field or None for field in record]


def different(names: Sequence[str]) -> list[str]:
    """Give columns names that differ: whoever wants one of several of a name has to say which.

    Example:
        >>> different(["text", "a", "a", "", ""])
        ['text', 'a (1)', 'a (2)', 'unnamed (1)', 'unnamed (2)']
    """
    counts, seen = collections.Counter(names), collections.Counter[str]()
    found = []
    for name in names:
        other = name
        while other in counts and counts[name] > 1:
            seen[name] += 1
            other = f"{name or 'unnamed'} ({seen[name]})"
        found.append(other)
    return found


def _separator(path: Path) -> str:
    """What stands between the names of a .csv: commas, or else semicolons, tabs or bars."""
    with _open(path, "") as handle:
        header = next((line for line in handle if line.strip()), "")
    header = re.sub('"[^"]*"', "", header)  # a name in quotes may hold any of them
    return next((mark for mark in ",;\t|" if mark in header), ",")


def _damaged(path: Path, error: Exception) -> InputError:
    """Say what a library found wrong with a file as a whole."""
    # Arrow raises an OSError too, but without the number that the system gives its own.
    if isinstance(error, OSError) and error.errno is not None:
        return InputError(message(str(path), "file", "readable", error.strerror))
    form = "parquet" if path.suffix.lower() == ".parquet" else "gzipped"
    said = " ".join(str(error).split())
    return InputError(message(str(path), "file", f"a whole {form} file", said))


def _wrong_line(path: Path, line: int, rule: str, got: object, remedy: str = "") -> InputError:
    return InputError(message(str(path), f"line {line}", rule, got, remedy))


def _not_utf8(path: Path) -> InputError:
    """Find the first byte that is no UTF-8; a line feed is never part of a longer character."""
    start = 0
    with _open_bytes(path) as binary:
        for number, line in enumerate(binary, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                got = f"byte 0x{line[error.start]:02X} at position {start + error.start}"
                remedy = "Save the file as UTF-8"
                return _wrong_line(path, number, "UTF-8 text", got, remedy)
            start += len(line)
    raise AssertionError("a file that could not be decoded was decoded")

"""CoNLL files: a word a line with its columns, an empty line after each sentence."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

import pandas as pd

from tidegate.data.tables.formats import check_file, read_text_rows
from tidegate.errors import InputError, message

SENTENCE = "sentence"
LINE = "line"
# The columns of CoNLL-U, https://universaldependencies.org/format.html
CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_DOCUMENT = "-DOCSTART-"


def is_conllu(path: str | os.PathLike[str]) -> bool:
    """Say whether a file is called like one of CoNLL-U.

    Example:
        >>> is_conllu("en_ewt.conllu.gz"), is_conllu("train.conll")
        (True, False)
    """
    return Path(path).name.lower().removesuffix(".gz").endswith(".conllu")


def read_conll(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a CoNLL file as a table with a row a word.

    Columns are parted by tabs, or else by any white space, and every word has the same number of
    them. Lines that begin with -DOCSTART- are left out. In CoNLL-U, which is known by its suffix
    .conllu, so are comments, words that are written as one ("3-4") and words that are not written
    at all ("5.1").

    Args:
        path: The file, UTF-8, whatever its suffix; gzipped if it ends in .gz.

    Returns:
        The columns as texts, called "0", "1", ... or by their names in CoNLL-U; before them
        "sentence", a number from 1, and "line", that in the file.

    Raises:
        InputError: If the file is missing, empty, damaged or not UTF-8, has no word, or a line
            (named) has another number of columns.

    Example:
        >>> read_conll("train.conll")  # doctest: +SKIP
    """
    path = Path(path)
    check_file(path)
    lines = read_text_rows(path, ".txt")
    next(lines)  # the name of its one column
    return words_of_lines((line for (line,) in lines), str(path), conllu=is_conllu(path))


def words_of_lines(lines: Iterable[str | None], source: str, *, conllu: bool) -> pd.DataFrame:
    """Make the table of `read_conll` from the lines of a file.

    Args:
        lines: The lines; None for an empty one.
        source: The file, for messages.
        conllu: Whether it is CoNLL-U.

    Returns:
        The table, a row a word.

    Raises:
        InputError: If there is no word, or a line has another number of columns.
    """
    rows = list(_words(lines, source, conllu))
    if not rows:
        raise InputError(message(source, "file", "a CoNLL file with a word", "none"))
    names = CONLLU if conllu else tuple(map(str, range(len(rows[0]) - 2)))
    frame: pd.DataFrame = pd.DataFrame(rows, columns=[SENTENCE, LINE, *names])
    return frame


def _words(lines: Iterable[str | None], source: str, conllu: bool) -> Iterator[tuple[object, ...]]:
    """Yield sentence, line and columns of each word."""
    sentence, fresh, width = 0, True, len(CONLLU) if conllu else 0
    for number, line in enumerate(lines, 1):
        if line is None or not line.strip():
            fresh = True
            continue
        if line.startswith("#" if conllu else _DOCUMENT):
            continue
        columns = line.split("\t") if conllu or "\t" in line else line.split()
        width = width or len(columns)
        if len(columns) != width:
            raise _ragged(source, number, width, len(columns), conllu)
        if conllu and not columns[0].isdigit():
            continue
        sentence, fresh = sentence + fresh, False
        yield (sentence, number, *columns)


def _ragged(source: str, line: int, width: int, got: int, conllu: bool) -> InputError:
    wanted = f"{width} columns parted by tabs" if conllu else f"{width} columns, as in the first"
    remedy = "Correct that line; an empty line parts sentences"
    return InputError(message(source, f"line {line}", wanted, f"{got}", remedy))


def write_conll(
    sentences: Iterable[Sequence[Sequence[str]]], handle: IO[str], *, tabs: bool = False
) -> None:
    """Write sentences, a word a line and an empty line after each.

    Args:
        sentences: The columns of each word of each sentence.
        handle: Where to.
        tabs: Whether to part the columns by tabs, as in sentences with a space within a column.

    Example:
        >>> import sys
        >>> write_conll([[("Ann", "B-PER"), ("rows", "O")]], sys.stdout)
        Ann B-PER
        rows O
        <BLANKLINE>
    """
    for words in sentences:
        spaced = tabs or any(" " in field for columns in words for field in columns)
        mark = "\t" if spaced else " "
        handle.writelines(f"{mark.join(columns)}\n" for columns in words)
        handle.write("\n")

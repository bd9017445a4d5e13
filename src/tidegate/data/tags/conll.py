"""CoNLL files: a word a line with its columns, an empty line after each sentence."""

from __future__ import annotations

import os
import re
from collections import Counter
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
_MOST = 0.8  # of the lines have as many columns, or it is no CoNLL
_BLANKS = " \t"
_PARTING = re.compile(f"[{_BLANKS}]+")
_UNWRITABLE = re.compile(r"[\t\r\n]+")  # they part lines and columns


def is_conllu(path: str | os.PathLike[str]) -> bool:
    """Say whether a file is called like one of CoNLL-U.

    Example:
        >>> is_conllu("en_ewt.conllu.gz"), is_conllu("train.conll")
        (True, False)
    """
    return Path(path).name.lower().removesuffix(".gz").endswith(".conllu")


def read_conll(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a CoNLL file as a table with a row a word.

    Columns are parted by tabs, or else by spaces, and every word has the same number of them. Lines
    that begin with -DOCSTART- are left out and part sentences, and so are comments: lines before a
    sentence that begin with # and have another number of columns. In CoNLL-U, which is known by its
    suffix .conllu, all lines that begin with # are comments, and words that are written as one
    ("3-4") or not at all ("5.1") are left out.

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
    found = [*_lines(lines, conllu)]
    width = len(CONLLU) if conllu else _usual_width(found)
    rows = list(_words(found, width, source, conllu))
    if not rows:
        raise InputError(message(source, "file", "a CoNLL file with a word", "none"))
    names = CONLLU if conllu else tuple(map(str, range(width)))
    frame: pd.DataFrame = pd.DataFrame(rows, columns=[SENTENCE, LINE, *names])
    return frame


def _lines(lines: Iterable[str | None], conllu: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield number and columns of each line; none of one that parts sentences."""
    for number, line in enumerate(lines, 1):
        # A no-break or ideographic space is part of a word.
        plain = "" if line is None else line.strip(_BLANKS)
        if conllu and plain.startswith("#"):
            continue
        if not plain or _PARTING.split(plain)[0] == _DOCUMENT:
            yield number, []
        elif conllu or "\t" in plain:
            yield number, line.rstrip("\r").split("\t") if line else []
        else:
            yield number, _PARTING.split(plain)


def _usual_width(lines: Iterable[tuple[int, list[str]]]) -> int:
    """How many columns most lines have: what has others is odd, be it the first line."""
    counts = Counter(len(columns) for _, columns in lines if columns)
    return max(counts, key=counts.__getitem__, default=0)


def _words(
    lines: Iterable[tuple[int, list[str]]], width: int, source: str, conllu: bool
) -> Iterator[tuple[object, ...]]:
    """Yield sentence, line and columns of each word."""
    sentence, fresh = 0, True
    for number, columns in lines:
        if not columns:
            fresh = True
            continue
        if len(columns) != width:
            if fresh and not conllu and columns[0].startswith("#"):
                continue  # a comment before a sentence
            raise _ragged(source, number, width, len(columns), conllu)
        if conllu and not columns[0].isdigit():
            continue
        sentence, fresh = sentence + fresh, False
        yield (sentence, number, *columns)


def looks_like_conll(lines: Sequence[str | None]) -> bool:
    """Say whether the lines of a text file are words with their columns, or sentences.

    Args:
        lines: The lines; None for an empty one.

    Returns:
        Whether nearly all have as many columns, two or more, and the last come again and again.

    Example:
        >>> looks_like_conll(["Ann B-PER", "rows O", "to O"]), looks_like_conll(["Ann rows."])
        (True, False)
    """
    rows = [columns for _, columns in _lines(lines, conllu=False) if columns]
    rows = [columns for columns in rows if not columns[0].startswith("#")] or rows
    width = _usual_width(enumerate(rows))
    whole = [columns for columns in rows if len(columns) == width]
    if width < 2 or len(whole) < _MOST * len(rows):
        return False
    rows = whole
    return 3 * len({columns[-1] for columns in rows}) <= 2 * len(rows)


def _ragged(source: str, line: int, width: int, got: int, conllu: bool) -> InputError:
    wanted = f"{width} columns parted by tabs" if conllu else f"{width} columns, as in the first"
    remedy = "Correct that line; an empty line parts sentences"
    return InputError(message(source, f"line {line}", wanted, f"{got}", remedy))


def write_conll(
    sentences: Iterable[Sequence[Sequence[str]]], handle: IO[str], *, tabs: bool = False
) -> None:
    """Write sentences, a word a line and an empty line after each.

    Args:
        sentences: The columns of each word of each sentence; a line end or tab in one is written
            as a space, nothing as _.
        handle: Where to.
        tabs: Whether to part the columns by tabs, as in sentences with a space within a column.

    Example:
        >>> import sys
        >>> write_conll([[("Ann", "B-PER"), ("rows", "O")]], sys.stdout)
        Ann B-PER
        rows O
        <BLANKLINE>
    """
    for sentence in sentences:
        words = [[_UNWRITABLE.sub(" ", field) or "_" for field in columns] for columns in sentence]
        spaced = tabs or any(" " in field for columns in words for field in columns)
        mark = "\t" if spaced else " "
        handle.writelines(f"{mark.join(columns)}\n" for columns in words)
        handle.write("\n")

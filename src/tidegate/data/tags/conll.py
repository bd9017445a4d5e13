"""CoNLL files: a word a line with its columns, an empty line after each sentence."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

import pandas as pd

from tidegate.data.tables.formats import check_file, read_text_rows
from tidegate.data.tags.prose import looks_like_prose, mostly_words, prose_error
from tidegate.data.tags.schemes import place
from tidegate.errors import InputError, message

SENTENCE = "sentence"
LINE = "line"
# The columns of CoNLL-U, https://universaldependencies.org/format.html
CONLLU = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_MOST = 0.8  # of the lines have as many columns, or it is no CoNLL
_BLANKS = " \t"
_PARTING = re.compile(f"[{_BLANKS}]+")
_UNWRITABLE = re.compile(r"[\t\r\n]")  # they part lines and columns
_MARK = "\ufeff"  # at the beginning of a file it says how its text is encoded
_DOCUMENT = re.compile(r"-DOCSTART-(?=[ \t]|$)|#(begin|end) document(?=[ \t]|$)")
# What comments say: "# sent_id = 3", "# newdoc", "# id 7". A tab after # makes it a word.
_COMMENT = re.compile(r"# *[\w.:-]+ += |# +(sent_id|newdoc|newpar|global\.columns|id)( |$)")
_ID = re.compile(r"\d+([-.]\d+)?")  # of a word; of several, 3-4; of one that is not written, 5.1
_HEADER = re.compile(r"(?i)(words?|tokens?|form|text)")
_TAG_HEADER = re.compile(
    r"(?i)((ner|pos|iob|bio|entity)[ _-]?)?(tags?|labels?|ner|pos|upos|xpos|entity)"
)
_MAYBE_COMMENT = re.compile(r"#+ ")
_SMALL = re.compile(r"(?![BIOESLUMW][-_:/|.]).*[a-z]")  # few tags are: in small letters
_CAPITALS = re.compile(r"[A-Z]{2}[A-Z$-]*|[^\w\s]{1,3}|_")  # what tags are, rather than words
_FEW = 3  # lines, of which it can be said that all are padded with spaces

Line = tuple[int, str]  # number and text


class _Layout(NamedTuple):
    """How the lines of a file are made: columns of most, and whether tabs part them."""

    width: int
    tabbed: bool


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
    that begin with -DOCSTART- or "#begin document" are left out and part sentences. Comments are
    left out: lines before a sentence that begin with # and have another number of columns, or say
    what comments say ("# sent_id = 3"). In CoNLL-U, which is known by its suffix .conllu, all lines
    that begin with # are comments, and words that are written as one ("3-4") or not at all ("5.1")
    are left out.

    Args:
        path: The file, UTF-8, whatever its suffix; gzipped if it ends in .gz.

    Returns:
        The columns as texts, called "0", "1", ... or by their names in CoNLL-U; before them
        "sentence", a number from 1, and "line", that in the file.

    Raises:
        InputError: If the file is missing, empty, damaged or not UTF-8, has no word, or a line
            (named) has another number of columns or may be a word or a comment.

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
        conllu: Whether it is CoNLL-U; lines that can be nothing else are read so anyway.

    Returns:
        The table, a row a word.

    Raises:
        InputError: If there is no word, or a line has another number of columns.
    """
    lines = [*lines]
    conllu = conllu or _is_universal(lines)
    found, layout = [*_lines(lines, conllu)], _Layout(len(CONLLU), tabbed=True)
    if not conllu:
        found = _without_last_tabs(found)
        layout = _usual_layout(found)
        _check_layout(found, layout, source)
    rows = list(_words(found, layout, source, conllu))
    if not rows:
        raise InputError(message(source, "file", "a CoNLL file with a word", "none"))
    names = CONLLU if conllu else tuple(map(str, range(layout.width)))
    frame: pd.DataFrame = pd.DataFrame(rows, columns=[SENTENCE, LINE, *names])
    return frame


def _is_universal(lines: Iterable[str | None]) -> bool:
    """Say whether lines have the ten columns of CoNLL-U, the first of which numbers the words."""
    rows = [line.split("\t") for line in lines if line and line.strip() and line[0] != "#"]
    return bool(rows) and all(len(row) == len(CONLLU) and _ID.fullmatch(row[0]) for row in rows)


def _lines(lines: Iterable[str | None], conllu: bool) -> Iterator[Line]:
    """Yield number and text of each line; no text of one that parts sentences."""
    for number, line in enumerate(lines, 1):
        text = (line or "").rstrip("\r")
        # A no-break or ideographic space is part of a word.
        plain = text.strip(_BLANKS)
        if conllu and plain.startswith("#"):
            continue
        yield number, text if plain and not _DOCUMENT.match(plain) else ""


def _without_last_tabs(lines: list[Line]) -> list[Line]:
    """Leave out a column that is empty in all lines, as programs for tables write one."""
    empty = all(
        "\t" in text and not text.rpartition("\t")[2].strip(" ") for _, text in lines if text
    )
    return [(number, text.rstrip(_BLANKS)) for number, text in lines] if empty else lines


def _usual_layout(lines: Iterable[Line]) -> _Layout:
    """How most lines are made: what is made otherwise is odd, be it the first line."""
    texts = _texts(lines)
    tabbed = 2 * sum("\t" in text.rstrip(_BLANKS) for text in texts) >= len(texts)
    counts = Counter(len(_columns(text, _Layout(0, tabbed))) for text in texts)
    return _Layout(max(counts, key=counts.__getitem__, default=0), tabbed)


def _texts(lines: Iterable[Line]) -> list[str]:
    """Lines of words, comments left out unless there is nothing else."""
    texts = [text for _, text in lines if text]
    return [text for text in texts if not text.startswith("#")] or texts


def _columns(text: str, layout: _Layout) -> list[str]:
    """Part a line at its tabs, or else at its blanks, and otherwise if only that fits."""
    plain = text.strip(_BLANKS)
    at_tabs, at_blanks = text.split("\t"), _PARTING.split(plain)
    tabs_first = "\t" in (text if layout.tabbed else plain)
    usual, other = (at_tabs, at_blanks) if tabs_first else (at_blanks, at_tabs)
    # Tabs at the end are less than a column.
    readings = (usual, other, plain.split("\t"))
    return next((found for found in readings if len(found) == layout.width), usual)


def _words(
    lines: Sequence[Line], layout: _Layout, source: str, conllu: bool
) -> Iterator[tuple[object, ...]]:
    """Yield sentence, line and columns of each word."""
    tags = {_columns(text, layout)[-1] for text in _texts(lines) if not text.startswith("#")}
    sentence, fresh = 0, True
    for number, text in lines:
        if not text:
            fresh = True
            continue
        columns = text.split("\t") if conllu else _columns(text, layout)
        odd = len(columns) != layout.width
        if not conllu and fresh and (_COMMENT.match(text) or (odd and text.startswith("#"))):
            continue
        if odd or (not conllu and _COMMENT.match(text)):
            raise _ragged(source, (number, text), lines, layout, conllu)
        if conllu and not columns[0].isdigit():
            continue
        if fresh and columns[-1] not in tags and _may_be_comment(text, columns):
            raise _unsure(source, number, text)
        sentence, fresh = sentence + fresh, False
        yield (sentence, number, *columns)


def _may_be_comment(text: str, columns: Sequence[str]) -> bool:
    named = len(columns) > 1 and _SMALL.match(columns[-1]) is not None
    return named and _MAYBE_COMMENT.match(text) is not None


def looks_like_conll(lines: Sequence[str | None]) -> bool:
    """Say whether the lines of a text file are words with their columns, or sentences.

    Args:
        lines: The lines; None for an empty one.

    Returns:
        Whether nearly all have as many columns, two or more, and do not look like sentences.

    Example:
        >>> looks_like_conll(["Ann B-PER", "rows O", "to O"]), looks_like_conll(["Ann rows."])
        (True, False)
    """
    found = [*_lines(lines, conllu=False)]
    layout = _usual_layout(found)
    rows = [_columns(text, layout) for text in _texts(found)]
    whole = [columns for columns in rows if len(columns) == layout.width]
    if layout.width < 2 or len(whole) < _MOST * len(rows):
        return False
    return not looks_like_prose(whole)


def _check_layout(lines: Sequence[Line], layout: _Layout, source: str) -> None:
    """Refuse lines of running text, and those of which nobody can say what parts the columns."""
    texts = _texts(lines)
    counts = Counter(len(_columns(text, layout)) for text in texts)
    if all(text.startswith("#") for text in texts) and len(counts) > 1:
        raise InputError(message(source, "file", "a CoNLL file with a word", "comments alone"))
    first = _columns(texts[0], layout) if texts else [""]
    if _HEADER.fullmatch(first[0]) and _TAG_HEADER.fullmatch(first[-1]):
        rule, got = "words with their columns", f"names of columns, {', '.join(first)!r:.60}"
        remedy = "Delete that line; or add a column 'sentence', and call the file .tsv"
        raise InputError(message(source, "first line", rule, got, remedy))
    few = counts[layout.width] < _MOST * len(texts)
    if few and (len(counts) > 2 or mostly_words([text.split()[-1] for text in texts])):
        raise prose_error(source, f"lines of {min(counts):,} to {max(counts):,} words")
    if layout.tabbed:
        _check_parting({text for text in texts if "\t" in text}, source)


def _check_parting(texts: Collection[str], source: str) -> None:
    """Refuse lines all of which have spaces where tabs part columns."""
    columns = [text.split("\t") for text in texts]
    padded = all(
        any(field[-1:] == " " and field.strip(" ") for field in row[:-1]) for row in columns
    )
    # "Ann NNP", "rows VBZ": words are rarely all made of as many parts, the later ones in capitals.
    parts = [_PARTING.split(row[0].strip(_BLANKS)) for row in columns]
    mixed = len({*map(len, parts)}) == 1 and all(_ends_in_tags(row) for row in parts)
    if len(columns) >= _FEW and (padded or mixed):
        rule, got = "columns parted by tabs, or by spaces", f"both, as in {min(texts)!r:.40}"
        remedy = "Part them all by tabs, and leave out the other spaces"
        raise InputError(message(source, "lines", rule, got, remedy))


def _ends_in_tags(parts: Sequence[str]) -> bool:
    return len(parts) > 1 and all(map(_CAPITALS.fullmatch, parts[1:]))


def _ragged(
    source: str, line: Line, lines: Iterable[Line], layout: _Layout, conllu: bool
) -> InputError:
    number, text = line
    if not conllu and _COMMENT.match(text):
        rule, remedy = "a word with its columns", "Put an empty line before it"
        return InputError(
            message(source, f"line {number}", rule, "a comment in a sentence", remedy)
        )
    rule, got = f"{layout.width} columns parted by tabs", len(text.split("\t"))
    if not conllu:
        counts = Counter(len(_columns(text, layout)) for text in _texts(lines))
        usual, all_of_them = counts[layout.width], counts.total()
        rule = f"{layout.width} columns, as {usual:,} of {all_of_them:,} lines have"
        got = len(_columns(text, layout))
    remedy = "Correct that line; an empty line parts sentences"
    return InputError(message(source, f"line {number}", rule, f"{got}", remedy))


def _unsure(source: str, number: int, text: str) -> InputError:
    rule = "a word with its columns, or a comment"
    remedy = "Leave out a comment, or write '# text = ...'; part the columns of a word # by tabs"
    got = f"{text!r:.40}, which may be either"
    return InputError(message(source, f"line {number}", rule, got, remedy))


def write_conll(
    sentences: Iterable[Sequence[Sequence[str]]], handle: IO[str], *, tabs: bool = False
) -> None:
    """Write sentences, a word a line and an empty line after each, so that they are read again.

    Args:
        sentences: The columns of each word of each sentence, its tag the last; an empty one is
            written as _.
        handle: Where to.
        tabs: Whether to part the columns by tabs, as in sentences with a space within a column.

    Raises:
        InputError: If a word cannot be written so that it is read again, for a line end in it say;
            then nothing is written.

    Example:
        >>> import sys
        >>> write_conll([[("Ann", "B-PER"), ("rows", "O")]], sys.stdout)
        Ann B-PER
        rows O
        <BLANKLINE>
    """
    lines: list[str] = []
    for number, sentence in enumerate(sentences):
        words = [[field or "_" for field in columns] for columns in sentence]
        apart = tabs or any(map(_needs_tabs, words))
        for word, columns in enumerate(words):
            line = ("\t" if apart else " ").join(columns)
            if _is_unreadable(columns, line, first=not number and not word):
                raise unwritable(columns, place(number, word))
            lines.append(f"{line}\n")
        lines.append("\n")
    handle.writelines(lines)


def _needs_tabs(columns: Sequence[str]) -> bool:
    return columns[0].startswith("#") or any(" " in field for field in columns)


def _is_unreadable(columns: Sequence[str], line: str, *, first: bool) -> bool:
    """Say whether `read_conll` would find something else in a line."""
    tag = columns[-1]
    marked = _DOCUMENT.match(line) or _COMMENT.match(line) or (first and line.startswith(_MARK))
    broken = any(_UNWRITABLE.search(field) for field in columns)
    return bool(marked) or broken or tag != tag.strip(_BLANKS)


def unwritable(columns: Sequence[str], where: str) -> InputError:
    """Build the error that says that columns cannot be written to a line.

    Args:
        columns: What they hold.
        where: Of which word, in words.
    """
    rule = "words and tags that can stand in a line, and are no -DOCSTART- or comment"
    got = f"{' '.join(columns)!r:.60} {where}"
    remedy = "Write another format: --format jsonl, or --out with that suffix"
    return InputError(message("CoNLL", "sentences", rule, got, remedy))

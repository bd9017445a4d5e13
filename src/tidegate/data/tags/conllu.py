"""CoNLL-U written: https://universaldependencies.org/format.html, ten columns a word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tidegate.data.tables.formats import read_text_rows
from tidegate.data.tags.conll import CONLLU, unwritable

USUAL = "upos"
_EMPTY = "_"


def tag_column(name: str | None) -> str:
    """Say in which column tags are written: where they were learned, or else the usual one.

    Example:
        >>> tag_column("xpos"), tag_column("tag")
        ('xpos', 'upos')
    """
    return name if name in CONLLU[2:] else USUAL


def filled(path: Path, tags: Mapping[int, str], column: str) -> Iterator[str]:
    """Put tags into the lines of a file; comments and all else stay as they are.

    Args:
        path: The file.
        tags: Tag by the number of a word's line, from 1.
        column: Where it is put.

    Yields:
        The lines with their ends, and an empty line after the last sentence.

    Raises:
        InputError: If a tag cannot be written.
    """
    place, text = CONLLU.index(column), ""
    rows = read_text_rows(path, ".txt")
    next(rows)  # the name of its one column
    for number, (line,) in enumerate(rows, 1):
        text = line or ""
        if number in tags:
            fields = text.split("\t")
            fields[place] = tags[number]
            _check([tags[number]], f"in line {number} of {path}")
            text = "\t".join(fields)
        yield f"{text}\n"
    if text.strip():
        yield "\n"


def made(sentences: Iterable[tuple[Sequence[str], Sequence[str]]], column: str) -> Iterator[str]:
    r"""Write words and tags; the columns of which nothing is known hold _.

    Args:
        sentences: The words of each, and their tags.
        column: Where tags are put.

    Yields:
        The lines with their ends, an empty one after each sentence.

    Raises:
        InputError: If a word or a tag cannot be written, for a tab or a line end in it.

    Example:
        >>> next(made([(["Ann"], ["PROPN"])], "upos"))
        '1\tAnn\t_\tPROPN\t_\t_\t_\t_\t_\t_\n'
    """
    for number, (words, tags) in enumerate(sentences, 1):
        for place, (word, tag) in enumerate(zip(words, tags, strict=True), 1):
            _check([word, tag], f"at word {place} of sentence {number}")
            told = {"id": str(place), "form": word, column: tag}
            yield "\t".join(told.get(name, _EMPTY) for name in CONLLU) + "\n"
        if words:
            yield "\n"


def _check(fields: Sequence[str], where: str) -> None:
    """Refuse what would part lines or columns."""
    if any(sign in field for field in fields for sign in "\t\r\n"):
        raise unwritable(fields, where)

"""Tables with a row a word, or a row a sentence, gathered into sentences and their tags."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tidegate.data.tables.complete import check_column, is_missing
from tidegate.data.tables.reader import read_table
from tidegate.data.tags.conll import LINE, SENTENCE, words_of_lines
from tidegate.data.tags.doubts import check_columns
from tidegate.data.tags.notation import Notation
from tidegate.data.tags.offsets import has_offsets, read_offsets
from tidegate.data.tags.schemes import Scheme, TagError, write_spans
from tidegate.errors import InputError, message

TOKENS = "\0tokens"  # no column of a file begins like this
TAGS = "\0tags"
PLACES = "\0places"
# Where words and tags are if nobody says it.
_TOKEN_NAMES = ("token", "tokens", "words", "form")
_TAG_NAMES = ("tag", "tags", "ner_tags", "upos")
_SPAN_NAMES = ("spans", "entities", "label", "labels")


class PlacedTags(list[list[str]]):
    """The tags of the sentences of a file, with the place of each, "line 3" say, in `places`."""

    places: list[list[str]]


def read_sentences(
    path: str | os.PathLike[str], *, token: str | None = None, tag: str | None = None
) -> tuple[list[list[str]], list[list[str]]]:
    """Read the words and tags of a CoNLL file, or of another table with a row a word.

    Args:
        path: The file: .conll, .conllu, .iob, .bio or .txt with the columns of CoNLL; or a table
            with the column "sentence".
        token: The column of the words, a name or a number; None for "token", "form" or "0".
        tag: That of their tags; None for "tag", "upos" or the last one.

    Returns:
        The words and the tags of each sentence.

    Raises:
        InputError: If the file is wrong, or has no such column.

    Example:
        >>> X, y = read_sentences("train.conll")  # doctest: +SKIP
    """
    frame = read_table(path, text=["text"])
    columns = {"token": token or "token", "tag": tag or "tag"}
    found, _ = gather_sentences(frame, columns, drop_missing=False, source=str(path))
    return found[TOKENS].tolist(), found[TAGS].tolist()


def gather_sentences(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    *,
    drop_missing: bool,
    source: str,
    tagged: bool = True,
    written: tuple[Scheme, Notation] = ("bio", Notation()),
) -> tuple[pd.DataFrame, int]:
    """Make a table with a row a sentence of one with a row a word.

    Where a sentence is named in the row of its first word only, the others follow it.
    A table whose words are lists has a row a sentence already; so has one without a column of
    sentences whose rows are texts, without tags or with spans by characters, see `read_offsets`.
    The lines of a .txt, in the one column "text", are those of a CoNLL file.

    Args:
        frame: The table.
        columns: The columns of the roles "token", "tag" and perhaps "sentence". A column called
            like its role may be missing: words are then in "tokens", "words", "form", "0" or
            "text", tags in "tags", "ner_tags", "upos" or the last numbered column, and spans in
            "spans", "entities" or "label". A tag called "" is not read.
        drop_missing: Whether to leave out sentences in which a word or a tag is missing.
        source: The file, for messages.
        tagged: Whether there must be tags.
        written: How spans of characters are written as tags.

    Returns:
        The first row of each sentence with the lists `TOKENS`, `TAGS` if there are tags, and
        `PLACES`, the line or row of each word, if words had rows; and how many rows were left out.

    Raises:
        InputError: If a column is not there, or a word or a tag is missing.
    """
    frame = words_of(frame, source)
    token, tag = columns_of(frame, columns, source, tagged=tagged)
    if tag is not None and _is_conll(frame):
        frame = frame.assign(**{tag: frame[tag].str.strip(" ")})
    _check_unnamed(frame, columns, (token, tag), source)
    named = [(token, TOKENS), *([] if tag is None else [(tag, TAGS)])]
    number = columns.get("sentence", SENTENCE)
    if number != SENTENCE:
        check_column(number, _own(frame), source)
    if number in frame:
        frame = frame.assign(**{number: _filled_down(frame[number])})
    roles = {"tag": tag, "word": token, "sentence": number if number in frame else None}
    places = frame[LINE] if _is_conll(frame) else range(1, len(frame) + 1)
    frame, dropped = _complete(frame.assign(**{PLACES: places}), roles, drop_missing, source)
    texts = frame[token].map(lambda value: isinstance(value, str))
    if tag is not None and texts.all() and has_offsets(frame[tag]):
        return _of_texts(frame, token, tag, source, written), dropped
    plain = frame.drop(columns=PLACES)
    if not texts.any():
        return plain.assign(**{to: plain[name].map(list) for name, to in named}), dropped
    if number not in frame and tag is None and not tagged:
        return plain.assign(**{TOKENS: plain[token]}), dropped  # a text a row
    groups = frame.groupby(_runs(frame, number, source), sort=False)
    named.append((PLACES, PLACES))
    lists = {to: groups[name].agg(list).to_numpy() for name, to in named}
    return groups.head(1).reset_index(drop=True).assign(**lists), dropped


def _check_unnamed(
    frame: pd.DataFrame, columns: Mapping[str, str], chosen: tuple[str, str | None], source: str
) -> None:
    """Have a look at columns of a CoNLL file that nobody named."""
    unnamed = all(columns.get(role, role) in {role, ""} for role in ("token", "tag"))
    if unnamed and _is_conll(frame):
        check_columns({name: frame[name].tolist() for name in _own(frame)}, *chosen, source)


def _of_texts(
    frame: pd.DataFrame, token: str, tag: str, source: str, written: tuple[Scheme, Notation]
) -> pd.DataFrame:
    """Cut texts into words, and write their spans as tags."""
    scheme, notation = written
    texts, given, rows = (frame[name].tolist() for name in (token, tag, PLACES))
    words, found = read_offsets(texts, given, rows, source, tag)
    tags = [
        [notation.write(tag) for tag in write_spans(spans, len(own), scheme)]
        for own, spans in zip(words, found, strict=True)
    ]
    result: pd.DataFrame = frame.drop(columns=PLACES).assign(**{TOKENS: words, TAGS: tags})
    return result


def located(error: InputError, frame: pd.DataFrame) -> str:
    """Say what an error says, and for a wrong tag in which line or row of the file it stands.

    Args:
        error: The error.
        frame: What `gather_sentences` made of the file.

    Returns:
        The text.
    """
    if not isinstance(error, TagError) or PLACES not in frame:
        return str(error)
    found = frame[PLACES].iloc[error.sentence][error.word]
    what = "line" if _is_conll(frame) else "row"
    return str(error).replace(error.where, f"{error.where} ({what} {found})", 1)


def placed_tags(frame: pd.DataFrame) -> list[list[str]]:
    """Take the tags out of what `gather_sentences` made, and with them their places in the file."""
    if PLACES not in frame:
        return list(frame[TAGS])
    tags, what = PlacedTags(frame[TAGS]), "line" if _is_conll(frame) else "row"
    tags.places = [[f"{what} {number}" for number in numbers] for numbers in frame[PLACES]]
    return tags


def _is_conll(frame: pd.DataFrame) -> bool:
    """Whether the columns are those of `conll.words_of_lines`, the first two its own."""
    return list(frame.columns[:2]) == [SENTENCE, LINE]


def _own(frame: pd.DataFrame) -> list[str]:
    """The columns that a file has itself, for messages."""
    first = 2 if _is_conll(frame) else 0
    return [str(name) for name in frame.columns[first:] if not str(name).startswith("\0")]


def words_of(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Turn the lines of a .txt into the words of a CoNLL file; leave any other table as it is.

    Args:
        frame: The table; of a .txt it has the column "text", a line each.
        source: The file, for messages.

    Returns:
        A row a word.

    Raises:
        InputError: If a line has another number of columns than the first.
    """
    own = [name for name in frame.columns if not str(name).startswith("\0")]
    if own != ["text"]:
        return frame
    lines = (None if line is None or line != line else line for line in frame["text"])  # noqa: PLR0124
    return words_of_lines(lines, source, conllu=False)


def columns_of(
    frame: pd.DataFrame, columns: Mapping[str, str], source: str, *, tagged: bool
) -> tuple[str, str | None]:
    """Say which columns of a table hold words and tags; see `gather_sentences`.

    Returns:
        The columns; None for tags that are not there and need not be.

    Raises:
        InputError: If there is no such column.
    """
    numbered = [name for name in frame.columns if str(name).isdigit()]
    token, tag = columns.get("token", "token"), columns.get("tag", "tag")
    if token == "token":
        enough = len(numbered) > (1 if tag == "" else 2)
        ids = numbered[:1] if enough and _counts_words(frame, numbered[0]) else []
        words = [name for name in numbered if name not in ids]
        token = _first_of([*_TOKEN_NAMES, *words, "text"], frame, token)
    if tag == "tag":
        others = [name for name in reversed(numbered) if name != token]
        offered = _SPAN_NAMES if token == "text" else ()
        spans = [name for name in offered if name in frame and has_offsets(frame[name])]
        tag = _first_of([*_TAG_NAMES, *others, *spans], frame, tag)
    shown = _own(frame)
    check_column(token, shown, source)
    if tag in frame:
        return token, tag
    if tag not in {"", "tag"}:
        check_column(tag, shown, source)
    if tagged:
        rule, remedy = "there: a tag for each word", "Name the column of the tags with --tag"
        raise InputError(message(source, "tag", rule, f"the columns {', '.join(shown)}", remedy))
    return token, None


def _first_of(names: Sequence[str], frame: pd.DataFrame, other: str) -> str:
    return next((name for name in names if name in frame), other)


def _counts_words(frame: pd.DataFrame, name: str) -> bool:
    """Say whether a column numbers the words of each sentence, from 0 or 1."""
    given = frame[name].astype(str)
    if not given.str.fullmatch(r"[0-9]{1,6}").all() or not frame[SENTENCE].duplicated().any():
        return False
    places = frame.groupby(SENTENCE).cumcount()
    steps = given.astype(int) - places
    return bool((steps == steps.iloc[0]).all() and steps.iloc[0] in (0, 1))


def _runs(frame: pd.DataFrame, name: str, source: str) -> pd.Series[Any]:
    """Number the sentences, each of which is a run of rows with one value."""
    if name not in frame and name == SENTENCE:
        rule = "there: which sentence each word belongs to"
        remedy = "Name that column with --sentence, or pass a CoNLL file"
        raise InputError(message(source, SENTENCE, rule, "no such column", remedy))
    runs = (frame[name] != frame[name].shift()).cumsum()
    starts = frame[name][runs.diff() != 0]
    again = starts[starts.duplicated()]
    if len(again):
        got = f"{again.iloc[0]} again in row {again.index[0] + 1}"
        remedy = "Sort the table, or give each sentence a value of its own"
        raise InputError(message(source, name, "one value a sentence, rows together", got, remedy))
    return runs


def _filled_down(column: pd.Series[Any]) -> pd.Series[Any]:
    """Give every word the sentence above it, where only first words say which sentence it is."""
    empty = is_missing(column)
    given = column[~empty]
    if not empty.any() or not len(given) or empty.iloc[0] or given.duplicated().any():
        return column
    filled: pd.Series[Any] = column.where(~empty).ffill()
    return filled


def _complete(
    frame: pd.DataFrame, roles: Mapping[str, str | None], drop_missing: bool, source: str
) -> tuple[pd.DataFrame, int]:
    """Leave out the sentences that lack something, or complain."""
    missing = pd.Series(False, index=frame.index)
    for role, name in roles.items():
        if name is None:
            continue
        empty = is_missing(frame[name])
        if role == "word":  # a no-break or ideographic space is one; between tabs any space
            blanks = "" if _is_conll(frame) else " \t\r\n"
            empty &= frame[name].map(
                lambda word, blanks=blanks: not isinstance(word, str) or not word.strip(blanks)
            )
        if empty.any() and not drop_missing:
            raise _empty(frame, empty, role, source)
        missing |= empty
        if role == "sentence":  # whose last words these may be, so that it is not whole
            missing |= frame[name].isin(frame[name].where(~empty).ffill()[empty])
    number = roles["sentence"]
    if number is not None:
        missing |= frame[number].isin(frame[number][missing])
    return frame[~missing].reset_index(drop=True), int(missing.sum())


def _empty(frame: pd.DataFrame, where: Any, what: str, source: str) -> InputError:
    first = int(where.to_numpy().nonzero()[0][0])
    place = f"{'line' if _is_conll(frame) else 'row'} {frame[PLACES].iloc[first]}"
    rule = "complete: each with its word, its sentence and its tag"
    got = f"{int(where.sum())} without a {what}, the first in {place}"
    remedy = "Fill them in, or drop those sentences with drop_missing=True (--drop-missing)"
    return InputError(message(source, "rows", rule, got, remedy))

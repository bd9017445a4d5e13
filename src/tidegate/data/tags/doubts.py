"""Doubts: tags that can be learned as they stand, but hardly mean what they would be taken for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tidegate.data.tags.notation import Notation
from tidegate.data.tags.prose import looks_like_prose, prose_error
from tidegate.data.tags.schemes import AS_THEY_ARE, OUTSIDE, TagError, parted, place
from tidegate.errors import InputError, message

# CoNLL-2005 and 2012 write spans as "(PER*", "*" and "*)", one of a word as "(PER*)" or "(PER)".
_BRACKETS = re.compile(r"[^()*]*\(?[^()*]*\*?\)?")
# "'B-PER'", "[B-PER]", "BEGIN-PER", and "B-" without a label.
_LIKE_SPANS = re.compile(r"\W?(B|b)[-_:/]\w*\W?|\W?(?i:begin|beg|start)[-_:/]\w+\W?")
_DECIMAL = re.compile(r"[0-9]*\.[0-9]+")
_WIDE = 4  # columns and lines, to say that one with a single value is that of documents
_MOST_WRONG = 0.2  # of one label are written otherwise, to take that for a mistake
_MOST_KINDS = 200  # more are no labels but words, whose capitals may tell them apart

Sentences = Sequence[Sequence[str]]


def check_columns(
    columns: Mapping[str, Sequence[str]], token: str, tag: str | None, source: str
) -> None:
    """Refuse columns of a CoNLL file that nobody named and that hold no words, or no tags.

    Args:
        columns: All of the file.
        token: The one that would be taken for the words.
        tag: The one that would be taken for their tags, None if they are not read.
        source: The file.

    Raises:
        InputError: If one cannot be what it is taken for.

    Example:
        >>> check_columns({"0": ["Ann", "rows"], "1": ["B-PER", "O"]}, "0", "1", "a.conll")
    """
    words, remedy = columns[token], "Name the columns with --token and --tag"
    kinds = {*words}
    if OUTSIDE in kinds and len(kinds) > 1 and all(map(Notation().has, kinds)):
        got = f"tags, {words[0]!r:.30} first, in column {token}"
        raise InputError(message(source, "token", "words", got, remedy))
    if len(columns) >= _WIDE and len(words) >= _WIDE and len(kinds) == 1:
        got = f"{words[0]!r:.30} in all {len(words):,} lines of column {token}"
        raise InputError(message(source, "token", "words", got, remedy))
    if tag is None or tag not in columns or not tag.isdigit():
        return
    if all(map(_DECIMAL.fullmatch, columns[tag])):
        got = f"numbers, {columns[tag][0]} first, in column {tag}"
        raise InputError(message(source, "tag", "tags", got, remedy))
    if looks_like_prose(zip(*columns.values(), strict=True)):
        raise prose_error(source, f"lines that end in words, {columns[tag][0]!r:.30} first")


def check_brackets(sentences: Sentences, owner: str, rows: Sequence[int] | None = None) -> None:
    """Refuse spans in brackets: word by word they could not be learned.

    Args:
        sentences: The tags of each, which are in no scheme.
        owner: Who complains.
        rows: What the sentences are called, numbers from 0; None for 0, 1 and so on.

    Raises:
        TagError: If all tags are of that notation; the message names the first with a label.

    Example:
        >>> check_brackets([["NN", "*"]], "Tagger")
    """
    distinct = {tag for tags in sentences for tag in tags}
    opened = {tag for tag in distinct if tag.startswith("(") and len(tag) > 1}
    if not opened or "*" not in distinct or not all(map(_BRACKETS.fullmatch, distinct)):
        return
    number, word, tag = next(found for found in _places(sentences, rows) if found[2] in opened)
    rule = "one tag a word, B-PER and I-PER say; brackets around spans are not read"
    remedy = "Write (PER* * *) as B-PER I-PER I-PER, and * outside as O"
    raise TagError(
        message(owner, "y", rule, f"{tag!r} {place(number, word)}", remedy), number, word
    )


def check_capitals(
    sentences: Sentences,
    owner: str,
    rows: Sequence[int] | None = None,
    *,
    spans: bool,
) -> list[str]:
    """Refuse a few labels that differ from others only in capitals, as B-Loc among many B-LOC.

    Args:
        sentences: The tags of each, with the prefixes of spans as B-LOC.
        owner: Who complains.
        rows: As in `check_brackets`.
        spans: Whether tags are those of spans; of others only doubts are told.

    Returns:
        A sentence for each two labels that differ only so and are both frequent.

    Raises:
        TagError: If few are written otherwise; the message names the first.

    Example:
        >>> check_capitals([["B-LOC", "B-loc"]], "Tagger", spans=True)
        ["'LOC' and 'loc' are two kinds of 1 and 1 tags, the second first at word 2 of sentence 1."]
    """
    counts = Counter(_label(tag, spans) for tags in sentences for tag in tags)
    told: list[str] = []
    for usual, other in _pairs(counts):
        places = _places(sentences, rows)
        number, word = next((n, word) for n, word, tag in places if _label(tag, spans) == other)
        if spans and counts[other] <= _MOST_WRONG * counts[usual]:
            rule = f"written alike: {usual!r} {counts[usual]:,} times"
            got = f"{other!r} {place(number, word)}, {counts[other]:,} in all"
            told_wrong = message(owner, "y", rule, got, f"Correct it, or {AS_THEY_ARE}")
            raise TagError(told_wrong, number, word)
        told.append(
            f"{usual!r} and {other!r} are two kinds of {counts[usual]:,} and {counts[other]:,} "
            f"tags, the second first {place(number, word)}."
        )
    return told


def find_likeness(sentences: Sentences) -> list[str]:
    """Say that tags which are learned one by one look like those of spans.

    Args:
        sentences: The tags of each, which are in no scheme.

    Returns:
        A sentence, or none.

    Example:
        >>> find_likeness([["[B-PER]", "[O]"]])[0][:50]
        "Tags like '[B-PER]' look like those of spans, but "
        >>> find_likeness([["NOUN", "VERB"]])
        []
    """
    distinct = sorted({tag for tags in sentences for tag in tags})
    alike = [tag for tag in distinct if _LIKE_SPANS.fullmatch(tag)]
    if not alike or 3 * len(alike) < len(distinct):
        return []
    told = f"Tags like {alike[0]!r} look like those of spans, but are in no known scheme"
    return [f"{told}: each is learned by itself."]


def _pairs(counts: Counter[str]) -> Iterator[tuple[str, str]]:
    """Yield the usual and each other writing of labels that differ only in capitals."""
    alike: dict[str, list[str]] = {}
    for label, _ in counts.most_common():
        alike.setdefault(label.casefold(), []).append(label)
    if len(counts) <= _MOST_KINDS:
        for usual, *others in alike.values():
            yield from ((usual, other) for other in others if other)


def _label(tag: str, spans: bool) -> str:
    return parted(tag)[1] if spans else tag


def _places(sentences: Sentences, rows: Sequence[int] | None) -> Iterator[tuple[int, int, str]]:
    """Yield the sentence, the word and the tag of each."""
    for number, tags in zip(rows or range(len(sentences)), sentences, strict=True):
        for word, tag in enumerate(tags):
            yield number, word, tag

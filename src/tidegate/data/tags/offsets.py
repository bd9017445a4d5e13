"""Offsets: spans that are told by the characters of a text, turned into spans of words."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from tidegate.data.tags.schemes import Span
from tidegate.data.text.tokens import find_word_spans
from tidegate.errors import InputError, message

_KEYS = (("start", "start_offset"), ("end", "end_offset"), ("label", "type"))
_RULE = 'spans such as {"start": 0, "end": 3, "label": "PER"} or [0, 3, "PER"]'


class SpanWarning(UserWarning):
    """Spans do not end where words do; they were moved outwards."""


class _Range(NamedTuple):
    start: int
    end: int
    label: str

    def __str__(self) -> str:
        return f"{self.label!r} from {self.start} to {self.end}"


def has_offsets(given: Iterable[Any]) -> bool:
    """Say whether the cells of a column beside texts are lists, as those of spans are.

    Example:
        >>> has_offsets([[], [[0, 3, "PER"]]]), has_offsets(["pos", "neg"])
        (True, False)
    """
    return any(_listed(cell) is not None for cell in given)


def read_offsets(
    texts: Sequence[str], given: Sequence[Any], rows: Sequence[int], source: str, column: str
) -> tuple[list[list[str]], list[list[Span]]]:
    """Cut texts into words, and say of which words each span is made.

    A span that begins or ends inside a word takes the whole word in; spaces at its edges are left
    out. How many were moved so is warned of.

    Args:
        texts: The texts.
        given: The spans of each: mappings with start, end (the character after the last one, of
            Unicode, from 0) and label, or lists of these three.
        rows: The row of each text in its file, from 1.
        source: The file, for messages.
        column: The column of the spans, for messages.

    Returns:
        The words and the spans of each text, these in the order of the words.

    Raises:
        InputError: If a span is none, lies outside of its text, has no word, or is on top of
            another; the message names the row.

    Example:
        >>> read_offsets(["Ann rows."], [[[0, 3, "PER"]]], [1], "docs", "spans")
        ([['Ann', 'rows', '.']], [[Span(first=0, last=0, label='PER')]])
    """
    words: list[list[str]] = []
    spans: list[list[Span]] = []
    moved: list[str] = []
    count = 0
    for text, cell, row in zip(texts, given, rows, strict=True):
        places = find_word_spans(text)
        where = (source, column, row)
        ranges = _ranges(cell, text, where)
        found = [_aligned(one, places, where) for one in ranges]
        _check_apart(ranges, found, where)
        for one, span in zip(ranges, found, strict=True):
            start, end = places[span.first][0], places[span.last][1]
            if (start, end) != one[:2]:
                moved.append(f"{text[one.start : one.end]!r} to {text[start:end]!r} in row {row}")
        count += len(found)
        words.append([text[start:end] for start, end in places])
        spans.append(found)
    if moved:
        what = f"{len(moved):,} of {count:,} spans were moved to the edges of words"
        told = f"{source}: {what}, the first from {moved[0]}."
        warnings.warn(SpanWarning(told), stacklevel=4)
    return words, spans


def _listed(cell: Any) -> Sequence[Any] | None:
    items = cell.tolist() if hasattr(cell, "tolist") else cell
    return items if isinstance(items, Sequence) and not isinstance(items, str) else None


def _ranges(cell: Any, text: str, where: tuple[str, str, int]) -> list[_Range]:
    items = _listed(cell)
    if items is None:
        raise _refused(where, f"lists of {_RULE}", f"{cell!r:.60}")
    return sorted(_parsed(item, text, where) for item in items)


def _parsed(item: Any, text: str, where: tuple[str, str, int]) -> _Range:
    """Read one span, and check that it lies in its text."""
    values = _listed(item)
    if isinstance(item, Mapping):
        values = [next((item[key] for key in keys if key in item), None) for keys in _KEYS]
    if values is None or len(values) != len(_KEYS) or not _has_types(*values):
        raise _refused(where, _RULE, f"{item!r:.60}")
    found = _Range(*values)
    if not 0 <= found.start < found.end <= len(text):
        rule = f"inside the text, from 0 to {len(text)}, and no end before its start"
        raise _refused(where, rule, f"{found}")
    return found


def _has_types(start: Any, end: Any, label: Any) -> bool:
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in (start, end))
    return whole and isinstance(label, str) and bool(label.strip())


def _aligned(one: _Range, places: Sequence[tuple[int, int]], where: tuple[str, str, int]) -> Span:
    inside = [
        word for word, (start, end) in enumerate(places) if start < one.end and end > one.start
    ]
    if not inside:
        raise _refused(where, "made of spans with a word", f"{one}")
    return Span(inside[0], inside[-1], one.label)


def _check_apart(
    ranges: Sequence[_Range], found: Sequence[Span], where: tuple[str, str, int]
) -> None:
    for (one, its), (other, others) in pairwise(zip(ranges, found, strict=True)):
        if others.first <= its.last:
            share = "on top of" if other.start < one.end else "in one word with"
            remedy = "A word has one tag: leave one of them out"
            raise _refused(
                where, "made of spans beside each other", f"{other} {share} {one}", remedy
            )


def _refused(
    where: tuple[str, str, int], rule: str, got: str, remedy: str = "Correct that span"
) -> InputError:
    source, column, row = where
    return InputError(message(source, column, rule, f"{got} in row {row}", remedy))

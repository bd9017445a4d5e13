"""Patterns: which steps of a text or a series have what one looks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from tidegate.errors import InputError, message
from tidegate.explain.labels import between

Row = Sequence[Any]
Pattern = str | re.Pattern[str] | Callable[[Row], Sequence[bool]]

_QUOTES = {'"', "“", "”", "„", "«", "»", "``", "''"}
_NEGATIONS = re.compile(r"not|no|never|nothing|nobody|none|neither|nor|without|cannot|.*n['’]t")


def mark(rows: Sequence[Row], pattern: Pattern) -> list[list[bool]]:
    """Mark the steps of rows that have a pattern.

    Args:
        rows: The steps of each row: tokens of a text, or numbers of a series.
        pattern: A name out of `NAMED`; else a regular expression, searched in the tokens joined
            by spaces (single characters: by nothing), which marks every token that a match
            touches; or a function from the steps of a row to a truth value for each.

    Returns:
        For each row a truth value for each step.

    Raises:
        InputError: If the regular expression is wrong, is used on numbers, or a function returns
            another number of values.

    Example:
        >>> mark([["he", "said", '"', "go", '"', "."]], "inside quotes")
        [[False, False, False, True, False, False]]
        >>> mark([["it", "is", "not", "good"]], "not good")
        [[False, False, True, True]]
        >>> mark([[1.0, 2.0, 2.0]], "rising")
        [[False, True, False]]
    """
    find = pattern if callable(pattern) else _finder(pattern)
    marks = [list(map(bool, find(row))) for row in rows]
    for number, (row, marked) in enumerate(zip(rows, marks, strict=True), 1):
        if len(row) != len(marked):
            rule = f"a function that returns {len(row)} truth values for row {number}"
            raise InputError(message("mark", "pattern", rule, f"{len(marked)} of them"))
    return marks


def _finder(pattern: str | re.Pattern[str]) -> Callable[[Row], Sequence[bool]]:
    if isinstance(pattern, str) and pattern in NAMED:
        return NAMED[pattern]
    try:
        expression = re.compile(pattern)
    except re.error as error:
        rule = f"one of {', '.join(NAMED)}, a function, or a regular expression"
        raise InputError(message("mark", "pattern", rule, f"{pattern!r} ({error})")) from error
    return lambda row: _matches(row, expression)


def _matches(tokens: Row, expression: re.Pattern[str]) -> list[bool]:
    """Which tokens a match touches."""
    if not all(isinstance(token, str) for token in tokens):
        remedy = f"Pass a function, or one of {', '.join(NAMED)}"
        got = f"{expression.pattern!r} for numbers"
        raise InputError(message("mark", "pattern", "a function for a series", got, remedy))
    gap = between(tokens)
    ends, place = [], 0
    for token in tokens:
        ends.append((place, place + len(token)))
        place += len(token) + len(gap)
    spans = [found.span() for found in expression.finditer(gap.join(tokens))]
    spans = [(first, last) for first, last in spans if first < last]
    return [any(start < last and first < end for first, last in spans) for start, end in ends]


def _inside_quotes(tokens: Row) -> list[bool]:
    inside, found = False, []
    for token in tokens:
        quote = token in _QUOTES
        found.append(inside and not quote)
        inside ^= quote
    return found


def _negated(tokens: Row) -> list[bool]:
    return [_NEGATIONS.fullmatch(token.lower()) is not None for token in tokens]


def _before_negation(tokens: Row) -> list[bool]:
    return [*_negated(tokens)[1:], False][: len(tokens)]


def _after_negation(tokens: Row) -> list[bool]:
    """The three tokens after a negation, up to the end of the clause."""
    left, found = 0, []
    for token, negation in zip(tokens, _negated(tokens), strict=True):
        left = 0 if token in {".", ",", ";", ":", "!", "?", "but"} else left
        found.append(left > 0 and not negation)
        left = 3 if negation else max(0, left - 1)
    return found


def _number(tokens: Row) -> list[bool]:
    return [any(map(str.isdigit, token)) for token in tokens]


def _line_start(tokens: Row) -> list[bool]:
    """Spaces and tabs at the beginning of a line."""
    blank, found = True, []
    for token in tokens:
        blank = token == "\n" or (blank and token.isspace())
        found.append(blank and token != "\n")
    return found


def _far_into_a_line(tokens: Row) -> list[bool]:
    """From the middle of the longest line on, counted in tokens."""
    columns, column = [], 0
    for token in tokens:
        columns.append(column)
        column = 0 if token == "\n" else column + 1
    middle = max(columns, default=0) / 2
    return [column > middle for column in columns]


def _rising(values: Row) -> list[bool]:
    return [step > 0 and bool(values[step] > values[step - 1]) for step in range(len(values))]


def _falling(values: Row) -> list[bool]:
    return [step > 0 and bool(values[step] < values[step - 1]) for step in range(len(values))]


NAMED: dict[str, Callable[[Row], Sequence[bool]]] = {
    "inside quotes": _inside_quotes,
    "before a negation": _before_negation,
    "after a negation": _after_negation,
    "number": _number,
    "indentation": _line_start,
    "far into a line": _far_into_a_line,
    "rising": _rising,
    "falling": _falling,
}

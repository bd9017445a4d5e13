"""Prose: telling lines of running text from words with their tags."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from tidegate.errors import InputError, message

# A word in small letters, or in a script that has none: few tags of the usual sets are.
_WORD = re.compile(r"[^\W\d_]+(['’-][^\W\d_]+)*[.,;:!?…。！？\"”')]*")
_SENTENCE_END = re.compile(r".*[^\W\d_][.!?…。！？][\"”')]*")
_STOPS = frozenset(".!?…。！？")
_SPAN = re.compile(r"o|[bioeslumw][-_:/|.].+|.+[-_:/|.][bioeslumw]", re.IGNORECASE)
# Tags that are written in small letters: those of Universal Dependencies, and kinds of names.
_TAGS = frozenset(
    "a acl adj adp adv advcl advmod amod appos art aux case cc ccomp cconj clf compound conj cop "
    "csubj dep det discourse dislocated expl fixed flat goeswith interj intj iobj list loc mark "
    "misc n nmod noun nsubj num nummod obj obl org orphan other parataxis part per prep pron "
    "propn punct reparandum root sconj sym v verb vocative x xcomp".split()
)
# Kinds of tags grow far slower than the square root of the words: in UD English and CoNLL-2003 no
# piece of any length, by any column of tags, has more than 4.2 times the root.
_KINDS = 5.0
_NEARLY, _MANY = 0.95, 0.7  # of the last words come once
_ENOUGH = 20  # lines to tell by the number of kinds alone


def looks_like_prose(rows: Iterable[Sequence[str]]) -> bool:
    """Say whether lines cut into columns are sentences, and not words with their tags.

    Tags are few, come again and again, and rarely look like words; the last words of sentences are
    many and do. Of a few lines it takes more: full stops, words in the columns between, or
    capitals at every beginning. Lines that come twice count once.

    Args:
        rows: The columns of each line, two or more, as many in each.

    Example:
        >>> looks_like_prose([("Ann", "rows", "home."), ("Bob", "waits", "there.")])
        True
        >>> looks_like_prose([("the", "det"), ("cat", "noun"), ("sits", "verb")])
        False
    """
    lines = list(dict.fromkeys(map(tuple, rows)))
    first, *between, last = zip(*lines, strict=True)
    if all(value in _STOPS for value in last):  # of a text that was cut into words
        return len(lines) > 2 or len(between) > 1
    shouted = "".join(itertools.chain(first, *between, last)).isupper()
    if shouted:
        last = tuple(value.lower() for value in last)
    if not mostly_words(last) or 2 * sum(value.rstrip(".") in _TAGS for value in last) >= len(last):
        return False
    if len(lines) < 2:
        return True
    ends = 2 * sum(_SENTENCE_END.fullmatch(value) is not None for value in last) >= len(last)
    if ends or too_many_kinds(len({*last}), len(lines)):
        return True
    return not shouted and _each_another_word(first, between, last)


def prose_error(source: str, got: str) -> InputError:
    """Build the error that says that a file is running text."""
    rule = "CoNLL: a word a line, with its columns"
    remedy = "A tagger learns from words with their tags; if a column has tags, name it with --tag"
    return InputError(message(source, "file", rule, f"{got}, as in running text", remedy))


def too_many_kinds(count: int, words: int) -> bool:
    """Say whether there are more different tags than people have for so many words.

    Example:
        >>> too_many_kinds(15, 20), too_many_kinds(20, 20), too_many_kinds(200, 1000)
        (False, True, True)
    """
    return words >= _ENOUGH and count > min(_KINDS * words**0.5, _NEARLY * words)


def mostly_words(values: Sequence[str]) -> bool:
    """Say whether more than half of what stands for tags looks like words of a text.

    Example:
        >>> mostly_words(["home.", "noun"]), mostly_words(["NOUN", "B-per", "Case=Nom", "O", "."])
        (True, False)
    """
    return 2 * sum(map(_is_word, values)) > len(values)


def _is_word(value: str) -> bool:
    value = value.strip()
    if not value or _SPAN.fullmatch(value):
        return False
    small = not value[0].isupper() or _SENTENCE_END.fullmatch(value) is not None
    return " " in value or (small and _WORD.fullmatch(value) is not None)


def _each_another_word(
    first: Sequence[str], between: Sequence[Sequence[str]], last: Sequence[str]
) -> bool:
    """Say whether the columns of a few lines are words of sentences that have no full stops."""
    if between:
        many = len({*last}) >= _MANY * len(last)
        return many and all(_are_own_words(column, first) for column in between)
    each = len({*last}) == len(last) and all(map(_is_word, last))
    return each and all(value[:1].isupper() for value in first)


def _are_own_words(column: Sequence[str], first: Sequence[str]) -> bool:
    """Say whether a column has words, and neither tags nor the lemmas of the first one."""
    pairs = zip(first, column, strict=True)
    lemmas = sum(word[:1].lower() == other[:1].lower() for word, other in pairs)
    own = mostly_words(column) and 2 * lemmas < len(column)
    return own and 2 * len({*column}) > len(column)

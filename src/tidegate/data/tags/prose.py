"""Prose: telling lines of running text from words with their tags."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence

from tidegate.errors import InputError, message

# A word in small letters, or in a script that has none: few tags of the usual sets are.
_WORD = re.compile(r"[^\W\d_]+(['’-][^\W\d_]+)*[.,;:!?…。！？\"”')]*")
_SENTENCE_END = re.compile(r".*[^\W\d_][.!?…。！？][\"”')]*")
_NO_VOWEL = re.compile(r"(?i)[b-df-hj-np-tv-xz]+[^a-z]*$")
_STOPS = frozenset(".!?…。！？")
# A text whose words carry their tags, "rows/VBZ to/TO".
_BOTH = {sign: re.compile(f".+{re.escape(sign)}.+") for sign in "/_|"}
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
_NEARLY = 0.95  # of the last words come once
_MANY = 0.6  # of the columns of sentences have words; two signs stand in each line, say
_ALIKE = 3  # times as many first words as last ones: words are far more than tags
_NEARLY_ALL, _FEW_WORDS = 0.9, 30  # of more words so many have a tag of their own: it is none
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
    if any(all(_BOTH[sign].fullmatch(field) for row in lines for field in row) for sign in _BOTH):
        return True
    shouted = "".join(itertools.chain(first, *between, last)).isupper()
    if shouted:
        last = tuple(value.lower() for value in last)
    if _are_names(last):
        return False
    own = sum(_are_own_words(column, first) for column in between)
    if not shouted and between and own >= _MANY * len(between):
        return _mostly(last, _is_name_or_word) and len({*first}) <= _ALIKE * len({*last})
    if not mostly_words(last):
        return False
    ends = _mostly(last, _SENTENCE_END.fullmatch)
    if len(lines) < 2 or ends or too_many_kinds(len({*last}), len(lines)):
        return True
    each = len({*last}) == len(last) and all(map(_is_word, last))
    return each and not shouted and not between and all(value[:1].isupper() for value in first)


def prose_error(source: str, got: str) -> InputError:
    """Build the error that says that a file is running text."""
    rule = "CoNLL: a word a line, with its columns"
    remedy = "A tagger learns from words with their tags; if a column has tags, name it with --tag"
    return InputError(message(source, "file", rule, f"{got}, as in running text", remedy))


def are_words(distinct: Sequence[str], words: int) -> bool:
    """Say whether what stands for tags is the words of a text, or numbers of rows.

    Args:
        distinct: The different ones.
        words: Of how many words.

    Example:
        >>> are_words([f"{row}" for row in range(40)], 40), are_words(["NN", "VBZ"], 40)
        (True, False)
    """
    if words > _FEW_WORDS and len(distinct) > _NEARLY_ALL * words:
        return True
    return too_many_kinds(len(distinct), words) and mostly_words(distinct)


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
    return _mostly(values, _is_word)


def _mostly(values: Sequence[str], rule: Callable[[str], object]) -> bool:
    return 2 * sum(bool(rule(value)) for value in values) > len(values)


def _are_names(values: Sequence[str]) -> bool:
    """Say whether half of the values are tags that people write in small letters."""
    return not _mostly(values, lambda value: value.rstrip(".").lower() not in _TAGS)


def _is_word(value: str) -> bool:
    value = value.strip()
    capital = value[:1].isupper() and " " not in value and not _SENTENCE_END.fullmatch(value)
    return not capital and _is_name_or_word(value)


def _is_name_or_word(value: str) -> bool:
    value = value.strip()
    if not value or _SPAN.fullmatch(value):
        return False
    usual = _WORD.fullmatch(value) and not value.isupper() and not _NO_VOWEL.match(value)
    return " " in value or bool(usual)


def _are_own_words(column: Sequence[str], first: Sequence[str]) -> bool:
    """Say whether a column has words, and neither tags nor the lemmas of the first one."""
    pairs = zip(first, column, strict=True)
    lemmas = sum(word[:1].lower() == other[:1].lower() for word, other in pairs)
    return _mostly(column, _is_name_or_word) and not _are_names(column) and 2 * lemmas < len(column)

"""Cutting texts into tokens: words, characters, or what a function says.

A chunk of texts is held as indices into its distinct tokens, which a hash table in C++ numbers:
what follows works on arrays, and no Python object per token outlives the text it stands in.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tidegate.data.batching import Array
from tidegate.data.text.cleaning import lone_surrogate
from tidegate.errors import InputError, message

_APOSTROPHES = re.compile("[\u2019\u02bc\uff07\x92]")  # the last one is Windows' own, mistaken
_LETTER = re.compile(r"[^\W\d_]")
# Letters of scripts that write no spaces between words: Chinese and Japanese, Thai, Lao, Burmese
# and Khmer, Yi, and those of the Tai and of Java. Their digits are like any others.
UNSPACED = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081"
    "\u108e\u1780-\u17b3\u17d7\u17dc\u1950-\u196d\u1970-\u1974\u1980-\u19c9\u1a00-\u1a16"
    "\u1a20-\u1a54\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096"
    "\u3099-\u309f\u30a1-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua000-\ua48c\ua984-\ua9b2\ua9e0-\ua9fe\uaa60-\uaa76\uaa7a\uaa80-\uaaaf"
    "\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003347f"
)
_UNSPACED = re.compile(f"[{UNSPACED}]")
_STACKERS = "\u1039\u17d2\u1a60\ua9c0"  # the letter that follows is written below, as one sign
_NEEDS_NO_SPACE = re.compile(f"[{UNSPACED}\u3000-\u303f\uff01-\uff65]")
_BREAKS = r"\x00-\x1f\x7f-\x9f\u200b"  # control characters, and the zero-width space of Thai


@dataclass(frozen=True, eq=False)
class Pieces:
    """The tokens of a chunk of texts, as indices into the distinct ones.

    Attributes:
        codes: Index into `words` of each token, `[tokens]` integer.
        words: The distinct tokens.
        lengths: Tokens of each text, `[rows]` int64.
    """

    codes: Array
    words: list[str]
    lengths: Array

    @property
    def offsets(self) -> Array:
        """Where each text starts, and at the end the number of tokens, `[rows + 1]` int64."""
        return np.concatenate(([0], np.cumsum(self.lengths))).astype(np.int64)

    def counts(self) -> Iterator[tuple[str, int]]:
        """Yield each distinct token and how often it occurs."""
        occurrences = np.bincount(self.codes, minlength=len(self.words))
        return zip(self.words, occurrences.tolist(), strict=True)

    def without(self, dropped: frozenset[str]) -> Pieces:
        """Leave out every token that is in `dropped`."""
        kept = np.array([word not in dropped for word in self.words], bool)
        if kept.all():
            return self
        stays = kept[self.codes]
        ends = np.concatenate(([0], np.cumsum(stays)))[self.offsets]
        codes = (np.cumsum(kept) - 1)[self.codes[stays]]
        words = [word for word, keep in zip(self.words, kept, strict=True) if keep]
        return Pieces(codes, words, np.diff(ends))


def find_words(text: str, *, unspaced: bool = True) -> list[str]:
    r"""Cut a text into words and punctuation marks: `\w+(?:'\w+)*|[^\w\s]`.

    A word is a run of letters, accents, digits and `_`, with inner apostrophes: "don't" is one
    word, written with ' whatever apostrophe was typed. Every other visible character is a token,
    and the accents that follow it belong to it. Characters that only control how their
    neighbours look, such as the soft hyphen, vanish.

    Args:
        text: The text.
        unspaced: Whether each letter of a script that writes no spaces between words, such as
            Chinese or Thai, is a token, with the accents that belong to it. Else a whole clause
            is one.

    Returns:
        Its tokens, in order.

    Example:
        >>> find_words("don’t go!")
        ["don't", 'go', '!']
        >>> find_words("GPU很快")
        ['GPU', '很', '快']
    """
    signs = _signs()
    if text.isascii():
        return signs.usual.findall(text)
    text = _APOSTROPHES.sub("'", text)
    if not signs.formats.isdisjoint(text):
        text = text.translate(dict.fromkeys(map(ord, signs.formats)))
    return signs.of(text, unspaced=unspaced).findall(text)


def lone_letters(vocabulary: Sequence[str]) -> list[str]:
    """List the letters of scripts without spaces that are tokens of their own.

    Args:
        vocabulary: Tokens.

    Returns:
        Those that are such a letter; none where they are less than one token in twenty.

    Example:
        >>> lone_letters(["the", "很", "快"])
        ['很', '快']
    """
    found = [word for word in vocabulary if _UNSPACED.match(word)]
    return found if 20 * len(found) >= len(vocabulary) else []


def join_words(words: Iterable[str]) -> str:
    """Put words together as they are written: with spaces, but for scripts that have none.

    Args:
        words: Tokens of `find_words`.

    Returns:
        The text.

    Example:
        >>> join_words(["the", "GPU", "很", "快", "。"])
        'the GPU 很快。'
    """
    parts: list[str] = []
    before = False
    for word in words:
        bare = _NEEDS_NO_SPACE.match(word) is not None
        parts.append(word if not parts or (bare and before) else f" {word}")
        before = bare
    return "".join(parts)


def find_word_spans(text: str) -> list[tuple[int, int]]:
    """Say where in a text the tokens of `find_words` stand.

    Args:
        text: The text.

    Returns:
        First character and end of each token; what vanishes from a token is inside of it.

    Example:
        >>> find_word_spans("don't go!")
        [(0, 5), (6, 8), (8, 9)]
    """
    signs = _signs()
    if text.isascii():
        return [found.span() for found in signs.usual.finditer(text)]
    plain = _APOSTROPHES.sub("'", text)
    places = [place for place, sign in enumerate(plain) if sign not in signs.formats]
    plain = "".join(plain[place] for place in places)
    pattern = signs.of(plain, unspaced=True)
    spans = (found.span() for found in pattern.finditer(plain))
    return [(places[first], places[end - 1] + 1) for first, end in spans]


@dataclass(frozen=True)
class _Signs:
    """Patterns and sets of characters of some Unicode categories.

    Python's `re` has no names for the categories. A set of characters below U+10000 costs it
    nothing, one that goes beyond makes it ten times slower, so only texts that need it pay.
    """

    usual: re.Pattern[str]
    full: re.Pattern[str]
    unspaced: re.Pattern[str]
    rare: frozenset[str]  # accents from U+10000 on
    formats: frozenset[str]

    def of(self, text: str, *, unspaced: bool) -> re.Pattern[str]:
        """The quickest pattern that finds the words of a text."""
        if unspaced and _UNSPACED.search(text):
            return self.unspaced
        return self.usual if self.rare.isdisjoint(text) else self.full


@lru_cache(maxsize=1)
def _signs() -> _Signs:
    points = (*range(0x80, 0x20000), *range(0xE0000, 0xE0200))  # the planes that have any
    categories = [(chr(point), unicodedata.category(chr(point))) for point in points]
    marks = [letter for letter, category in categories if category[0] == "M"]
    formats = {letter for letter, category in categories if category == "Cf"} - {"\u200b"}
    common = "".join(mark for mark in marks if mark < "\U00010000")
    rare = frozenset(marks) - frozenset(common)
    every = "".join(marks)
    letter = rf"[{UNSPACED}](?:[{every}]|(?<=[{_STACKERS}])[{UNSPACED}])*"
    unspaced = _pattern(every, f"{letter}|", f"(?![{UNSPACED}])")
    return _Signs(_pattern(common), _pattern(every), unspaced, rare, frozenset(formats))


def _pattern(marks: str, first: str = "", unless: str = "") -> re.Pattern[str]:
    """What finds words and marks: `first` before them, and nothing in them that is `unless`."""
    word = rf"(?:{unless}[\w{marks}])" if unless else rf"[\w{marks}]"
    return re.compile(rf"{first}{word}+(?:'{word}+)*|[^\w\s{_BREAKS}][{marks}]*")


def split_words(texts: list[str], *, unspaced: bool = True) -> Pieces:
    """Cut texts into words and punctuation marks, as `find_words` does.

    Args:
        texts: Texts.
        unspaced: As of `find_words`.

    Returns:
        The tokens.

    Example:
        >>> split_words(["to be", "or not to be"]).lengths.tolist()
        [2, 4]
    """
    return split_spaces(" ".join(find_words(text, unspaced=unspaced)) for text in texts)


def split_spaces(texts: Iterable[str]) -> Pieces:
    r"""Cut texts at white space (that of ASCII) and nowhere else.

    Args:
        texts: Texts that are tokenised already.

    Returns:
        The tokens.

    Example:
        >>> split_spaces(["do n't  go\n"]).words
        ['do', "n't", 'go']
    """
    # No token holds a space, so Arrow can take the texts apart, in C++.
    spaced = pa.array(texts, pa.large_string())
    return _from_lists(pc.ascii_split_whitespace(spaced)).without(frozenset([""]))


def split_characters(texts: list[str]) -> Pieces:
    """Cut texts into characters (Unicode code points), spaces and line ends included.

    Args:
        texts: Texts.

    Returns:
        The tokens.

    Example:
        >>> split_characters(["anna"]).words
        ['a', 'n']
    """
    points = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
    present = np.zeros(sys.maxunicode + 1, bool)
    present[points] = True
    distinct = np.flatnonzero(present)
    table = np.zeros(sys.maxunicode + 1, np.int32)
    table[distinct] = np.arange(len(distinct))
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return Pieces(table[points], [chr(point) for point in distinct], lengths)


def split_by(tokenizer: Callable[[str], Any], texts: list[str]) -> Pieces:
    """Cut texts by a function from a text to its tokens.

    Args:
        tokenizer: Takes one text and returns its tokens, a list of strings.
        texts: Texts.

    Returns:
        The tokens.

    Raises:
        InputError: If the function returns something else.

    Example:
        >>> split_by(str.split, ["to be or not to be"]).words
        ['to', 'be', 'or', 'not']
    """
    lists = (_checked(tokenizer(text)) for text in texts)
    return _from_lists(pa.array(lists, pa.large_list(pa.large_string())))


def _checked(tokens: object) -> list[str]:
    """Return what a tokenizer returned, or complain."""
    if not isinstance(tokens, str) and isinstance(tokens, Iterable):
        found = list(tokens)
        if all(isinstance(token, str) for token in found):
            if half := lone_surrogate("".join(found)):
                rule = "a function whose tokens are valid Unicode"
                got = half.partition(" at ")[0]
                raise InputError(
                    message("TextEncoder", "tokenizer", rule, got, "Mend the function")
                )
            return found
    rule, remedy = "a function that returns a list of strings", "Mend the function"
    raise InputError(message("TextEncoder", "tokenizer", rule, repr(tokens), remedy))


def _from_lists(lists: pa.Array) -> Pieces:
    """Number the tokens of a list array."""
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False).astype(np.int64)
    tokens = lists.flatten().dictionary_encode()
    return Pieces(tokens.indices.to_numpy(), tokens.dictionary.to_pylist(), lengths)


def single_letter_share(texts: list[str]) -> tuple[float, int, int]:
    """Measure how much texts look as if they had been joined letter by letter.

    Joining an already joined text, `" ".join("a film")`, gives "a   f i l m", and nothing fails
    but the accuracy. Only letters that stand between spaces count, so formulas and abbreviations
    do not, and only those with capitals or of Hebrew and Arabic, so Chinese does not either.

    Args:
        texts: Texts.

    Returns:
        The share of single letters among the space-separated pieces that hold a letter, how
        many such pieces there are, and how many different single letters.

    Example:
        >>> single_letter_share(["t h i s is"])
        (0.8, 5, 4)
    """
    pieces = [piece for text in texts for piece in text.split() if _LETTER.search(piece)]
    letters = [piece for piece in pieces if len(piece) == 1 and _has_words(piece)]
    return len(letters) / max(1, len(pieces)), len(pieces), len(set(letters))


def _has_words(letter: str) -> bool:
    """Whether the script of a letter writes its words with several letters."""
    return letter.lower() != letter.upper() or "\u0590" <= letter <= "\u06ff"

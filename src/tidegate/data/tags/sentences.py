"""Sentences: words as they came, or cut from a text, and where each stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidegate.data.text.cleaning import WITHOUT_SURROGATES, lone_surrogate
from tidegate.data.text.tokens import find_word_spans, lone_letters
from tidegate.errors import InputError, message

MOST_WORDS = 100_000  # of a sentence


@dataclass(frozen=True)
class Sentence:
    """The words of a sentence.

    Attributes:
        words: The words.
        raw: The text they were cut from; None where they came as words.
        row: Its number among all that were given, from 0: it stays when a part is held out.

    Example:
        >>> Sentence(("Ann", "rows", ".")).text, Sentence(("Ann", "rows")).places
        ('Ann rows .', ((0, 3), (4, 8)))
    """

    words: tuple[str, ...]
    raw: str | None = None
    row: int = field(default=0, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The text; where there was none, the words with spaces between."""
        return " ".join(self.words) if self.raw is None else self.raw

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """First character and end of each word in the text."""
        if self.raw is not None:
            return tuple(find_word_spans(self.raw))
        found, start = [], 0
        for word in self.words:
            found.append((start, start + len(word)))
            start += len(word) + 1
        return tuple(found)


def read_sentence(given: Any, row: int, owner: str) -> Sentence:
    """Check one input of a tagger.

    Args:
        given: A text, which is cut into words and punctuation marks, or a sequence of words.
        row: Its number, from 0.
        owner: Who complains.

    Returns:
        The sentence.

    Raises:
        InputError: If it is something else.

    Example:
        >>> read_sentence("Ann rows.", 0, "Tagger").words
        ('Ann', 'rows', '.')
    """
    if isinstance(given, str):
        cut = tuple(given[start:end] for start, end in find_word_spans(given))
        _check_length(len(cut), row, owner)
        check_characters(given, row, owner, "X")
        return Sentence(cut, given, row)
    words = given.tolist() if hasattr(given, "tolist") else given
    if not isinstance(words, Sequence) or isinstance(words, bytes):
        rule, got = "made of texts, or of lists of words", f"{given!r:.40} in row {row + 1}"
        raise InputError(message(owner, "X", rule, got))
    _check_length(len(words), row, owner)
    for place, word in enumerate(words):
        if not isinstance(word, str) or not word:
            rule = "made of words with a character"
            got = f"{word!r} at word {place + 1} of row {row + 1}"
            raise InputError(message(owner, "X", rule, got, "Correct that word or drop it"))
    check_characters("".join(words), row, owner, "X")
    return Sentence(tuple(words), row=row)


def cut_finer(sentences: Iterable[Sentence], vocabulary: Iterable[str]) -> tuple[int, str]:
    """Count texts that were cut into letters, where the words that were learned have several.

    Args:
        sentences: Some sentences.
        vocabulary: The words that were learned.

    Returns:
        How many texts of scripts without spaces between words there are, and such a word; 0
        where the words that were learned are letters, too.

    Example:
        >>> cut_finer([read_sentence("我在北京", 0, "docs")], ["我", "北京"])
        (1, '北京')
    """
    count = sum(bool(s.raw and lone_letters(s.words)) for s in sentences)
    words = (word for word in (vocabulary if count else ()) if lone_letters([word]))
    longer = next((word for word in words if len(find_word_spans(word)) > 1), "")
    return (count, longer) if longer else (0, "")


def check_characters(text: str, row: int, owner: str, argument: str) -> None:
    """Refuse a row with half a surrogate pair.

    Args:
        text: All that stands in the row.
        row: Its number, from 0.
        owner: Who complains.
        argument: What the row is of.

    Raises:
        InputError: If there is one.

    Example:
        >>> check_characters("fine", 0, "docs", "X")
    """
    if found := lone_surrogate(text):
        got = f"{found.partition(' at ')[0]} in row {row + 1}"
        raise InputError(message(owner, argument, "valid Unicode", got, WITHOUT_SURROGATES))


def _check_length(count: int, row: int, owner: str) -> None:
    """Refuse a whole book in one line: it would fill the memory, and is no sentence."""
    if count > MOST_WORDS:
        rule = f"made of sentences of at most {MOST_WORDS:,} words"
        remedy = "Cut it into sentences, one a row"
        raise InputError(message(owner, "X", rule, f"{count:,} in row {row + 1}", remedy))

"""The options of a TextEncoder, checked once and kept with the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tidegate.data.codec import Field
from tidegate.data.text.cleaning import CLEANERS
from tidegate.data.text.encoded import Keep
from tidegate.errors import InputError, message

Level = Literal["word", "char", "bpe"]
LARGEST = 2**31 - 3  # ids are 32-bit, and two of them are taken by padding and unknown
BYTES = 256  # sub-words are built up from these

FIELDS = {
    "level": Field(str, get_args(Level)),
    "lowercase": Field(bool),
    "clean": Field(str, tuple(CLEANERS), many=True),
    "unspaced": Field(bool),
    "stop_words": Field(str, many=True),
    "min_frequency": Field(int, minimum=1, maximum=LARGEST),
    "max_vocabulary": Field(int, minimum=1, maximum=LARGEST),
    "max_length": Field(int, minimum=1, maximum=LARGEST),
    "keep": Field(str, get_args(Keep)),
    "ngrams": Field(int, minimum=1, maximum=16),
    "max_ngrams": Field(int, minimum=1, maximum=LARGEST),
}
"""What the options may be that are no functions."""


@dataclass(frozen=True)
class TextOptions:
    """How texts become ids; `TextEncoder` explains each option.

    Example:
        >>> TextOptions(level="char").max_length
        400
    """

    level: Level = "word"
    tokenizer: Callable[[str], Any] | None = None
    lowercase: bool = True
    clean: tuple[str, ...] = ("html", "urls")
    unspaced: bool = True
    stop_words: tuple[str, ...] = ()
    min_frequency: int = 1
    max_vocabulary: int = 30_000
    max_length: int = 400
    keep: Keep = "head"
    ngrams: int = 1
    max_ngrams: int = 100_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "clean", _names("clean", self.clean))
        object.__setattr__(self, "stop_words", _names("stop_words", self.stop_words))
        tokenizer: object = self.tokenizer
        if tokenizer is not None and not callable(tokenizer):
            rule = "a function from a text to its tokens"
            raise _refuse("tokenizer", rule, repr(tokenizer), "Pass a function, or None")
        for name, field in FIELDS.items():
            field.check(getattr(self, name), "TextEncoder", name)
        self._check_together()

    def _check_together(self) -> None:
        """Refuse options that exclude each other."""
        if self.tokenizer is not None and self.level != "word":
            remedy = "Leave out level, or tokenizer"
            raise _refuse("level", "'word' with a tokenizer", repr(self.level), remedy)
        if self.stop_words and self.level != "word":
            remedy = f"Leave out stop_words, which level={self.level!r} cannot see"
            raise _refuse("stop_words", "empty", f"{len(self.stop_words)} words", remedy)
        if self.level == "bpe" and self.max_vocabulary < BYTES:
            remedy = "Sub-words are built up from the 256 bytes: pass at least that"
            raise _refuse("max_vocabulary", f">= {BYTES}", self.max_vocabulary, remedy)


def _refuse(name: str, rule: str, got: object, remedy: str = "") -> InputError:
    return InputError(message("TextEncoder", name, rule, got, remedy))


def _names(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, str | bytes) and isinstance(value, Iterable):
        names = list(value)
        if all(isinstance(item, str) for item in names):
            return tuple(sorted(names)) if isinstance(value, set | frozenset) else tuple(names)
    raise _refuse(name, "a sequence of strings", repr(value), "Pass a tuple, () for none")

"""The options of a TextEncoder, checked once and kept with the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tidegate.data.text.cleaning import CLEANERS
from tidegate.data.text.encoded import Keep
from tidegate.errors import InputError, message, suggest

Level = Literal["word", "char", "bpe"]
LARGEST = 2**31 - 3  # ids are 32-bit, and two of them are taken by padding and unknown
BYTES = 256  # sub-words are built up from these


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
        _choice("level", self.level, get_args(Level))
        _choice("keep", self.keep, get_args(Keep))
        for name in self.clean:
            _choice("clean", name, tuple(CLEANERS))
        tokenizer: object = self.tokenizer
        if tokenizer is not None and not callable(tokenizer):
            rule = "a function from a text to its tokens"
            raise _refuse("tokenizer", rule, repr(tokenizer), "Pass a function, or None")
        lowercase: object = self.lowercase
        if not isinstance(lowercase, bool):
            raise _refuse("lowercase", "True or False", repr(lowercase))
        for name in ("min_frequency", "max_vocabulary", "max_length", "max_ngrams"):
            _integer(name, getattr(self, name), LARGEST)
        _integer("ngrams", self.ngrams, 16)
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


def _choice(name: str, value: object, known: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in known:
        remedy = suggest(str(value), known)
        raise _refuse(name, f"one of {', '.join(known)}", repr(value), remedy)


def _integer(name: str, value: object, largest: int) -> None:
    # True is an int to Python, and never meant as one here.
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
        raise _refuse(name, f"an integer from 1 to {largest}", repr(value))


def _names(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, str | bytes) and isinstance(value, Iterable):
        names = list(value)
        if all(isinstance(item, str) for item in names):
            return tuple(sorted(names)) if isinstance(value, set | frozenset) else tuple(names)
    raise _refuse(name, "a sequence of strings", repr(value), "Pass a tuple, () for none")

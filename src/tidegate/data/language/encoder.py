"""LanguageEncoder: text in, one long sequence of ids out, and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Literal, get_args

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.codec import Field, read_fields
from tidegate.data.language.corpus import Corpus
from tidegate.data.language.documents import Document
from tidegate.data.text import files as text_files
from tidegate.data.text.cleaning import clean_text
from tidegate.data.text.options import FIELDS, TextOptions
from tidegate.data.text.subwords import Subwords
from tidegate.data.text.tokens import (
    Pieces,
    join_words,
    split_characters,
    split_spaces,
    split_words,
)
from tidegate.data.text.vocabulary import most_frequent
from tidegate.errors import InputError, message

LanguageLevel = Literal["char", "word", "bpe", "space"]

END, UNKNOWN = 0, 1
SPECIAL = ("<eos>", "<unk>")
REPLACEMENT = "\ufffd"  # what Unicode shows for a character that could not be read

# Symbols by level unless the user says how many.
_SYMBOLS = {"char": 30_000, "word": 30_000, "bpe": 4_000, "space": 30_000}
_OWNER = "LanguageEncoder"
_SHARED = ("lowercase", "clean", "unspaced", "min_frequency", "max_vocabulary")
_FIELDS = {"level": Field(str, get_args(LanguageLevel))} | {name: FIELDS[name] for name in _SHARED}


class LanguageEncoder:
    r"""Turns text into the symbols that a language model predicts, and symbols into text.

    Id 0 is "<eos>", the end of a document (and at level "space" of a line), id 1 "<unk>", every
    symbol that is not known; the others follow, the most frequent first.

    Args:
        level: "char": characters, given back to the letter. "word": words and punctuation marks,
            see `unspaced`. "bpe": sub-words learned from the text, given back to the letter.
            "space": whatever stands between white space, for text that is tokenised already; each
            line ends with "<eos>", and the word "<unk>" stands for the unknown ones.
        lowercase: Whether to lower-case.
        clean: What to clean out of the text first, by name, as `TextEncoder` does: "html",
            "urls", "digits"; nothing by default.
        unspaced: As of `TextEncoder`: whether each letter of a script that writes no spaces
            between words is a word.
        min_frequency: How often a symbol must occur to get an id.
        max_vocabulary: How many symbols get an id, "<eos>" and "<unk>" not counted. None takes
            4,000 sub-words, and 30,000 of the other kinds.

    Raises:
        InputError: If an option is not what it should be.

    Example:
        >>> encoder = LanguageEncoder(level="char").fit([Document("to be or not to be")])
        >>> encoder.decode(encoder.ids("to bee"))
        'to bee'
    """

    files: ClassVar[tuple[str, ...]] = (
        text_files.OPTIONS_FILE,
        text_files.VOCABULARY_FILE,
        text_files.MERGES_FILE,
    )

    def __init__(
        self,
        *,
        level: LanguageLevel = "char",
        lowercase: bool = False,
        clean: Iterable[str] = (),
        unspaced: bool = True,
        min_frequency: int = 1,
        max_vocabulary: int | None = None,
    ) -> None:
        _FIELDS["level"].check(level, _OWNER, "level")
        self.level, self.lowercase, self.clean = level, lowercase, clean
        self.unspaced, self.min_frequency = unspaced, min_frequency
        self.max_vocabulary = _SYMBOLS[level] if max_vocabulary is None else max_vocabulary
        self.clean = self._options().clean  # they check themselves
        self.subwords: Subwords | None = None
        self.vocabulary: list[str] = []
        self._ids: dict[str, int] = {}

    @property
    def size(self) -> int:
        """Number of ids, the two special ones included; 0 before `fit`."""
        return len(self.vocabulary)

    def fit(self, documents: Iterable[Document]) -> LanguageEncoder:
        """Learn the symbols of documents; they are read block by block.

        Args:
            documents: What to learn from.

        Returns:
            This encoder.

        Raises:
            InputError: If a file cannot be read.
        """
        self.subwords = None
        if self.level == "bpe":
            blocks = ([block] for block in self._blocks(documents))
            minimum = max(2, self.min_frequency)  # a pair seen once is no piece of a language
            self.subwords = Subwords.trained(blocks, self.max_vocabulary, minimum)
            self._take(self.subwords.words)
            return self
        counts: Counter[str] = Counter()
        for block in self._blocks(documents):
            counts.update(dict(self._cut(block).counts()))
        for word in SPECIAL if self.level == "space" else ():
            counts.pop(word, None)
        self._take(most_frequent(counts, self.max_vocabulary, self.min_frequency))
        return self

    def encode(self, documents: Sequence[Document], *, separate: bool = False) -> Corpus:
        """Turn documents into one long sequence of ids.

        Args:
            documents: What to encode; they are read block by block.
            separate: Whether each begins anew, with "<eos>" before it and one after the last.

        Returns:
            The ids, in a file that is mapped into memory.

        Raises:
            InputError: If the encoder is not fitted, or a file cannot be read.
        """
        self._check_fitted("encode")
        unknown: Counter[str] = Counter()
        starts: list[int] = []
        mark = np.array([END])

        def parts() -> Iterator[Array]:
            count = 0
            for document in documents:
                if separate:
                    starts.append(count)
                    count += 1
                    yield mark
                for block in self._blocks([document]):
                    ids = self._look_up(self._cut(block), unknown)
                    count += len(ids)
                    yield ids
            if separate:
                yield mark

        written = Corpus.written(parts(), self.size)
        return Corpus(written.ids, np.array(starts, np.int64), unknown)

    def ids(self, text: str) -> list[int]:
        """Turn one text into ids; symbols that are not known become id 1.

        Args:
            text: The text.

        Returns:
            The ids.

        Raises:
            InputError: If the encoder is not fitted.
        """
        self._check_fitted("ids")
        found: list[int] = self._look_up(self._cut(self._cleaned(text)), Counter()).tolist()
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """Turn ids back into text.

        Args:
            ids: Ids.

        Returns:
            The text. Levels "char" and "bpe" give it back to the letter, but for unknown
            characters, which become U+FFFD; "word" and "space" put spaces between words, "word"
            none in scripts that have none. "<eos>" is a line end at level "space" and nothing at
            the others.

        Raises:
            InputError: If the encoder is not fitted, or an id does not exist.
        """
        self._check_fitted("decode")
        given = [int(index) for index in ids]
        if wrong := [index for index in given if not 0 <= index < self.size]:
            rule = f"from 0 to {self.size - 1}"
            raise InputError(message(f"{_OWNER}.decode", "ids", rule, wrong[0]))
        if self.level == "space":
            words = [self.vocabulary[index] if index != END else "\n" for index in given]
            return re.sub(" ?\n ?", "\n", " ".join(words))
        kept = [index for index in given if index != END]
        if self.subwords is not None:
            return self.subwords.joined(self.vocabulary[i] for i in kept if i != UNKNOWN)
        if self.level == "word":
            words = [self.vocabulary[index] for index in kept]
            return join_words(words) if self.unspaced else " ".join(words)
        return "".join(self.vocabulary[i] if i != UNKNOWN else REPLACEMENT for i in kept)

    def symbols(self, text: str) -> list[str]:
        """Cut one text into symbols, one for each of `ids`, as they stand in it.

        Args:
            text: The text.

        Returns:
            The symbols, unknown ones as they are.
        """
        self._check_fitted("symbols")
        cleaned = self._cleaned(text)
        if self.subwords is not None:
            return self.subwords.readable(cleaned)
        pieces = self._cut(cleaned)
        return [pieces.words[code] for code in pieces.codes]

    def as_written(self, text: str) -> str:
        r"""Write a text as `decode` does, as far as single characters go.

        Args:
            text: The text.

        Returns:
            The text with line ends of one kind, and in lower case if that was learned.

        Example:
            >>> LanguageEncoder(lowercase=True).as_written("End.\r\n")
            'end.\n'
        """
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text.lower() if self.lowercase else text

    def writes(self, text: str) -> bool:
        """Say whether `decode` can have a text in what it writes.

        Args:
            text: The text, as it is written.

        Returns:
            False if it has characters that were not learned or, where words are written, white
            space that does not part them.
        """
        if self.level == "char":
            return not self.unknown(text)
        parts = {"word": " ", "space": " \n"}
        return self.level == "bpe" or not set(filter(str.isspace, text)) - set(parts[self.level])

    def unknown(self, text: str) -> Counter[str]:
        """Count the symbols of a text that are not in the vocabulary.

        Args:
            text: The text.

        Returns:
            How often each occurs.
        """
        self._check_fitted("unknown")
        found: Counter[str] = Counter()
        self._look_up(self._cut(self._cleaned(text)), found)
        return found

    def to_files(self) -> dict[str, object]:
        """Give what `from_files` needs, as JSON-able values by file name.

        Raises:
            InputError: If the encoder is not fitted.
        """
        self._check_fitted("to_files")
        told = {
            "version": text_files.VERSION,
            "level": self.level,
            "lowercase": self.lowercase,
            "clean": list(self.clean),
            "unspaced": self.unspaced,
            "min_frequency": self.min_frequency,
            "max_vocabulary": self.max_vocabulary,
        }
        files: dict[str, object] = {
            text_files.OPTIONS_FILE: told,
            text_files.VOCABULARY_FILE: list(self.vocabulary),
        }
        if self.subwords is not None:
            files[text_files.MERGES_FILE] = [list(pair) for pair in self.subwords.merges]
        return files

    @classmethod
    def from_files(cls, files: Mapping[str, object]) -> LanguageEncoder:
        """Build a fitted encoder from what `to_files` gave, trusting nothing in it.

        Args:
            files: Parsed JSON by file name; files of other names are left alone.

        Returns:
            The encoder.

        Raises:
            ArtifactError: If a file is missing, or holds what no encoder wrote; it names the file.
        """
        name, version = text_files.OPTIONS_FILE, text_files.VERSION
        told, absent = text_files.upgraded(files), {"unspaced": False}  # as older models had it
        encoder = cls(**read_fields(told, name, _FIELDS, version=version, absent=absent))
        options = encoder._options()
        words = text_files.read_vocabulary(files, options, SPECIAL)
        merges = text_files.read_merges(files, options, words)
        encoder._take(words)
        encoder.subwords = None if merges is None else Subwords(words, merges)
        return encoder

    def _options(self) -> TextOptions:
        """The options of a TextEncoder that say the same, which check themselves."""
        return TextOptions(
            level="word" if self.level == "space" else self.level,
            lowercase=self.lowercase,
            clean=self.clean,  # type: ignore[arg-type]  # any iterable comes out as a tuple
            unspaced=self.unspaced,
            min_frequency=self.min_frequency,
            max_vocabulary=self.max_vocabulary,
        )

    def _take(self, words: Sequence[str]) -> None:
        self.vocabulary = [*SPECIAL, *words]
        self._ids = {word: index for index, word in enumerate(words, len(SPECIAL))}
        if self.level == "space":
            self._ids |= {word: index for index, word in enumerate(SPECIAL)}

    def _check_fitted(self, method: str) -> None:
        if not self.vocabulary:
            rule, remedy = "fitted", "Call fit(documents) first"
            raise InputError(message(f"{_OWNER}.{method}", "vocabulary", rule, "none", remedy))

    def _blocks(self, documents: Iterable[Document]) -> Iterator[str]:
        for document in documents:
            blocks = document.blocks() if self.level == "char" else document.words()
            yield from map(self._cleaned, blocks)

    def _cleaned(self, text: str) -> str:
        if self.level == "word" or self.clean:
            text = text.replace("\r\n", "\n").replace("\r", "\n")  # of a prompt, as of documents
            return clean_text(text, tuple(self.clean), lowercase=self.lowercase)
        return self.as_written(text)

    def _cut(self, text: str) -> Pieces:
        if self.subwords is not None:
            return self.subwords.split([text])
        if self.level == "space":
            return split_spaces([text.replace("\n", f" {SPECIAL[END]} ")])
        if self.level == "char":
            return split_characters([text])
        return split_words([text], unspaced=self.unspaced)

    def _look_up(self, pieces: Pieces, unknown: Counter[str]) -> Array:
        """Ids of tokens, each distinct one looked up once; those not known are counted."""
        found = [self._ids.get(word, UNKNOWN) for word in pieces.words]
        if UNKNOWN in found:
            for (word, count), index in zip(pieces.counts(), found, strict=True):
                if index == UNKNOWN and word not in self._ids:
                    unknown[word] += count
        return np.array(found, np.int32)[pieces.codes]

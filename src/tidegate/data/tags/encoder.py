"""TagEncoder: sentences of words and their tags in, ids out, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, cast

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.codec import Field, damaged, read_fields, read_texts
from tidegate.data.tags.affixes import COUNT, affixes
from tidegate.data.tags.doubts import check_brackets, check_capitals, find_likeness
from tidegate.data.tags.encoded import EncodedSentences, Spelling
from tidegate.data.tags.notation import Notation, read_scheme
from tidegate.data.tags.prose import are_words
from tidegate.data.tags.schemes import (
    SCHEMES,
    Scheme,
    TagError,
    check,
    convert,
    parted,
    place,
    tags_of,
    transitions,
)
from tidegate.data.text.cleaning import clean_text
from tidegate.data.text.tokens import Pieces, split_characters
from tidegate.data.text.vocabulary import SPECIAL, Vocabulary, most_frequent
from tidegate.errors import InputError, message

OPTIONS_FILE = "encoder.json"
VOCABULARY_FILE = "vocabulary.json"
CHARACTERS_FILE = "characters.json"
AFFIXES_FILE = "affixes.json"
TAGS_FILE = "tags.json"
_FIELDS = {
    "scheme": Field(str, SCHEMES),
    "learned_scheme": Field(str, SCHEMES),
    "lowercase": Field(bool),
    "zero_digits": Field(bool),
    "min_frequency": Field(int, minimum=1),
    "max_vocabulary": Field(int, minimum=1),
    "max_characters": Field(int, minimum=1),
    "affixes": Field(bool),
}
# In which notation tags are; absent in models of older versions.
_NOTATION = {
    "letters": Field(str),
    "separator": Field(str),
    "last": Field(bool),
    "outside": Field(str),
}
_REPAIR = "Correct it; evaluate reads it as conlleval does with repair=True (--repair)"
FILES = (OPTIONS_FILE, VOCABULARY_FILE, CHARACTERS_FILE, AFFIXES_FILE, TAGS_FILE)

Sentences = Sequence[Sequence[str]]
Rows = Sequence[int] | None


class TagEncoder:
    """Turns sentences into ids of words and characters, and tags into ids and back.

    Args:
        scheme: How tags are written: "bio", "iob1", "iobes", or "none" for tags that are no spans,
            such as parts of speech; "auto" finds out. Answers are written in the same one.
        learned_scheme: How the tags of spans are learned: "iobes" or "bio".
        lowercase: Whether words are looked up in small letters; characters keep their capitals.
        zero_digits: Whether words are looked up with each digit written as 0.
        min_frequency: How often a word must occur to get an id.
        max_vocabulary: How many words get an id, the most frequent.
        max_characters: Characters read of a word; of a longer one the first and the last half.
        affixes: Whether to add the ids of a word's prefixes, suffixes and shape to its own, if two
            different words had them; ids follow a table of their own, in which 0 means none.

    Attributes:
        scheme: The scheme of the tags, known after `fit`.
        notation: The notation they are in, likewise; answers are in the same one.
        tags: The tags that are learned, index = id.
        doubts: What `fit` found strange and learned as it is, a sentence each.

    Example:
        >>> encoder = TagEncoder().fit([["Ann", "rows"]], [["B-PER", "O"]])
        >>> encoder.tags
        ['O', 'B-PER', 'I-PER', 'E-PER', 'S-PER']
        >>> encoder.tag_ids([["B-PER", "O"]]).tolist(), encoder.written([4, 0])
        ([4, 0], ['B-PER', 'O'])
    """

    files: ClassVar[tuple[str, ...]] = FILES

    def __init__(
        self,
        *,
        scheme: str = "auto",
        learned_scheme: str = "iobes",
        lowercase: bool = True,
        zero_digits: bool = True,
        min_frequency: int = 1,
        max_vocabulary: int = 100_000,
        max_characters: int = 32,
        affixes: bool = True,
    ) -> None:
        self.options: dict[str, Any] = {
            "learned_scheme": learned_scheme,
            "lowercase": lowercase,
            "zero_digits": zero_digits,
            "min_frequency": min_frequency,
            "max_vocabulary": max_vocabulary,
            "max_characters": max_characters,
            "affixes": affixes,
        }
        for name, value in {"scheme": scheme, **self.options}.items():
            if name != "scheme" or value != "auto":
                _FIELDS[name].check(value, "TagEncoder", name)
        self._given = scheme
        self.scheme: Scheme = "none"
        self.notation = Notation()
        self.tags: list[str] = []
        self.doubts: list[str] = []
        self._words, self._characters = Vocabulary([]), Vocabulary([])
        self._affixes: dict[str, int] = {}
        self._tag_ids: dict[str, int] = {}

    @property
    def vocabulary(self) -> list[str]:
        """The words, index = id: 0 "<pad>", 1 "<unk>", then the most frequent."""
        return self._words.listed

    @property
    def characters(self) -> list[str]:
        """The characters, index = id, likewise."""
        return self._characters.listed

    @property
    def affix_size(self) -> int:
        """Number of affix ids, 0 (none) included; 0 where they are not read."""
        return 1 + len(self._affixes) if self.options["affixes"] else 0

    @property
    def learned_scheme(self) -> Scheme:
        """How the tags in `tags` are written; "none" where they are no spans."""
        return "none" if self.scheme == "none" else cast(Scheme, self.options["learned_scheme"])

    @property
    def labels(self) -> list[str]:
        """What spans can be, sorted; the tags where they are no spans."""
        if self.scheme == "none":
            return self.tags
        return sorted({parted(tag)[1] for tag in self.tags} - {""})

    @property
    def allowed(self) -> Array:
        """Which tags may follow which, see `schemes.transitions`."""
        return transitions(self.tags, self.learned_scheme)

    def reading(self) -> str:
        """Say in a sentence how tags are read.

        Example:
            >>> TagEncoder().fit([["Ann", "rows"]], [["U-PER", "O"]]).reading()
            'Tags were read as iobes (B-, I-, E-, U-): spans of 1 kind.'
        """
        count = len(self.labels)
        kinds = f"{count:,} kind{'s' * (count != 1)}"
        if self.scheme == "none":
            return f"Tags were read as they are, each word by itself: {kinds}, no spans."
        prefixes = dict.fromkeys(parted(tag)[0] for tag in tags_of(["x"], self.scheme))
        written = [self.notation.write(f"{prefix}-x") for prefix in prefixes if prefix != "O"]
        spelled = ", ".join(tag.replace("x", "") if len(tag) > 1 else tag for tag in written)
        return f"Tags were read as {self.scheme} ({spelled}): spans of {kinds}."

    def fit(self, sentences: Sentences, tags: Sentences, rows: Rows = None) -> TagEncoder:
        """Learn words, characters and tags from training sentences.

        Args:
            sentences: The words of each.
            tags: The tag of each word.
            rows: What errors call the sentences, numbers from 0; None for 0, 1 and so on.

        Returns:
            This encoder.

        Raises:
            InputError: If tags are not written in the scheme, or there are no two different ones.
        """
        distinct = self._read_tags(tags, rows)
        self._set_tags(tags_of(distinct, self.learned_scheme))
        if len(self.tags) < 2:
            got = f"only {self.tags[0]!r}" if self.tags else "none"
            remedy = "Check which column holds the tags"
            raise InputError(message("Tagger", "y", "at least two different tags", got, remedy))
        forms = Counter(word for sentence in sentences for word in sentence)
        if are_words(distinct, forms.total()):
            got = f"{len(distinct):,} different ones for {forms.total():,} words"
            remedy = "Check which column holds the tags; a text without tags teaches nothing"
            raise InputError(message("Tagger", "y", "tags that come again and again", got, remedy))
        words: Counter[str] = Counter()
        characters: Counter[str] = Counter()
        for form, count in forms.items():
            words[self._normalised(form)] += count
            characters.update(dict.fromkeys(form, count))
        options = self.options
        self._words = Vocabulary(
            most_frequent(words, options["max_vocabulary"], options["min_frequency"])
        )
        self._characters = Vocabulary(most_frequent(characters, len(characters), 1))
        if options["affixes"]:
            counts = Counter(affix for form in forms for affix in affixes(form))
            self._set_affixes(most_frequent(counts, len(counts), 2))
        return self

    def _read_tags(self, tags: Sentences, rows: Rows) -> list[str]:
        """Find out how tags are written, and list the labels of spans, or the tags themselves."""
        self.scheme, self.notation = read_scheme(tags, self._given)
        spans, plain = self.scheme != "none", self._plain(tags)
        check(plain, self.scheme, "Tagger", rows, self.notation.write)
        unread = self._given == "auto" and not spans
        if unread:
            check_brackets(tags, "Tagger", rows)
        self.doubts = [
            *check_capitals(plain, "Tagger", rows, spans=spans),
            *(find_likeness(tags) if unread else []),
        ]
        distinct = {tag for row in plain for tag in row}
        return sorted({parted(tag)[1] for tag in distinct} - {""} if spans else distinct)

    def _plain(self, tags: Sentences) -> Sentences:
        """Tags in the one notation in which schemes are written here."""
        if self.scheme == "none":
            return tags
        return [[self.notation.read(tag) for tag in row] for row in tags]

    def encode(
        self, sentences: Sentences, tags: Sentences | None = None, rows: Rows = None
    ) -> EncodedSentences:
        """Turn sentences into ids.

        Args:
            sentences: The words of each.
            tags: The tag of each word, or None.
            rows: As in `fit`.

        Returns:
            The ids of everything.

        Raises:
            TagError: If a tag is wrong where it stands, or was never seen in training.
        """
        numbers: dict[str, int] = {}
        forms = [numbers.setdefault(word, len(numbers)) for row in sentences for word in row]
        lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
        return EncodedSentences(
            np.array(forms, np.int64),
            np.concatenate(([0], lengths.cumsum())).astype(np.int64),
            self._spelling(list(numbers)),
            None if tags is None else self.tag_ids(tags, rows),
        )

    def unknown(self, words: Iterable[str]) -> Counter[str]:
        """Count the words that are not in the vocabulary.

        Args:
            words: The words.

        Returns:
            How often each unknown one occurs.
        """
        known = set(self.vocabulary)
        counts = Counter(words)
        return Counter(
            {w: count for w, count in counts.items() if self._normalised(w) not in known}
        )

    def tag_ids(self, tags: Sentences, rows: Rows = None) -> Array:
        """Turn the tags of sentences, as the files write them, into ids.

        Args:
            tags: The tag of each word of each sentence.
            rows: As in `fit`.

        Returns:
            The ids of all, one sentence after the other, int64.

        Raises:
            TagError: If a tag is wrong where it stands, or was never seen in training.
        """
        tags = self._plain(tags)
        check(tags, self.scheme, "Tagger", rows, self.notation.write, _REPAIR)
        found: list[int] = []
        for number, row in zip(rows or range(len(tags)), tags, strict=True):
            learned = convert(row, self.learned_scheme)
            found += [self._tag_ids.get(tag, -1) for tag in learned]
            if -1 in found[-len(row) :] and row:
                word = found[-len(row) :].index(-1)
                raise self._unseen(row[word], word, number)
        return np.array(found, np.int64)

    def written(self, ids: Sequence[int]) -> list[str]:
        """Turn the ids of a sentence's tags into tags as the files write them."""
        tags = [self.tags[index] for index in ids]
        if self.scheme != self.learned_scheme:
            tags = convert(tags, self.scheme)
        return tags if self.scheme == "none" else [self.notation.write(tag) for tag in tags]

    def to_files(self) -> dict[str, object]:
        """Give what `from_files` needs, as JSON-able values by file name."""
        return {
            OPTIONS_FILE: {"scheme": self.scheme, **asdict(self.notation), **self.options},
            VOCABULARY_FILE: self.vocabulary,
            CHARACTERS_FILE: self.characters,
            AFFIXES_FILE: list(self._affixes),
            TAGS_FILE: self.tags,
        }

    @classmethod
    def from_files(cls, files: Mapping[str, object]) -> TagEncoder:
        """Build a fitted encoder from what `to_files` gave, trusting nothing in it.

        Args:
            files: Parsed JSON by file name.

        Returns:
            The encoder.

        Raises:
            ArtifactError: If a file is missing, or holds what no encoder wrote; it names the file.
        """
        told = read_fields(files, OPTIONS_FILE, _FIELDS | _NOTATION, absent=asdict(Notation()))
        notation = Notation(**{name: told.pop(name) for name in _NOTATION})
        if not len(notation.letters) == len(set(notation.letters)) == len(Notation().letters):
            raise damaged(OPTIONS_FILE, "letters", "four different letters", notation.letters)
        encoder = cls(**told)
        encoder.notation = notation
        encoder.scheme = cast(Scheme, encoder._given)
        encoder._words = Vocabulary(read_texts(files, VOCABULARY_FILE, special=SPECIAL))
        encoder._characters = Vocabulary(read_texts(files, CHARACTERS_FILE, special=SPECIAL))
        encoder._set_affixes(read_texts(files, AFFIXES_FILE))
        encoder._set_tags(read_texts(files, TAGS_FILE))
        return encoder

    def _set_tags(self, tags: list[str]) -> None:
        self.tags, self._tag_ids = tags, {tag: index for index, tag in enumerate(tags)}

    def _set_affixes(self, listed: list[str]) -> None:
        self._affixes = {affix: number for number, affix in enumerate(listed, 1)}

    def _normalised(self, word: str) -> str:
        cleaners = ["digits"] if self.options["zero_digits"] else []
        return clean_text(word, cleaners, lowercase=self.options["lowercase"])

    def _spelling(self, forms: list[str]) -> Spelling:
        words = [self._normalised(form) for form in forms]
        most = self.options["max_characters"]
        shortened = [
            form if len(form) <= most else form[: most - most // 2] + form[-(most // 2) :]
            for form in forms
        ]
        pieces = split_characters(shortened)
        return Spelling(
            self._word_ids(forms, words),
            self._characters.ids(pieces).astype(np.int64),
            pieces.offsets,
        )

    def _word_ids(self, forms: list[str], words: list[str]) -> Array:
        """The ids of different words, `[W]`; with those of their affixes `[W, 10]`."""
        each = np.arange(len(words))
        ids = self._words.ids(Pieces(each, words, np.ones_like(each))).astype(np.int64)
        if not self.options["affixes"]:
            return ids
        known = [[self._affixes.get(affix, 0) for affix in affixes(form)] for form in forms]
        return np.column_stack([ids, np.array(known, np.int64).reshape(-1, COUNT)])

    def _unseen(self, tag: str, word: int, number: int) -> TagError:
        rule = f"made of the tags seen in training, {', '.join(self.labels)}"
        got = f"{tag!r} {place(number, word)}"
        remedy = "Drop those sentences or correct them; for new tags, fit a new model"
        return TagError(message("Tagger", "y", rule, got, remedy), number, word)

"""TextEncoder: texts in, ids out, and back."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from tidegate.data.text import files as text_files
from tidegate.data.text.encoded import PADDING, EncodedTexts, Keep, join, shorten
from tidegate.data.text.ngrams import Order, add_ngrams, fit_ngrams
from tidegate.data.text.options import Level, TextOptions
from tidegate.data.text.segmenter import Segmenter
from tidegate.data.text.subwords import Subwords
from tidegate.data.text.tokens import Pieces
from tidegate.data.text.vocabulary import Vocabulary, most_frequent
from tidegate.errors import InputError, message


class TextEncoder:
    """Turns texts into ids of words, characters or sub-words, and ids into texts.

    Args:
        level: "word": words with their inner apostrophes ("don't" is one), each punctuation mark
            by itself, and see `unspaced`. "char": characters. "bpe": sub-words learned from the
            texts.
        tokenizer: Instead of a level, a function from a cleaned text to a list of tokens. A model
            can be saved only when the function can be imported by its name.
        lowercase: Whether to lower-case.
        clean: What to clean, by name: "html" (tags, comments and scripts dropped, entities
            resolved), "angles" (whatever stands between < and > dropped), "urls" (each written as
            the word url), "digits" (each written as 0).
        unspaced: Whether at level "word" each letter of a script that writes no spaces between
            words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) is a token, for no one knows
            where its words end; else a whole clause would be one.
        stop_words: Words to leave out; none by default, for "not" is one in most lists.
        min_frequency: How often a token must occur in the texts of `fit` to get an id.
        max_vocabulary: How many tokens get an id: the most frequent, the alphabetically first
            of equally frequent ones. The two special tokens are not counted.
        max_length: Tokens kept of each text.
        keep: Which ones when there are more: "head", "tail", or "both" (half and half).
        ngrams: The largest n; 2 or more adds to each position the ids of the 2- to n-grams that
            end there. Ids follow a table of their own, in which 0 means none.
        max_ngrams: How many n-grams get an id: the most frequent of known tokens, of all lengths
            together, and at least two occurrences (or `min_frequency`) each.

    Raises:
        InputError: If an option is not what it should be.

    Example:
        >>> encoder = TextEncoder().fit(["I don't like it.", "I like it!"])
        >>> encoded = encoder.encode(["I don't like <b>him</b>"])
        >>> encoder.decode(encoded.ids)
        "i don't like <unk>"
    """

    files: ClassVar[tuple[str, ...]] = text_files.FILES

    def __init__(
        self,
        *,
        level: Level = "word",
        tokenizer: Callable[[str], Any] | None = None,
        lowercase: bool = True,
        clean: Iterable[str] = ("html", "urls"),
        unspaced: bool = True,
        stop_words: Iterable[str] = (),
        min_frequency: int = 1,
        max_vocabulary: int = 30_000,
        max_length: int = 400,
        keep: Keep = "head",
        ngrams: int = 1,
        max_ngrams: int = 100_000,
    ) -> None:
        self.options = TextOptions(
            level=level,
            tokenizer=tokenizer,
            lowercase=lowercase,
            clean=clean,  # type: ignore[arg-type]  # any iterable comes out as a tuple
            unspaced=unspaced,
            stop_words=stop_words,  # type: ignore[arg-type]
            min_frequency=min_frequency,
            max_vocabulary=max_vocabulary,
            max_length=max_length,
            keep=keep,
            ngrams=ngrams,
            max_ngrams=max_ngrams,
        )
        self.orders: list[Order] = []
        self._words: Vocabulary | None = None
        self._segmenter = Segmenter(self.options)

    @property
    def vocabulary(self) -> list[str]:
        """The tokens, index = id: 0 "<pad>", 1 "<unk>", then the most frequent; [] before `fit`."""
        return [] if self._words is None else self._words.listed

    @property
    def size(self) -> int:
        """Number of ids, the two special ones included; 0 before `fit`."""
        return 0 if self._words is None else len(self._words)

    @property
    def ngram_size(self) -> int:
        """Number of n-gram ids, 0 (none) included; 0 when `ngrams` is 1."""
        return 1 + sum(map(len, self.orders)) if self.options.ngrams > 1 else 0

    def fit(
        self, texts: Iterable[str], *, known: Subwords | Sequence[str] | None = None
    ) -> TextEncoder:
        """Learn the vocabulary, and the n-grams, from training texts.

        Args:
            texts: Strings; any iterable, read once.
            known: The tokens, or sub-words, of another encoder of the same level to take over
                instead of learning them; n-grams are learned in any case.

        Returns:
            This encoder.

        Raises:
            InputError: If there is no text, no token in any of them, something that is not a
                string, or if the words are single letters, as after joining a text that was
                already joined.
        """
        segmenter = Segmenter(self.options)
        chunks = segmenter.clean(texts, "TextEncoder.fit")
        first = next(chunks, None)
        if first is None:
            raise InputError(message("TextEncoder.fit", "texts", "at least one text", "none"))
        segmenter.refuse_letters(first)
        chunks = itertools.chain([first], chunks)
        if known is None and self.options.level == "bpe":
            cleaned = list(chunks)
            known = Subwords.trained(
                cleaned, self.options.max_vocabulary, self.options.min_frequency
            )
            chunks = iter(cleaned)
        held: Iterable[Pieces]
        if known is None:
            words, held = self._count(map(segmenter.cut, chunks))
        else:
            segmenter.subwords = known if isinstance(known, Subwords) else None
            words = Vocabulary(known.words if isinstance(known, Subwords) else known)
            held = map(segmenter.cut, chunks)
        orders = self._count_ngrams(words, held)
        self._segmenter, self._words, self.orders = segmenter, words, orders
        return self

    def encode(self, texts: Iterable[str], *, max_length: int | None = None) -> EncodedTexts:
        """Turn texts into ids.

        Args:
            texts: Strings; any iterable, read once.
            max_length: Tokens kept of each text, instead of the number the encoder was made with.

        Returns:
            The ids of all texts, with counts of cut texts and of unknown tokens.

        Raises:
            InputError: If the encoder is not fitted, or an element is not a string.
        """
        words = self._fitted("encode")
        chunks = self._segmenter.clean(texts, "TextEncoder.encode")
        most = max_length or self.options.max_length
        parts = [self._encode(words, self._segmenter.cut(chunk), most) for chunk in chunks]
        return join(parts, self.options.ngrams)

    def decode(self, ids: ArrayLike) -> str:
        """Turn the ids of one text back into it, up to the normalisation and unknown tokens.

        Args:
            ids: `[T]` or `[T, N]` integers; padding is skipped.

        Returns:
            The text: words joined by spaces, characters and sub-words as they were.

        Raises:
            InputError: If the encoder is not fitted, or an id does not exist.
        """
        words = self._fitted("decode")
        array = np.asarray(ids)
        array = array[:, 0] if array.ndim == 2 else array
        if array.size and (array.ndim != 1 or array.dtype.kind not in "iu"):
            got = f"{array.dtype} with {array.ndim} axes"
            raise InputError(message("TextEncoder.decode", "ids", "[T] or [T, N] integers", got))
        if array.size and not 0 <= int(array.min()) <= int(array.max()) < self.size:
            got = f"{array.min()} to {array.max()}"
            raise InputError(message("TextEncoder.decode", "ids", f"0 to {self.size - 1}", got))
        return self._segmenter.join([words.listed[index] for index in array if index != PADDING])

    def tokens(self, text: str) -> list[str]:
        """Cut one text into the tokens that `encode` gives ids to, unknown ones as they are.

        Args:
            text: The text.

        Returns:
            One string per id, in order, after cleaning and shortening.

        Raises:
            InputError: If the encoder is not fitted, or `text` is not a string.
        """
        self._fitted("tokens")
        ((cleaned,),) = self._segmenter.clean([text], "TextEncoder.tokens")
        found = self._segmenter.read(cleaned)
        lengths = np.array([len(found)])
        steps, _ = shorten(lengths, self.options.max_length, self.options.keep)
        return [found[step] for step in steps]

    def unknown(self, texts: Iterable[str]) -> Counter[str]:
        """Count the tokens of whole texts that are not in the vocabulary.

        Args:
            texts: Strings; any iterable, read once.

        Returns:
            How often each unknown token occurs.

        Raises:
            InputError: If the encoder is not fitted, or an element is not a string.
        """
        words = self._fitted("unknown")
        counts: Counter[str] = Counter()
        for chunk in self._segmenter.clean(texts, "TextEncoder.unknown"):
            for word, occurrence in self._segmenter.cut(chunk).counts():
                if word not in words:
                    counts[word] += occurrence
        return counts

    def to_files(self) -> dict[str, object]:
        """Give what `from_files` needs, as JSON-able values by file name.

        Returns:
            "encoder.json", "vocabulary.json", and with n-grams or sub-words "ngrams.json" or
            "merges.json".

        Raises:
            InputError: If the encoder is not fitted, or its tokenizer has no import name.
        """
        words, subwords = self._fitted("to_files"), self._segmenter.subwords
        merges = None if subwords is None else subwords.merges
        return text_files.to_files(self.options, words.listed, merges, self.orders)

    @classmethod
    def from_files(cls, files: Mapping[str, object]) -> TextEncoder:
        """Build a fitted encoder from what `to_files` gave.

        Args:
            files: Parsed JSON by file name; files of other names are left alone. A tokenizer that
                they name must be safe, or listed by `tidegate.data.text.functions.trusting`.

        Returns:
            The encoder.

        Raises:
            ArtifactError: If a file is missing, or holds what no encoder wrote; it names the file.
        """
        encoder = cls(**text_files.read_options(files))
        words = text_files.read_vocabulary(files, encoder.options)
        merges = text_files.read_merges(files, encoder.options, words)
        encoder._words = Vocabulary(words)
        encoder._segmenter.subwords = None if merges is None else Subwords(words, merges)
        encoder.orders = text_files.read_orders(files, encoder.options, encoder.size)
        return encoder

    def _fitted(self, method: str) -> Vocabulary:
        if self._words is None:
            owner = f"TextEncoder.{method}"
            raise InputError(
                message(owner, "vocabulary", "fitted", "none", "Call fit(texts) first")
            )
        return self._words

    def _count(self, chunks: Iterable[Pieces]) -> tuple[Vocabulary, list[Pieces]]:
        """Rank the tokens; keep the chunks only when n-grams have to be counted in them."""
        counts: Counter[str] = Counter()
        held: list[Pieces] = []
        for pieces in chunks:
            for word, occurrence in pieces.counts():
                counts[word] += occurrence
            if self.options.ngrams > 1:
                held.append(pieces)
        words = most_frequent(counts, self.options.max_vocabulary, self.options.min_frequency)
        if not words:
            rule = f"texts with a token seen >= {self.options.min_frequency} times"
            got = f"{len(counts)} tokens, all rarer"
            raise InputError(message("TextEncoder.fit", "texts", rule, got))
        return Vocabulary(words), held

    def _count_ngrams(self, words: Vocabulary, chunks: Iterable[Pieces]) -> list[Order]:
        if self.options.ngrams == 1:
            return []
        ids, lengths = [], []
        for pieces in chunks:
            ids.append(words.ids(pieces))
            lengths.append(pieces.lengths)
        return fit_ngrams(
            np.concatenate(ids),
            np.concatenate(([0], *lengths)).cumsum(),
            words=len(words),
            longest=self.options.ngrams,
            maximum=self.options.max_ngrams,
            minimum=max(2, self.options.min_frequency),
        )

    def _encode(self, words: Vocabulary, pieces: Pieces, max_length: int) -> EncodedTexts:
        ids, offsets = words.ids(pieces), pieces.offsets
        shortened = pieces.lengths > max_length
        if self.options.ngrams > 1:
            ids = add_ngrams(ids, offsets, self.orders)
        if not shortened.any():
            return EncodedTexts(ids, offsets, shortened)
        steps, offsets = shorten(pieces.lengths, max_length, self.options.keep)
        return EncodedTexts(ids[steps], offsets, shortened)

"""Segmenter: from raw texts to tokens, as the options of an encoder say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tidegate.data.text.cleaning import clean_text, text_chunks
from tidegate.data.text.options import TextOptions
from tidegate.data.text.subwords import Subwords
from tidegate.data.text.tokens import (
    Pieces,
    join_words,
    single_letter_share,
    split_by,
    split_characters,
    split_words,
)
from tidegate.errors import InputError, message

SAMPLE = 1000  # texts that are looked at for words taken apart


class Segmenter:
    """Cleans texts and cuts them into tokens.

    Args:
        options: What the encoder was told.
        subwords: The sub-words to cut into; with level "bpe" they are learned by the encoder.

    Raises:
        InputError: If a stop word is not one token.

    Example:
        >>> segmenter = Segmenter(TextOptions(stop_words=("the",)))
        >>> (texts,) = segmenter.clean(["The end."], "Encoder")
        >>> segmenter.cut(texts).words
        ['end', '.']
    """

    def __init__(self, options: TextOptions, subwords: Subwords | None = None) -> None:
        self.options = options
        self.subwords = subwords
        self._stop: frozenset[str] = frozenset()
        self._stop = frozenset(map(self._one_token, options.stop_words))

    def clean(self, texts: Iterable[str], owner: str) -> Iterator[list[str]]:
        """Check and clean texts.

        Args:
            texts: Strings; any iterable, read once.
            owner: Who complains about a bad one.

        Yields:
            Cleaned texts, lists of bounded size.

        Raises:
            InputError: If an element is not valid text.
        """
        for chunk in text_chunks(texts, owner):
            yield [
                clean_text(text, self.options.clean, lowercase=self.options.lowercase)
                for text in chunk
            ]

    def cut(self, texts: list[str]) -> Pieces:
        """Cut cleaned texts into tokens, stop words left out.

        Args:
            texts: What `clean` yields.

        Returns:
            The tokens.

        Raises:
            InputError: If the tokenizer function returns no list of strings.
        """
        if self.options.tokenizer is not None:
            return split_by(self.options.tokenizer, texts).without(self._stop)
        if self.options.level == "char":
            return split_characters(texts)
        if self.subwords is not None:
            return self.subwords.split(texts)
        return split_words(texts, unspaced=self.options.unspaced).without(self._stop)

    def read(self, text: str) -> list[str]:
        """Cut a cleaned text into tokens that a person can read.

        Args:
            text: One of what `clean` yields.

        Returns:
            One string per token, in order.
        """
        if self.subwords is not None:
            return self.subwords.readable(text)
        pieces = self.cut([text])
        return [pieces.words[code] for code in pieces.codes]

    def join(self, words: list[str]) -> str:
        """Put the tokens of a text together again.

        Args:
            words: Tokens as the vocabulary writes them.

        Returns:
            The text, up to the normalisation.
        """
        if self.subwords is not None:
            return self.subwords.joined(words)
        if self.options.level == "char":
            return "".join(words)
        return " ".join(words) if self.options.tokenizer is not None else join_words(words)

    def refuse_letters(self, texts: list[str]) -> None:
        """Refuse texts that were taken apart into letters, which trains without any error.

        Args:
            texts: Cleaned texts, a sample.

        Raises:
            InputError: If more than half of the words are single letters between spaces. Small
                samples and small alphabets (such as the four letters of DNA) are never refused.
        """
        if self.options.level != "word" or self.options.tokenizer is not None:
            return
        share, words, letters = single_letter_share(texts[:SAMPLE])
        if share > 0.5 and words >= 200 and letters >= 10:
            got = f"{share:.0%} single letters between spaces"
            remedy = (
                "The texts look joined letter by letter, as by ' '.join(text) on a string: mend "
                "the cleaning step, or pass tokenizer=str.split if the letters are the words"
            )
            raise InputError(message("TextEncoder.fit", "texts", "made of words", got, remedy))

    def _one_token(self, word: str) -> str:
        """Write a stop word as the texts will write it."""
        (cleaned,) = self.clean([word], "TextEncoder")
        found = self.cut(cleaned).words
        if len(found) != 1:
            rule, got = "words of one token each", f"{word!r}, which is {found}"
            remedy = "Pass the parts that are to be left out"
            raise InputError(message("TextEncoder", "stop_words", rule, got, remedy))
        return found[0]

"""Sub-words by byte-pair encoding, trained and run by the `tokenizers` library."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tidegate.data.text.tokens import Pieces

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def byte_alphabet() -> list[str]:
    """The 256 printable characters that stand for the bytes."""
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())


class Subwords:
    """A byte-level vocabulary: any text can be cut by it, and is given back to the letter.

    Sennrich et al. 2016, on bytes as in Radford et al. 2019.

    Args:
        words: The sub-words, spelled in printable characters that stand for bytes.
        merges: Pairs of sub-words that are joined, the first pairs first.

    Example:
        >>> subwords = Subwords.trained([["abab"]], 257, 1)
        >>> len(subwords.words), subwords.merges
        (257, [('a', 'b')])
    """

    def __init__(self, words: Sequence[str], merges: Iterable[tuple[str, str]]) -> None:
        self.words = list(words)
        self.merges = list(merges)

    @classmethod
    def trained(cls, chunks: Iterable[list[str]], size: int, min_frequency: int) -> Subwords:
        """Learn sub-words from texts, the same ones from the same texts always.

        Args:
            chunks: Lists of texts.
            size: How many sub-words at most, at least 256.
            min_frequency: How often a pair must occur to be joined.

        Returns:
            The sub-words.
        """
        from tokenizers import trainers

        tokenizer = cls([], []).tokenizer
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=min_frequency,
            show_progress=False,
            initial_alphabet=byte_alphabet(),
        )
        tokenizer.train_from_iterator(chunks, trainer)
        model = json.loads(tokenizer.to_str())["model"]
        words = sorted(model["vocab"], key=model["vocab"].__getitem__)
        return cls(words, [(left, right) for left, right in model["merges"]])

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer of the `tokenizers` library; it knows no special tokens."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers

        vocabulary = {word: index for index, word in enumerate(self.words)}
        tokenizer = Tokenizer(models.BPE(vocabulary, self.merges))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        return tokenizer

    def split(self, texts: list[str]) -> Pieces:
        """Cut texts into sub-words.

        Args:
            texts: Texts.

        Returns:
            The tokens.
        """
        encodings = self.tokenizer.encode_batch_fast(texts)
        lists = [np.array(encoding.ids, np.int32) for encoding in encodings]
        ids = np.concatenate([np.zeros(0, np.int32), *lists])
        used, codes = np.unique(ids, return_inverse=True)
        lengths = np.array([len(found) for found in lists], np.int64)
        return Pieces(codes, [self.words[index] for index in used], lengths)

    def readable(self, text: str) -> list[str]:
        """Cut one text into sub-words as they stand in it.

        Args:
            text: The text.

        Returns:
            One string per token; the tokens of a character cut into bytes each repeat it.
        """
        return [text[start:end] for start, end in self.tokenizer.encode(text).offsets]

    def joined(self, words: Iterable[str]) -> str:
        """Spell out sub-words; bytes that are no whole character become U+FFFD.

        Args:
            words: Sub-words, as `words` writes them.

        Returns:
            The text.
        """
        decoded: str = self.tokenizer.decoder.decode(list(words))
        return decoded

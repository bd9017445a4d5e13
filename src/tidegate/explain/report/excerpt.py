"""Excerpt: what of an input a model read, and how."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidegate.data.text.encoded import UNKNOWN

if TYPE_CHECKING:
    from tidegate.data.text.encoder import TextEncoder


@dataclass(frozen=True)
class Excerpt:
    """How a model read its input.

    Attributes:
        unit: What a step is called: "step" where it is no token of a text.
        whole: What all of them together are called.
        separator: What stands between two tokens of the text.
        unknown: The steps whose token is not in the vocabulary.
        skipped: How many tokens it left out because the text is too long.
        skipped_after: How many tokens it read before those.
        notes: What the reader should know, a sentence each.
    """

    unit: str = "token"
    whole: str = "text"
    separator: str = " "
    unknown: tuple[int, ...] = ()
    skipped: int = 0
    skipped_after: int = 0
    notes: tuple[str, ...] = ()


def excerpt(encoder: TextEncoder, text: str) -> Excerpt:
    """Say what of a text an encoder gives to the network.

    Args:
        encoder: A fitted encoder.
        text: The text.

    Returns:
        The excerpt.

    Example:
        >>> from tidegate.data import TextEncoder
        >>> excerpt(TextEncoder(max_length=2).fit(["a b"]), "a b c d").notes
        ('The model read 2 of the 4 tokens, the first 2: max_length is 2, keep is head.',)
    """
    options = encoder.options
    words = encoder.encode([text]).words
    read, whole = len(words), int(encoder.encode([text], max_length=sys.maxsize).lengths[0])
    head = {"head": read, "tail": 0, "both": (read + 1) // 2}[options.keep]
    notes = []
    if whole > read:
        ends = {"first": head, "last": read - head}
        kept = " and the ".join(f"{end} {count:,}" for end, count in ends.items() if count)
        notes.append(
            f"The model read {read:,} of the {whole:,} tokens, the {kept}: max_length is "
            f"{options.max_length}, keep is {options.keep}."
        )
    unknown = tuple((words == UNKNOWN).nonzero()[0].tolist())
    if unknown:
        notes.append(f"{len(unknown):,} of the {read:,} tokens are not in its vocabulary.")
    spaced = options.level == "word" or options.tokenizer is not None
    separator = " " if spaced else ""
    return Excerpt(
        separator=separator,
        unknown=unknown,
        skipped=whole - read,
        skipped_after=head,
        notes=tuple(notes),
    )

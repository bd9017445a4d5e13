"""Examples: rows as they were given, checked, and what is said about them."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tidegate.data.batching import Array
from tidegate.data.text.tokens import lone_letters
from tidegate.files import names_file
from tidegate.tasks.core.raw import Raw

__all__ = [
    "Array",
    "DataWarning",
    "Examples",
    "names_are_texts",
    "tell_lone_letters",
    "warn_of_names",
]


class DataWarning(UserWarning):
    """Something in the data was handled, not refused: cut texts, unknown words, empty rows.

    Args:
        what: The sentence; after "3 of 50 " where rows are counted.
        count: Of how many rows it is true.
        total: How many rows there were; 0 when it is not about rows.
    """

    def __init__(self, what: str, count: int = 0, total: int = 0) -> None:
        super().__init__(f"{count:,} of {total:,} {what}" if total else what)
        self.what, self.count, self.total = what, count, total


class _NameWarning(DataWarning):
    """What was given as texts are names of files, whose content was not read."""


def warn_of_names(texts: Sequence[Raw]) -> None:
    """Warn where nothing but names of files was given as texts; one among others may be a text.

    Args:
        texts: What was given, one a row; what is no text is no name.
    """
    if texts and all(isinstance(text, str) and names_file(text) for text in texts):
        what = "texts look like names of files and are read as texts: read the files first."
        warnings.warn(_NameWarning(what, len(texts), len(texts)), stacklevel=5)


def tell_lone_letters(vocabulary: Sequence[str]) -> None:
    """Say which letters are words, where a script writes no spaces between words.

    Args:
        vocabulary: The words that were learned.
    """
    if letters := lone_letters(vocabulary):
        some = ", ".join(letters[:3])
        what = (
            f"each letter of a script without spaces between words ({some}, ...) is read as a word "
            f"of its own: {len(letters):,} of the {len(vocabulary):,} words learned."
        )
        warnings.warn(DataWarning(what), stacklevel=5)


@contextlib.contextmanager
def names_are_texts() -> Iterator[None]:
    """Let a block read names as texts without a word: commands have a rule of their own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", _NameWarning)
        yield


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to answer, checked.

    Attributes:
        inputs: One item a row, of whatever type the task reads.
        targets: One target a row, or None.
        weights: How much each row counts, float64, or None for 1.
    """

    inputs: Sequence[Raw]
    targets: Array | None = None
    weights: Array | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.inputs)

    def take(self, rows: Array) -> Examples:
        """Return the rows of these indices, in their order."""
        return Examples(
            [self.inputs[row] for row in rows],
            None if self.targets is None else self.targets[rows],
            None if self.weights is None else self.weights[rows],
        )

    def normalised(self) -> Examples:
        """Return the rows with a mean weight of 1: weights say ratios, not how fast to learn."""
        if self.weights is None:
            return self
        return Examples(self.inputs, self.targets, self.weights / self.weights.mean())

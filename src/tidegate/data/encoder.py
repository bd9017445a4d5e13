"""The contracts of encoders and of what they make: raw data in, batches out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar, runtime_checkable

from tidegate.batch import Batch
from tidegate.data.batching import Array

Raw_contra = TypeVar("Raw_contra", contravariant=True)
Made_co = TypeVar("Made_co", covariant=True)
E = TypeVar("E", bound="Encoder[object, object]")


@runtime_checkable
class Encoded(Protocol):
    """Rows as numbers, without padding, from which batches are made."""

    def __len__(self) -> int:
        """Number of rows."""

    @property
    def lengths(self) -> Array:
        """Steps of each row, `[rows]` int64."""

    def batch(self, indices: Array, /) -> Batch:
        """Pad the rows at these positions, `[B]`, to the longest of them."""

    def fingerprint(self) -> str:
        """Return a text that differs when the rows do."""


@runtime_checkable
class Encoder(Protocol[Raw_contra, Made_co]):
    """Learns from raw training data how to turn such data into numbers.

    What it learned are JSON-able values by file name, which a saved model keeps; `from_files`
    trusts nothing in them. One that can be turned round has a method `decode` too.
    """

    def fit(self: E, raw: Raw_contra, /) -> E:
        """Learn from training data; return the fitted encoder."""

    def encode(self, raw: Raw_contra, /) -> Made_co:
        """Turn raw data into numbers: `Encoded` rows, or targets `[rows]`."""

    def to_files(self) -> dict[str, object]:
        """Return what `from_files` needs, as JSON-able values by file name."""

    @classmethod
    def from_files(cls: type[E], files: Mapping[str, object], /) -> E:
        """Take back what `to_files` gave; whatever is wrong in it raises, naming the file."""

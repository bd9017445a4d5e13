"""Corpus: the ids of a text of any size, in a file that is mapped into memory."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.fingerprint import fingerprint


@dataclass(frozen=True, eq=False)
class Corpus:
    """Ids of one long sequence.

    Attributes:
        ids: Token ids `[tokens]`, uint16 or int32.
        starts: The positions at which a document begins anew, ascending, `[documents]` int64;
            empty for one text that goes on throughout.
        unknown: How often each symbol occurs that is not in the vocabulary.

    Example:
        >>> len(Corpus.written([np.array([4, 2]), np.array([9])], 10))
        3
    """

    ids: Array
    starts: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    unknown: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.ids)

    @classmethod
    def written(
        cls,
        parts: Iterable[Array],
        size: int,
        starts: Iterable[int] = (),
        unknown: Counter[str] | None = None,
    ) -> Corpus:
        """Write ids to a temporary file as they come, and map it.

        Args:
            parts: Ids, piece by piece.
            size: Number of ids that there are, which decides the width of a number.
            starts: As the attribute; read after `parts`.
            unknown: As the attribute.

        Returns:
            The corpus. Its file has no name, and is gone with the last array over it.
        """
        dtype = np.dtype(np.uint16 if size <= 2**16 else np.int32)
        count = 0
        with tempfile.TemporaryFile(prefix="tidegate-") as handle:
            for part in parts:
                handle.write(np.ascontiguousarray(part, dtype).data)
                count += len(part)
            handle.flush()
            ids: Array = np.memmap(handle, dtype, "r") if count else np.zeros(0, dtype)
        return cls(ids, np.array(list(starts), np.int64), Counter(unknown or {}))

    def fingerprint(self) -> str:
        """Return a text that differs when the ids or the starts do."""
        return fingerprint(self.starts, self.ids)

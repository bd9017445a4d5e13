"""SentenceRows: sentences as batches, none of them larger than memory should hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.tasks.core.rows import Array, Rows

# Words of a padded batch, at most, unless one sentence alone has more.
_WORDS = 16_384


class SentenceRows(Rows):
    """Rows whose batches are cut where a long sentence would blow them up."""

    def epoch(self, epoch: int) -> list[Array]:
        """Return the row indices of each training batch, from (seed, epoch) alone."""
        return [part for batch in super().epoch(epoch) for part in self._cut(batch)]

    def in_order(self) -> list[Array]:
        """Return the row indices of batches of similar length, each row once."""
        return [part for batch in super().in_order() for part in self._cut(batch)]

    def _cut(self, rows: Array) -> Iterator[Array]:
        """Cut a batch, its rows from short to long, into parts of bounded size."""
        lengths: Sequence[int] = self.encoded.lengths[rows].tolist()
        first = 0
        for place, length in enumerate(lengths):
            if place > first and length * (place + 1 - first) > _WORDS:
                yield rows[first:place]
                first = place
        yield rows[first:]

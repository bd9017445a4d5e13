"""Windows: what a network reads of series and what follows, cut out when a batch needs it."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import numpy as np

from tidegate.batch import Batch
from tidegate.data.batching import Array
from tidegate.data.fingerprint import fingerprint
from tidegate.data.series.panel import Panel

# Prediction keeps no activations for a backward pass, so its batches may be larger.
_ANSWER_ROWS = 128
# Up to so many windows, the numbers of all are shuffled where a sample of them is wanted.
_LISTED = 50_000


class WindowSource(Protocol):
    """Encoded series that windows are cut out of; `EncodedSeries` is one."""

    @property
    def panel(self) -> Panel:
        """The series."""

    @property
    def lookback(self) -> int:
        """T, the steps of a window."""

    @property
    def history(self) -> int:
        """Steps that come before a window's first step ahead."""

    def known(self) -> Array | None:
        """Say at which steps a target is known, `[N]` bool; None where every window counts."""

    def batch(self, series: Array, origins: Array, horizon: int, *, targets: bool) -> Batch:
        """Cut windows out."""

    def fingerprint(self) -> str:
        """Return a text that differs when what is cut does."""


E = TypeVar("E", bound=WindowSource)


class Windows(Generic[E]):
    """Windows of encoded series, numbered, served as batches; a window is two numbers.

    Args:
        encoded: The series.
        first: The first step of each series that may be forecast, `[S]`.
        last: The step after the last that may, `[S]`; what lies beyond the end of a series counts
            as unknown.
        horizon: Steps ahead; 0 for windows that are only read.
        batch_size: Windows of a training batch.
        seed: What the order of the training batches comes from.
        most: Most windows of an epoch, or in order; None for all.
        ahead: Serve the one window at the end of each series instead, without targets.
        stride: Steps from one window of a series to the next.
    """

    def __init__(
        self,
        encoded: E,
        first: Array,
        last: Array,
        horizon: int,
        *,
        batch_size: int,
        seed: int,
        most: int | None = None,
        ahead: bool = False,
        stride: int = 1,
    ) -> None:
        self.encoded, self.horizon, self.batch_size = encoded, horizon, batch_size
        self.seed, self.most, self.ahead, self.stride = seed, most, ahead, stride
        self.first = encoded.panel.lengths if ahead else np.maximum(first, encoded.history)
        counts = -(-np.maximum(0, last - horizon + 1 - self.first) // stride)
        self._bounds = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        if ahead:
            self._bounds = np.arange(len(first) + 1)
        self._useful = None if ahead else self._with_values()

    def __len__(self) -> int:
        """Number of windows."""
        return int(self._bounds[-1]) if self._useful is None else len(self._useful)

    def epoch(self, epoch: int) -> list[Array]:
        """Return the windows of each training batch, from (seed, epoch) alone."""
        random = np.random.default_rng([self.seed, epoch])
        count = len(self) if self.most is None else min(self.most, len(self))
        # A sample of many is drawn without a list of them all.
        order = (
            random.permutation(len(self))[:count]
            if len(self) <= max(count, _LISTED)
            else random.choice(len(self), count, replace=False)
        )
        return _batches(order, self.batch_size)

    def in_order(self) -> list[Array]:
        """Return all windows in the order of time, or `most` of them, evenly."""
        count = len(self) if self.most is None else min(self.most, len(self))
        chosen = np.arange(count) * len(self) // max(count, 1)
        return _batches(chosen, max(self.batch_size, _ANSWER_ROWS))

    def batch(self, rows: Array) -> Batch:
        """Cut out the windows of these numbers."""
        series, origins = self.locate(rows)
        return self.encoded.batch(series, origins, self.horizon, targets=not self.ahead)

    def locate(self, rows: Array) -> tuple[Array, Array]:
        """Say of which series each window is, and its first step ahead, both `[B]`."""
        found = np.asarray(rows, dtype=np.int64)
        return self._located(found if self._useful is None else self._useful[found])

    def times(self, rows: Array) -> Array:
        """Say where on the clock the first step ahead of each window is, `[B]`."""
        series, origins = self.locate(rows)
        positions: Array = self.encoded.panel.starts[series] + origins
        return positions

    def _located(self, numbers: Array) -> tuple[Array, Array]:
        series = np.searchsorted(self._bounds, numbers, side="right") - 1
        return series, (numbers - self._bounds[series]) * self.stride + self.first[series]

    def keep_latest(self, count: int) -> None:
        """Forget all windows but the latest."""
        times = self.times(np.arange(len(self)))
        rows = np.argsort(times, kind="stable")[-count:]
        self._useful = rows if self._useful is None else self._useful[rows]

    def fingerprint(self) -> str:
        """Return a text that differs when the windows do."""
        return fingerprint(self.encoded.fingerprint(), self.first, self._bounds)

    def _with_values(self) -> Array | None:
        """Windows with something to read and something to learn; None when all have."""
        panel, known = self.encoded.panel, self.encoded.known()
        if known is None:
            return None
        counts = np.concatenate(([0], np.cumsum(known)))
        numbers = np.arange(int(self._bounds[-1]))
        series, origins = self._located(numbers)
        at = panel.offsets[series] + origins
        read = counts[at] > counts[at - self.encoded.lookback]
        learned = counts[at + self.horizon] > counts[at]
        useful: Array = numbers[read & learned]
        return useful


def _batches(rows: Array, size: int) -> list[Array]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]

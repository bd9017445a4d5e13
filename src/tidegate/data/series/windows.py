"""Windows: what a network reads of series and what follows, cut out when a batch needs it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from tidegate.data.series.batch import ForecastBatch
from tidegate.data.series.calendar import calendar_features
from tidegate.data.series.panel import Panel
from tidegate.data.series.scaling import Change, fill

Array = np.ndarray[Any, np.dtype[Any]]

# The least unit of a window, as a share of the deviation of its series.
_LEAST_UNIT = 0.05
# Prediction keeps no activations for a backward pass, so its batches may be larger.
_ANSWER_ROWS = 128


@dataclass(frozen=True)
class EncodedSeries:
    """Series with what is needed to cut scaled windows out of them; the values are not copied.

    Axis letters: S series, B windows, T steps of the lookback, H steps ahead, C targets.

    Attributes:
        panel: The series.
        change: What comes before scaling.
        lookback: T.
        missing: How missing values are filled, see `series_scaling.fill`.
        masked: Whether masks are inputs.
        calendar: Whether calendar features are inputs.
        shift: What is taken off the targets, `[S, C]`.
        scale: What they are divided by, `[S, C]`.
        spread: The standard deviation of the targets as they are, `[S, C]`.
        others: Shift and scale of the past-only and the known columns.
        static: Numbers of each series, or None.
    """

    panel: Panel
    change: Change
    lookback: int
    missing: str
    masked: bool
    calendar: bool
    shift: Array
    scale: Array
    spread: Array
    others: tuple[Array, Array]
    static: Array | None = None
    _values: Array = field(init=False, repr=False)
    _calendar: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_values", self._changed())
        positions = np.zeros(0, np.int64)
        if self.calendar:
            ends = self.panel.starts + np.diff(self.panel.offsets)
            positions = np.arange(self.panel.starts.min(), ends.max())
        found = calendar_features(self.panel.clock, positions)
        object.__setattr__(self, "_calendar", found)

    def batch(self, series: Array, origins: Array, horizon: int, *, targets: bool) -> ForecastBatch:
        """Cut windows out.

        Args:
            series: The series of each window, `[B]`.
            origins: The first step ahead of each, counted from the start of its series, `[B]`.
            horizon: H.
            targets: Whether what came is wanted.

        Returns:
            A batch; where the series ends, what is not known of the steps ahead is NaN.
        """
        width, known = len(self.panel.targets), len(self.panel.known)
        at = self.panel.offsets[series] + origins
        steps = self._cut(at, series, horizon)
        own = (steps[..., :width] - self.shift[series, None]) / self.scale[series, None]
        shift, scale = self.others
        others = (steps[..., width:] - shift) / scale
        filled, missing = fill(own[:, : self.lookback], self.missing)
        past, _ = fill(others[:, : self.lookback, : others.shape[2] - known], self.missing)
        certain, _ = fill(others[:, :, others.shape[2] - known :], self.missing)
        days = self._days(series, origins, horizon)
        parts = [filled, certain[:, : self.lookback], days[:, : self.lookback], past]
        if self.masked:
            parts.append(missing)
        coming = [certain[:, self.lookback :], days[:, self.lookback :]]
        future = np.concatenate(coming, axis=2) if known or self.calendar else None
        return ForecastBatch(
            values=_tensor(np.concatenate(parts, axis=2)),
            lengths=torch.full((len(at),), self.lookback),
            targets=_tensor(own[:, self.lookback :]) if targets else None,
            known=None if future is None else _tensor(future),
            static=None if self.static is None else _tensor(self.static[series]),
            ahead=horizon,
        )

    def inverse(
        self, series: Array, origins: Array, mean: Array, quantiles: Array
    ) -> tuple[Array, Array]:
        """Put forecasts back into the units of the data.

        Args:
            series: The series of each window, `[B]`.
            origins: The first step ahead of each, `[B]`.
            mean: Scaled forecasts `[B, H, C]`.
            quantiles: Scaled quantiles `[B, H, C, Q]`; Q may be 0.

        Returns:
            Mean and quantiles, float64.
        """
        scale = self.scale[series, None]
        middle = mean * scale + self.shift[series, None]
        spreads = (quantiles - mean[..., None]) * scale[..., None]
        if self.change.nothing:
            return middle, middle[..., None] + spreads
        before = self.before(series, origins, self.change.lag)
        return self.change.inverse(middle, spreads, fill(before, "mask")[0])

    def before(self, series: Array, origins: Array, count: int) -> Array:
        """Return the last `count` values of the targets before each origin, `[B, count, C]`."""
        at = self.panel.offsets[series] + origins
        steps = at[:, None] + np.arange(-count, 0)
        values: Array = self.panel.values[steps, : len(self.panel.targets)]
        return values

    def unit(self, series: Array, origins: Array) -> Array:
        """Return how much the targets vary before each origin, in the units of the data.

        Errors of forecasts grow with it, so that intervals should too: the standard deviation in
        the lookback, and a little of that of the whole series, for windows where nothing moved.

        Args:
            series: The series of each window, `[B]`.
            origins: The first step ahead of each, `[B]`.

        Returns:
            `[B, C]`, greater than 0.
        """
        past, _ = fill(self.before(series, origins, self.lookback), "mask")
        unit: Array = past.std(axis=1) + _LEAST_UNIT * self.spread[series]
        return unit

    def truth(self, series: Array, origins: Array, horizon: int) -> Array:
        """Return what came, `[B, H, C]`, NaN where nobody knows."""
        at = self.panel.offsets[series] + origins
        ends = self.panel.offsets[series] + self.panel.lengths[series]
        steps = at[:, None] + np.arange(horizon)
        last = len(self.panel.values) - 1
        values = self.panel.values[np.minimum(steps, last), : len(self.panel.targets)]
        found: Array = np.where((steps < ends[:, None])[..., None], values, np.nan)
        return found

    def fingerprint(self) -> str:
        """Return a text that differs when the series or their scales do."""
        digest = hashlib.sha256()
        parts = (self.panel.values, self.panel.offsets, self.panel.starts, self.shift, self.scale)
        for part in parts:
            digest.update(np.ascontiguousarray(part).data)
        return digest.hexdigest()[:32]

    def _changed(self) -> Array:
        """The values after logarithm and differences; the panel's own where there are neither."""
        values = self.panel.values
        if self.change.nothing:
            return values
        width = len(self.panel.targets)
        found: Array = values.copy()
        for begin, end in zip(self.panel.offsets[:-1], self.panel.offsets[1:], strict=True):
            found[begin:end, :width] = self.change.forward(values[begin:end, :width])
        return found

    def _cut(self, at: Array, series: Array, ahead: int) -> Array:
        """Steps around each origin, `[B, T + ahead, columns]` float64, NaN past a series' end."""
        size = self.lookback + ahead
        begin = at - self.lookback
        ends = self.panel.offsets[series + 1]
        if (begin + size <= ends).all():
            views = sliding_window_view(self._values, size, axis=0)
            cut: Array = views[begin].transpose(0, 2, 1)
            return cut
        steps = begin[:, None] + np.arange(size)
        found: Array = self._values[np.minimum(steps, len(self._values) - 1)]
        found[steps >= ends[:, None]] = np.nan
        return found

    def _days(self, series: Array, origins: Array, horizon: int) -> Array:
        """Calendar features around each origin, `[B, T + horizon, features]`."""
        if not self.calendar:
            return np.zeros((len(series), self.lookback + horizon, 0), np.float32)
        panel = self.panel
        at = panel.starts[series] + origins - panel.starts.min()
        steps = at[:, None] + np.arange(-self.lookback, horizon)
        if steps.max() < len(self._calendar):
            near: Array = self._calendar[steps]
            return near
        found, index = np.unique(steps, return_inverse=True)
        features = calendar_features(panel.clock, found + panel.starts.min())
        beyond: Array = features[index.reshape(steps.shape)]
        return beyond


class Windows:
    """Windows of encoded series, numbered, served as batches; a window is two numbers.

    Args:
        encoded: The series.
        first: The first step of each series that may be forecast, `[S]`.
        last: The step after the last that may, `[S]`.
        horizon: Steps ahead.
        batch_size: Windows of a training batch.
        seed: What the order of the training batches comes from.
        most: Most windows of an epoch, or in order; None for all.
        ahead: Serve the one window at the end of each series instead, without targets.
        stride: Steps from one window of a series to the next.
    """

    def __init__(
        self,
        encoded: EncodedSeries,
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
        history = encoded.lookback + encoded.change.lag
        self.first = encoded.panel.lengths if ahead else np.maximum(first, history)
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
        # A sample is drawn without a list of them all.
        order = (
            random.permutation(len(self))
            if count == len(self)
            else random.choice(len(self), count, replace=False)
        )
        return _batches(order, self.batch_size)

    def in_order(self) -> list[Array]:
        """Return all windows in the order of time, or `most` of them, evenly."""
        count = len(self) if self.most is None else min(self.most, len(self))
        chosen = np.arange(count) * len(self) // max(count, 1)
        return _batches(chosen, max(self.batch_size, _ANSWER_ROWS))

    def batch(self, rows: Array) -> ForecastBatch:
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
        spans = hashlib.sha256(self.first.tobytes() + self._bounds.tobytes())
        return self.encoded.fingerprint() + spans.hexdigest()[:8]

    def _with_values(self) -> Array | None:
        """Windows with something to read and something to learn; None when all have."""
        panel = self.encoded.panel
        known = ~np.isnan(panel.values[:, : len(panel.targets)]).all(axis=1)
        if known.all():
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


def _tensor(values: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))

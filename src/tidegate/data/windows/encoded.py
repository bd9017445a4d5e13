"""EncodedSeries: series with what is needed to cut scaled windows out of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from tidegate.data.batching import Array
from tidegate.data.fingerprint import fingerprint
from tidegate.data.scaling import Scaling
from tidegate.data.series.calendar import calendar_features
from tidegate.data.series.panel import Panel
from tidegate.data.windows.batch import ForecastBatch
from tidegate.data.windows.log_difference import LogDifference
from tidegate.data.windows.missing import fill
from tidegate.data.windows.windows import Windows

# The least unit of a window, as a share of the deviation of its series.
_LEAST_UNIT = 0.05


@dataclass(frozen=True)
class EncodedSeries:
    """Series with what is needed to cut scaled windows out of them; the values are not copied.

    Axis letters: S series, B windows, T steps of the lookback, H steps ahead, C targets.

    Attributes:
        panel: The series.
        change: What comes before scaling.
        lookback: T.
        missing: How missing values are filled, see `missing.fill`.
        masked: Whether masks are inputs.
        calendar: Whether calendar features are inputs.
        shift: What is taken off the targets, `[S, C]`.
        scale: What they are divided by, `[S, C]`.
        spread: The standard deviation of the targets as they are, `[S, C]`.
        others: The scaling of the past-only and the known columns.
        static: Numbers of each series, or None.
    """

    panel: Panel
    change: LogDifference
    lookback: int
    missing: str
    masked: bool
    calendar: bool
    shift: Array
    scale: Array
    spread: Array
    others: Scaling
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
        others = self.others.forward(steps[..., width:])
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

    @property
    def history(self) -> int:
        """Steps that come before a window's first step ahead."""
        return self.lookback + self.change.lag

    def known(self) -> Array | None:
        """Say at which steps a target is known, `[N]` bool; None for all."""
        targets = self.panel.values[:, : len(self.panel.targets)]
        known: Array = np.asarray(~np.isnan(targets).all(axis=1))
        return None if known.all() else known

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
        if self.change.identity:
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
        panel = self.panel
        return fingerprint(panel.values, panel.offsets, panel.starts, self.shift, self.scale)

    def _changed(self) -> Array:
        """The values after logarithm and differences; the panel's own where there are neither."""
        values = self.panel.values
        if self.change.identity:
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


ForecastWindows: TypeAlias = Windows[EncodedSeries]


def _tensor(values: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))

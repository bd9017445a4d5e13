"""WindowForecasts: what a network says of windows, in the units of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.windows.encoded import ForecastWindows
from tidegate.heads.forecast import ForecastHead
from tidegate.tasks.forecast.intervals import Bounds, Margins, ends, rolling, score
from tidegate.training.measure import answers
from tidegate.training.network import Network


@dataclass(frozen=True)
class WindowForecasts:
    """Forecasts of windows.

    Axis letters: B windows, H steps ahead, C targets, L levels.

    Attributes:
        windows: The windows.
        series: The series of each, `[B]`.
        origins: The first step ahead of each, `[B]`.
        mean: `[B, H, C]`.
        lower: The lower end of each interval, `[B, H, C, L]`; the mean for a point forecast.
        upper: The upper end.
        levels: The share of the truth that each interval is to cover.
        bounds: What no value is beyond.
    """

    windows: ForecastWindows
    series: Array
    origins: Array
    mean: Array
    lower: Array
    upper: Array
    levels: tuple[float, ...]
    bounds: Bounds

    @property
    def truth(self) -> Array:
        """What came, `[B, H, C]`, NaN where nobody knows."""
        return self.windows.encoded.truth(self.series, self.origins, self.windows.horizon)

    @property
    def unit(self) -> Array:
        """What the errors of each window are measured in, `[B, C]`."""
        return self.windows.encoded.unit(self.series, self.origins)

    def calibrated(self) -> Margins:
        """Find the margins that would have made the intervals right."""
        scores = score(self.truth, self.lower, self.upper, self.unit)
        return Margins.fit(scores, self.levels)

    def widened(self, margins: Margins | None) -> tuple[Array, Array]:
        """Return both ends of the intervals, with margins if there are any, within the bounds."""
        lower, upper = self.lower, self.upper
        if margins is not None:
            lower, upper = margins.widen(lower, upper, self.unit)
        return self.bounds.clip(lower), self.bounds.clip(upper)

    def rolled(self, start: Margins | None) -> tuple[Array, Array]:
        """Return both ends with the margins that were known when each forecast was made.

        Args:
            start: The margins as long as too little is known; None leaves those ends NaN.
        """
        panel, unit = self.windows.encoded.panel, self.unit
        times = panel.starts[self.series] + self.origins
        order = np.argsort(times, kind="stable")
        scores = score(self.truth, self.lower, self.upper, unit)[order]
        lower, upper = np.empty(self.lower.shape), np.empty(self.upper.shape)
        margins = rolling(scores, times[order], self.windows.horizon, self.levels)
        for row, found in zip(order[:, None], margins, strict=True):
            chosen = start if start is not None and np.isnan(found.values).all() else found
            lower[row], upper[row] = chosen.widen(self.lower[row], self.upper[row], unit[row])
        return self.bounds.clip(lower), self.bounds.clip(upper)


def forecast_windows(
    network: Network,
    windows: ForecastWindows,
    levels: Sequence[float],
    *,
    point: bool,
    bounds: Bounds,
) -> WindowForecasts:
    """Let a network forecast windows.

    Args:
        network: The network, whose head answers.
        windows: The windows.
        levels: L.
        point: Whether the network says one number only: then both ends of an interval are it.
        bounds: What no value is beyond.

    Returns:
        The forecasts, in the order of `windows.in_order()`.
    """
    asked = [] if point else ends(levels)
    head = cast(ForecastHead, network.head)
    parts = []
    for rows, _, outputs in answers(network, windows):
        found = head.answer(outputs.float(), asked)
        mean = found["mean"].double().cpu().numpy()
        nothing = np.zeros((*mean.shape, 0))
        quantiles = nothing if point else found["quantiles"].double().cpu().numpy()
        series, origins = windows.locate(rows)
        mean, quantiles = windows.encoded.inverse(series, origins, mean, quantiles)
        parts.append((series, origins, mean, quantiles))
    series, origins, mean, quantiles = (np.concatenate(p) for p in zip(*parts, strict=True))
    count, mean = len(levels), bounds.clip(mean)
    if point:
        lower = upper = np.broadcast_to(mean[..., None], (*mean.shape, count))
    else:
        lower, upper = quantiles[..., :count], quantiles[..., count:]
    return WindowForecasts(windows, series, origins, mean, lower, upper, tuple(levels), bounds)

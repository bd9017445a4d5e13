"""Series of the forecasting benchmarks: official splits, and the baselines beside the networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common import data_file
from tidegate.data.series.panel import Panel
from tidegate.tasks.forecast.line.baselines import naive, seasonal_naive
from tidegate.tasks.forecast.line.linear import LinearBaseline

Array = np.ndarray[Any, np.dtype[Any]]

FILES = {
    "etth1": "ETTh1.csv.gz",
    "exchange": "exchange_rate.txt.gz",
    "illness": "national_illness.csv.gz",
}
# Windows that baselines forecast at once.
_AT_ONCE = 256


@dataclass(frozen=True)
class Split:
    """A multivariate series with the parts that all published tables share.

    Attributes:
        values: `[steps, C]` float64.
        ends: Where the training, the validation and the test part end.
    """

    values: Array
    ends: tuple[int, int, int]

    def parts(self) -> tuple[Panel, Panel, Panel]:
        """Training, validation and test part; each goes on where the one before ends.

        All windows whose future lies within a part belong to it, the last ones too; their past may
        reach into the part before.
        """
        whole = Panel.from_arrays([self.values])
        borders = [np.array([step]) for step in (0, *self.ends)]
        fit, held, test = (whole.cut(*borders[n : n + 2]) for n in range(3))
        return fit, held, test

    def scaled(self) -> Array:
        """The values on the scale of published errors: mean 0, deviation 1 in the training part."""
        train = self.values[: self.ends[0]]
        scaled: Array = (self.values - train.mean(0)) / train.std(0)
        return scaled


def read(name: str, folder: str | None) -> Split:
    """Read "etth1", "exchange" or "illness".

    ETTh1 is 12, 4 and 4 months of 30 days; the others are 70, 10 and 20 % of the rows.
    """
    header = None if name == "exchange" else 0
    frame = pd.read_csv(data_file(FILES[name], folder), header=header)
    values: Array = frame.select_dtypes("number").to_numpy(np.float64)
    rows = len(values)
    if name == "etth1":
        return Split(values, (12 * 30 * 24, 16 * 30 * 24, 20 * 30 * 24))
    return Split(values, (int(0.7 * rows), rows - int(0.2 * rows), rows))


def baselines(
    split: Split, line: LinearBaseline, *, lookback: int, horizon: int, season: int
) -> dict[str, dict[str, float]]:
    """Measure the baselines on all windows of the test part.

    Args:
        split: The series.
        line: The linear one, fitted on scaled windows of the training part.
        lookback: Steps that forecasts read.
        horizon: Steps ahead.
        season: Steps of a season; 1 leaves the seasonal baseline out.

    Returns:
        `mse` and `mae` of scaled values by baseline.
    """
    _, begin, end = split.ends
    steps = split.scaled()[begin - lookback : end]
    windows = np.lib.stride_tricks.sliding_window_view(steps, lookback + horizon, axis=0)
    sums: dict[str, Array] = {}
    for start in range(0, len(windows), _AT_ONCE):
        cut = windows[start : start + _AT_ONCE].transpose(0, 2, 1)
        past, truth = cut[:, :lookback], cut[:, lookback:]
        answers = {"naive": naive(past, horizon)}
        if season > 1:
            answers["seasonal naive"] = seasonal_naive(past, horizon, season)
        answers["linear"] = line.predict(past)
        for name, answer in answers.items():
            error = answer - truth
            found = np.array([np.square(error).sum(), np.abs(error).sum(), error.size])
            sums[name] = sums.get(name, np.zeros(3)) + found
    return {name: _means(found) for name, found in sums.items()}


def mean(rows: list[Mapping[str, float]]) -> dict[str, float]:
    """Average scores by name."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _means(sums: Array) -> dict[str, float]:
    return {"mse": float(sums[0] / sums[2]), "mae": float(sums[1] / sums[2])}

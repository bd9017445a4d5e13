"""Series of the forecasting benchmarks: official splits, windows, and the baselines beside them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.common import data_file
from tidegate.data.forecast_batch import ForecastBatch

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Split:
    """A multivariate series on one scale, and where its official parts begin and end.

    Attributes:
        values: `[steps, C]` float32; mean 0 and deviation 1 on the training part.
        train: End of the training part.
        validation: End of the validation part.
        test: End of the test part.
    """

    values: Array
    train: int
    validation: int
    test: int


def read(name: str, folder: str | None) -> Split:
    """Read "etth1", "exchange" or "illness" with the split that all published tables share.

    ETTh1 is 12, 4 and 4 months of 30 days; the others are 70, 10 and 20 % of the rows.
    """
    if name == "etth1":
        values = _table(data_file("ETTh1.csv.gz", folder))
        ends = [months * 30 * 24 for months in (12, 16, 20)]
    else:
        file = {"exchange": "exchange_rate.txt.gz", "illness": "national_illness.csv.gz"}[name]
        values = _table(data_file(file, folder))
        rows = len(values)
        ends = [int(0.7 * rows), rows - int(0.2 * rows), rows]
    train = values[: ends[0]]
    scaled = (values - train.mean(0)) / train.std(0)
    return Split(scaled.astype(np.float32), *ends)


def _table(path: Path) -> Array:
    header = None if path.name.startswith("exchange") else 0
    frame = pd.read_csv(path, header=header)
    numbers: Array = frame.select_dtypes("number").to_numpy(np.float64)
    return numbers


class WindowRows:
    """Windows of one or many series, made when they are asked for; a `tidegate.measure.Loader`.

    Args:
        series: Each `[steps, C]` float32.
        starts: The series and the first future step of each window, `[rows, 2]`.
        lookback: Steps of the past; a window that begins before its series is shorter.
        horizon: Steps of the future; NaN after the series' end.
        batch_size: Windows of a batch.
        seed: Of the order in training.
        per_epoch: Most windows of an epoch; each epoch draws others. None takes all.
        named: Whether the network is told which series a window is of, by a one in its place.
    """

    def __init__(
        self,
        series: Sequence[Array],
        starts: Array,
        lookback: int,
        horizon: int,
        *,
        batch_size: int,
        seed: int = 0,
        per_epoch: int | None = None,
        named: bool = False,
    ) -> None:
        self.names = torch.eye(len(series)) if named else None
        self.starts, self.lookback, self.horizon = starts, lookback, horizon
        self.batch_size, self.seed, self.per_epoch = batch_size, seed, per_epoch
        # One flat array with room around each series: every window is then one slice of it.
        room = [np.full((lookback + horizon, series[0].shape[1]), np.nan, np.float32)]
        self.flat = np.concatenate([part for one in series for part in (*room, one)] + room)
        lengths = [len(one) + lookback + horizon for one in series]
        self.offsets = np.cumsum([0, *lengths[:-1]]) + lookback + horizon

    def __len__(self) -> int:
        return len(self.starts)

    def epoch(self, epoch: int) -> list[Array]:
        """Return shuffled windows in batches."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.starts))
        return self._cut(order[: self.per_epoch])

    def in_order(self) -> list[Array]:
        """Return all windows in batches."""
        return self._cut(np.arange(len(self.starts)))

    def batch(self, rows: Array) -> ForecastBatch:
        """Cut windows; those shorter than the lookback are padded at the end."""
        series, step = self.starts[rows].T
        first = self.offsets[series] + step
        spread = first[:, None] + np.arange(-self.lookback, self.horizon)
        whole = torch.from_numpy(self.flat[spread])
        past, targets = whole[:, : self.lookback], whole[:, self.lookback :]
        lengths = np.minimum(step, self.lookback)
        if (lengths < self.lookback).any():
            past = torch.stack(
                [p.roll(int(n) - self.lookback, 0) for p, n in zip(past, lengths, strict=True)]
            ).nan_to_num(0.0)
        static = None if self.names is None else self.names[series]
        steps = torch.from_numpy(lengths.astype(np.int64))
        return ForecastBatch(past, steps, targets, static=static)

    def fingerprint(self) -> str:
        """Return a digest of values and windows."""
        return hashlib.sha256(self.flat.tobytes() + self.starts.tobytes()).hexdigest()

    def _cut(self, order: Array) -> list[Array]:
        return np.array_split(order, range(self.batch_size, len(order), self.batch_size))


def parts(split: Split, lookback: int, horizon: int, *, batch_size: int, seed: int) -> list[Any]:
    """Make the windows of the training, validation and test part.

    All windows whose future lies within a part belong to it, the last ones too; their past may
    reach into the part before. The training windows lie within the training part wholly.
    """
    borders = (
        (lookback, split.train),
        (split.train, split.validation),
        (split.validation, split.test),
    )
    made = []
    for first, end in borders:
        steps = np.arange(first, end - horizon + 1)
        starts = np.stack([np.zeros_like(steps), steps], 1)
        known = [split.values[:end]]  # nothing after a part can be seen from within it
        made.append(WindowRows(known, starts, lookback, horizon, batch_size=batch_size, seed=seed))
    return made


def seasonal_naive(batch: ForecastBatch, season: int) -> torch.Tensor:
    """Repeat the last season, `[B, F, C]`; season 1 repeats the last value."""
    horizon = batch.targets.shape[1] if batch.targets is not None else 0
    last = batch.values[:, -season:]
    return last.repeat(1, math.ceil(horizon / season), 1)[:, :horizon]

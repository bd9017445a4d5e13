"""The linear baseline: one matrix from window to future, shared by all channels, by least squares.

It is what DLinear and NLinear (Zeng et al. 2023) learn by gradient descent, solved exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.suite.series import WindowRows

# Penalties tried, as shares of the mean variance of the inputs; validation chooses.
_PENALTIES = (1e-4, 1e-2, 1e-1, 1.0, 10.0)


def linear(train: WindowRows, validation: WindowRows, test: WindowRows) -> dict[str, float]:
    """Fit on the training windows, choose the penalty by validation, measure on the test windows.

    Windows are measured from their last value, as the network's are.

    Returns:
        `mse` and `mae`.
    """
    square, product = _sums(train)
    mean_variance = float(square.diagonal().mean())
    eye = torch.eye(len(square), dtype=square.dtype)
    best: Any = None
    for penalty in _PENALTIES:
        matrix = torch.linalg.solve(square + penalty * mean_variance * eye, product).float()
        error = _errors(matrix, validation)["mse"]
        if best is None or error < best[0]:
            best = error, matrix
    return _errors(best[1], test)


def _pairs(rows: WindowRows, chosen: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
    """Windows and their futures, one channel a row, from the last value."""
    batch = rows.batch(chosen)
    assert batch.targets is not None
    last = batch.values[:, -1:]
    past, future = ((part - last).transpose(1, 2) for part in (batch.values, batch.targets))
    return past.flatten(0, 1)[:, :-1], future.flatten(0, 1)  # the last value is 0 in all


def _sums(rows: WindowRows) -> tuple[Tensor, Tensor]:
    square, product = torch.zeros(()), torch.zeros(())
    for chosen in rows.in_order():
        past, future = (part.double() for part in _pairs(rows, chosen))
        square, product = square + past.T @ past, product + past.T @ future
    return square / len(rows), product / len(rows)


def _errors(matrix: Tensor, rows: WindowRows) -> dict[str, float]:
    square, distance, count = 0.0, 0.0, 0
    for chosen in rows.in_order():
        past, future = _pairs(rows, chosen)
        error = past @ matrix - future
        square += float(error.square().sum(dtype=torch.float64))
        distance += float(error.abs().sum(dtype=torch.float64))
        count += error.numel()
    return {"mse": square / count, "mae": distance / count}

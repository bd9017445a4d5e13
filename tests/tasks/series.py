"""Series for the anomaly detector: a noisy wave with a day in it, and faults put in."""

from __future__ import annotations

import numpy as np
import pandas as pd

QUICK = {"epochs": 2, "hidden_size": 6, "batch_size": 32, "verbose": False}


def wave(count: int, variables: int = 1, seed: int = 0) -> np.ndarray:
    """`[T, D]`: waves of different phase with noise; `[T]` for one variable."""
    random = np.random.default_rng(seed)
    steps = np.arange(count)[:, None]
    phases = np.arange(variables)
    values = 20 + 5 * np.sin(steps / 8 + phases) + 0.3 * random.normal(size=(count, variables))
    return values[:, 0] if variables == 1 else values


def hours(count: int) -> pd.DatetimeIndex:
    return pd.date_range("2024-01-01", periods=count, freq="h")

"""Toy sequences of numbers, with answers that only reading them in order can give."""

from __future__ import annotations

import numpy as np


def walks(count: int, seed: int = 0) -> tuple[list[np.ndarray], list[str], list[float]]:
    """Random walks of two channels, whether the first one ended higher, and where the other did."""
    rng = np.random.default_rng(seed)
    rows = [rng.normal(size=(steps, 2)).cumsum(0) for steps in rng.integers(3, 12, count)]
    labels = ["up" if row[-1, 0] > row[0, 0] else "down" for row in rows]
    return rows, labels, [float(row[-1, 1]) for row in rows]


def wear(machines: int, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Machines that wear out: a noisy reading a step, and how many steps are left."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for life in rng.integers(20, 40, machines):
        left = np.arange(life)[::-1]
        reading = np.exp(-left / 8) + 0.02 * rng.normal(size=life)
        X.append(np.stack([reading, rng.normal(size=life)], 1))
        y.append(left.astype(float))
    return X, y

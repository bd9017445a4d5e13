"""Missing values of windows, filled from within each window alone."""

from __future__ import annotations

import numpy as np

from tidegate.data.batching import Array


def fill(values: Array, method: str) -> tuple[Array, Array]:
    """Put something for missing values, from within each window alone.

    Args:
        values: Windows `[B, T, C]`, NaN where missing.
        method: "mask" repeats the last known value; "interpolate" draws a line between the
            neighbours. What is before the first is the first; a window of nothing is 0.

    Returns:
        The windows without missing values, and 1.0 where one was, both `[B, T, C]`.

    Example:
        >>> fill(np.array([[[1.0], [np.nan], [3.0]]]), "interpolate")[0].ravel().tolist()
        [1.0, 2.0, 3.0]
    """
    missing = np.isnan(values)
    if not missing.any():
        return values, np.zeros_like(values)
    steps = np.arange(values.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(missing, -1, steps), axis=1)
    following = np.minimum.accumulate(np.where(missing, values.shape[1], steps)[:, ::-1], axis=1)[
        :, ::-1
    ]
    below, above = np.maximum(last, 0), np.minimum(following, values.shape[1] - 1)
    before = np.take_along_axis(values, below, axis=1)
    after = np.take_along_axis(values, above, axis=1)
    before = np.where(last < 0, after, before)
    if method == "interpolate":
        after = np.where(following >= values.shape[1], before, after)
        share = (steps - below) / np.maximum(following - below, 1)
        before = np.where(last < 0, before, before + share * (after - before))
    filled = np.where(missing, before, values)
    return np.nan_to_num(filled, nan=0.0), missing.astype(values.dtype)

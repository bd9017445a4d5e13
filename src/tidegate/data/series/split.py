"""Where series are split by time: what is held out comes after what is learned from."""

from __future__ import annotations

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.series.panel import Panel


def split_by_time(panel: Panel, share: float, horizon: int) -> Array:
    """Say where the last share of the steps begins in each series.

    Series with dates are all cut at the same time, so that none is learned from what another one
    shows of the days it is measured on; others each at their own share.

    Args:
        panel: The series.
        share: The share of the steps that come after the cut.
        horizon: The part after the cut has so many steps at least, in the longest series.

    Returns:
        The first step after the cut, counted from the start of each series, `[S]`.

    Example:
        >>> split_by_time(Panel.from_arrays([np.arange(20.0)]), 0.25, 3).tolist()
        [15]
    """
    lengths = panel.lengths
    if not panel.clock.dated or len(panel) == 1:
        kept = np.maximum(np.round(lengths * share), np.minimum(horizon, lengths))
        return (lengths - kept).astype(np.int64)
    wanted = max(share * lengths.sum(), 1)
    low, high = int(panel.starts.min()), int(panel.ends.max()) - horizon
    while low < high:  # the last position with as many steps after it
        middle = (low + high + 1) // 2
        after = (panel.ends - np.maximum(panel.starts, middle)).clip(min=0).sum()
        low, high = (middle, high) if after >= wanted else (low, middle - 1)
    return (low - panel.starts).clip(0, lengths).astype(np.int64)

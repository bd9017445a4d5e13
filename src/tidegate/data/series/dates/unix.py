"""Unix time: numbers that count from the beginning of 1970, UTC, down to nanoseconds."""

from __future__ import annotations

import numpy as np

from tidegate.data.batching import Array

# How many of each unit make a second; a number of one of these spans is a time from 1980 to 2099.
_UNITS = (1, 10**3, 10**6, 10**9)
_SECONDS = (315_532_800, 4_102_444_800)


def read_unix(numbers: Array) -> Array | None:
    """Read seconds, milliseconds, microseconds or nanoseconds since 1970.

    Args:
        numbers: Numbers, `[rows]`.

    Returns:
        Microseconds since 1970, `[rows]` int64; None where a number is no plausible time, or they
        are not all of one unit.

    Example:
        >>> read_unix(np.array([1700000000, 1700003600])).astype("datetime64[us]")[1].item().hour
        23
        >>> read_unix(np.array([1, 2]))
    """
    low, high = _SECONDS
    for unit in _UNITS:
        if len(numbers) and numbers.min() >= low * unit and numbers.max() < high * unit:
            return _microseconds(numbers, unit)
    return None


def _microseconds(numbers: Array, unit: int) -> Array:
    if unit >= 10**6:
        found: Array = numbers.astype(np.int64) // (unit // 10**6)
    elif np.issubdtype(numbers.dtype, np.integer):
        found = numbers.astype(np.int64) * (10**6 // unit)
    else:
        found = np.round(numbers * (10**6 // unit)).astype(np.int64)
    return found

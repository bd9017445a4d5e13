"""What never changes within a series, as numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tidegate.data.batching import Array


def encode_static(
    columns: Sequence[Sequence[object]], categories: Sequence[Sequence[str] | None]
) -> Array:
    """Turn what never changes into numbers: numbers stay, a text becomes its category.

    Args:
        columns: One value a series for each static column; None is missing.
        categories: The texts known of each, or None for a column of numbers.

    Returns:
        `[series, features]` float64; an unknown category is 0 everywhere, a missing number NaN.
    """
    parts = [
        np.asarray(column, np.float64)[:, None]
        if known is None
        else np.array([[float(text == name) for name in known] for text in _texts(column)])
        for column, known in zip(columns, categories, strict=True)
    ]
    return np.concatenate(parts, axis=1)


def _texts(column: Sequence[object]) -> list[str | None]:
    return [None if value is None else str(value) for value in column]

"""Leaks: columns that tell the target beforehand, which no forecast can have."""

from __future__ import annotations

import warnings

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.series.panel import Panel

# Weather or a price may explain much of a target; nothing honest explains all of it.
_TOO_GOOD = 0.999
# Fewer steps in common say nothing.
_FEWEST = 30


class LeakWarning(UserWarning):
    """A column that is said to be known of the future is almost the target itself."""


def warn_of_leaks(panel: Panel, until: Array) -> None:
    """Warn of known columns that follow a target so closely that they must be made of it.

    Args:
        panel: The series.
        until: Steps of each series that may be looked at, `[S]`.

    Example:
        >>> from dataclasses import replace
        >>> sales = np.random.default_rng(0).normal(size=(50, 1))
        >>> panel = Panel.from_arrays([np.hstack([sales, 1.2 * sales])], targets=["sales", "taxed"])
        >>> panel = replace(panel, targets=("sales",), known=("taxed",))
        >>> with warnings.catch_warnings(record=True) as told:
        ...     warnings.simplefilter("always")
        ...     warn_of_leaks(panel, panel.lengths)
        >>> "'taxed' goes with the target 'sales'" in str(told[0].message)
        True
    """
    if not panel.known:
        return
    spans = [panel.series(number)[:end] for number, end in enumerate(until)]
    first = len(panel.targets) + len(panel.past)
    for column, name in enumerate(panel.known, first):
        for target, told in enumerate(panel.targets):
            if (share := _correlation(spans, column, target)) > _TOO_GOOD:
                text = (
                    f"The known column {name!r} goes with the target {told!r} in training "
                    f"(correlation {share:.4f}): if it is made of the target, nobody has it "
                    "beforehand. Name it as past instead."
                )
                warnings.warn(LeakWarning(text), stacklevel=2)


def _correlation(spans: list[Array], column: int, target: int) -> float:
    """How closely two columns go together within each series, from 0 to 1."""
    products = np.zeros((2, 2))
    steps = 0
    for span in spans:
        pair = span[:, [column, target]]
        pair = pair[~np.isnan(pair).any(axis=1)]
        if len(pair):
            centred = pair - pair.mean(axis=0)
            products += centred.T @ centred
            steps += len(pair)
    size = products[0, 0] * products[1, 1]
    return abs(products[0, 1]) / size**0.5 if steps >= _FEWEST and size > 0 else 0.0

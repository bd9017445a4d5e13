"""Schedules: the share of the largest learning rate that each training step uses."""

from __future__ import annotations

import math

_START, _END = 1 / 25, 1 / 25e4  # the ends of torch's OneCycleLR, as shares of the peak


def rate(schedule: str, step: int, total: int, warmup: float = 0.3) -> float:
    """Say which share of the learning rate a step uses.

    "one-cycle" rises from 1/25 to 1 and falls to 1/250,000, both along half a cosine (Smith &
    Topin 2018); "cosine" falls from 1 to 0 (Loshchilov & Hutter 2017, eq. 5); "constant" is 1.

    Args:
        schedule: "one-cycle", "cosine" or "constant".
        step: The step, from 0.
        total: Steps of the whole training.
        warmup: The share of the steps in which "one-cycle" rises.

    Returns:
        A number from 0 to 1.

    Example:
        >>> [round(rate("cosine", step, 4), 3) for step in range(4)]
        [1.0, 0.854, 0.5, 0.146]
    """
    if schedule == "constant" or total == 1:
        return 1.0
    if schedule == "cosine":
        return _slope(1.0, 0.0, step / total)
    top = warmup * total - 1
    if step <= top:
        return _slope(_START, 1.0, step / top) if top > 0 else 1.0
    return _slope(1.0, _END, (step - top) / (total - 1 - top))


def _slope(start: float, end: float, share: float) -> float:
    """Go from `start` to `end` along half a cosine."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))

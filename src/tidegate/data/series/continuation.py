"""Series that go on where others end, by their names and times."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.names import numbers_of
from tidegate.data.series.panel import Panel


def continued(panel: Panel, before: Panel | None) -> tuple[Panel, Array]:
    """Put what came before in front of series that go on where it ends.

    A series may begin earlier, with steps that training had: they must be the same.

    Args:
        panel: The series.
        before: The last steps of training, or None.

    Returns:
        The series, and how many steps were put in front of each, `[S]`.
    """
    nothing = np.zeros(len(panel), np.int64)
    if before is None or before.targets != panel.targets:
        return panel, nothing
    numbers = _matching(panel, before)
    shift = _origin_shift(panel, before)
    if shift is None:
        return panel, nothing
    added = np.array(
        [
            0 if number is None else _missing(panel, row, before, number, shift)
            for row, number in enumerate(numbers)
        ],
        np.int64,
    )
    if not added.any():
        return panel, nothing
    parts: list[Array] = []
    for row, number in enumerate(numbers):
        if added[row]:
            parts.append(before.series(cast(int, number))[: added[row]])
        parts.append(panel.values[panel.offsets[row] : panel.offsets[row + 1]])
    lengths = np.diff(panel.offsets) + added
    whole = replace(
        panel,
        values=np.concatenate(parts),
        offsets=np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
        starts=panel.starts - added,
    )
    return whole, added


def _missing(panel: Panel, row: int, before: Panel, number: int, shift: int) -> int:
    """How many steps of training come before a series that begins where it ends, or within it.

    What both have must be the same, or it is no continuation.
    """
    start = int(panel.starts[row]) + shift
    own, known = panel.series(row), before.series(number)
    common = int(before.ends[number]) - start
    ahead = len(known) - common
    if common < 0 or ahead < 0 or common > len(own) > 0:
        return 0
    same = np.allclose(own[:common], known[ahead:], rtol=1e-9, atol=0, equal_nan=True)
    return ahead if same and (common == 0 or len(own)) else 0


def known_ends(panel: Panel, before: Panel) -> list[int | None]:
    """Say where training ended in each series.

    Args:
        panel: The series.
        before: The last steps of training.

    Returns:
        The position on the panel's clock of the first step after training; None for a series that
        training had not.
    """
    shift = _origin_shift(panel, before)
    if shift is None:
        return [None] * len(panel)
    return [
        None if number is None else int(before.ends[number]) - shift
        for number in _matching(panel, before)
    ]


def _matching(panel: Panel, before: Panel) -> list[int | None]:
    if panel.names is None or before.names is None:
        same = panel.names is before.names and len(panel) == len(before)  # told by their position
        return [*range(len(panel))] if same else [None] * len(panel)
    return numbers_of(panel.names, before.names)


def _origin_shift(panel: Panel, before: Panel) -> int | None:
    """What to add to positions of the one clock for those of the other; None if they differ."""
    mine, other = panel.clock, before.clock
    one, two = ((at.kind, at.step, at.zone, at.slots) for at in (mine, other))
    if one != two:
        return None
    at, exact = other.positions(np.array([mine.origin]))
    return int(at[0]) if exact.all() else None

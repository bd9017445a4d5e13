"""The scoring rules of the Numenta Anomaly Benchmark, standard profile.

Lavin & Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", ICMLA 2015, and the rules as
the benchmark's repository applies them today: where a window begins and ends, how long probation
lasts and how a score is normalised are details of that code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

# Costs of the standard profile: a hit and a miss count 1.
FALSE_ALARM = 0.11
# Rows at the start of a file that do not count.
PROBATION_SHARE, PROBATION_ROWS = 0.15, 5000


@dataclass(frozen=True)
class Marked:
    """A file of the benchmark with what its rows are worth.

    Attributes:
        worth: What an alarm at each row adds: in a window up to 1, outside it down to -0.11.
        window: The number of the window each row lies in; -1 outside, -2 in probation.
        windows: How many windows there are.
    """

    worth: Array
    window: Array
    windows: int


@dataclass(frozen=True)
class Result:
    """What alarms are worth over all files.

    Attributes:
        score: 100 is perfect, 0 is what no alarm at all gets.
        found: Windows with an alarm.
        windows: Windows.
        false_alarms: Alarms outside of windows.
    """

    score: float
    found: int
    windows: int
    false_alarms: int


def probation(rows: int) -> int:
    """Count the rows of a file that do not count: 15 %, but of no more than 5,000.

    Example:
        >>> probation(4032), probation(22695)
        (604, 750)
    """
    return math.floor(min(PROBATION_SHARE * rows, PROBATION_SHARE * PROBATION_ROWS))


def sigmoid(position: float) -> float:
    """Scale a position: 1 far before the end of a window, 0 at it, -1 from three lengths on."""
    return -1.0 if position >= 3 else 2 / (1 + math.exp(5 * position)) - 1


def mark(rows: int, windows: Sequence[tuple[int, int]]) -> Marked:
    """Work out what an alarm at each row of a file is worth.

    Args:
        rows: Rows of the file.
        windows: First and last row of each window, ascending.

    Returns:
        The marked file.
    """
    worth, place = np.full(rows, FALSE_ALARM * sigmoid(3.0)), np.full(rows, -1)
    for number, (first, last) in enumerate(windows):
        width = last - first + 1
        for row in range(first, last + 1):
            worth[row] = sigmoid(-(last - row + 1) / width) / sigmoid(-1.0)
            place[row] = number
        following = windows[number + 1][0] if number + 1 < len(windows) else rows
        for row in range(last + 1, following):
            worth[row] = FALSE_ALARM * sigmoid((row - last) / max(1, width - 1))
    place[: probation(rows)] = -2
    return Marked(worth, place, len(windows))


def score(files: Sequence[Marked], alarms: Sequence[Array]) -> Result:
    """Score alarms over all files.

    The earliest alarm of a window counts, a window without one costs 1, and every alarm outside
    of windows costs up to 0.11, little shortly after a window.

    Args:
        files: The marked files.
        alarms: Whether there is an alarm at each row, `[rows]` bool for each file.

    Returns:
        The score and what it comes from.
    """
    total, found, false = 0.0, 0, 0
    windows = sum(file.windows for file in files)
    for file, alarm in zip(files, alarms, strict=True):
        outside = np.asarray(alarm, bool) & (file.window == -1)
        total += float(file.worth[outside].sum())
        false += int(outside.sum())
        for number in range(file.windows):
            worth = file.worth[np.asarray(alarm, bool) & (file.window == number)]
            total += float(worth.max()) if len(worth) else -1.0
            found += bool(len(worth))
    return Result(100 * (total + windows) / (2 * windows), found, windows, false)


def best_threshold(files: Sequence[Marked], scores: Sequence[Array]) -> tuple[float, float]:
    """Find the threshold that scores best: the labels are looked at, as the leaderboard does.

    Args:
        files: The marked files.
        scores: The score of each row, `[rows]` for each file, greater is more anomalous; NaN is
            never an alarm.

    Returns:
        The score of the benchmark, and the threshold that gets it: an alarm is at or above it.
    """
    windows = sum(file.windows for file in files)
    rows = [
        (float(value), float(worth), (number, int(window)))
        for number, (file, column) in enumerate(zip(files, scores, strict=True))
        for value, worth, window in zip(column, file.worth, file.window, strict=True)
        if window != -2 and not math.isnan(value)
    ]
    rows.sort(key=lambda row: -row[0])
    earned: dict[tuple[int, int], float] = {}
    total = best = -float(windows)
    threshold = math.inf
    for place, (value, worth, window) in enumerate(rows):
        if window[1] == -1:
            total += worth
        elif worth > earned.get(window, -1.0):
            total += worth - earned.get(window, -1.0)
            earned[window] = worth
        last_of_value = place + 1 == len(rows) or rows[place + 1][0] != value
        if last_of_value and total > best:
            best, threshold = total, value
    return 100 * (best + windows) / (2 * windows), threshold

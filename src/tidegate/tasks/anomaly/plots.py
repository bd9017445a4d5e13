"""Pictures of what an anomaly detector found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.explain.figures import BLUE, GREY, ORANGE, RED, SKY, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Alarms whose explanation is written into the picture; more would hide the series.
_NAMED = 12


def draw_detections(
    values: Array,
    names: Sequence[str],
    columns: Mapping[str, Array],
    times: pd.DatetimeIndex | None = None,
) -> Figure:
    """Draw each variable with what was expected of it, the score under them, alarms in both.

    Args:
        values: `[T, D]`, NaN where missing.
        names: What the D variables are called.
        columns: What was found: `score`, `alarm`, `variable`, `kind`, `expected` and `ready`,
            `[T]` each.
        times: The time of each step; None counts them.

    Returns:
        A figure, a line for each variable and one for the score.
    """
    steps = np.arange(len(values)) if times is None else times.to_numpy()
    drawn = figure(11, 1.6 + 2.4 * len(names))
    heights = [*[2.0] * len(names), 1.0]
    lines = drawn.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axes, name, variable in zip(lines, names, values.T, strict=False):
        _draw_variable(axes, name, variable, columns, steps, alone=len(names) == 1)
    _draw_score(lines[-1], columns, steps)
    _label_steps(lines[-1], dated=times is not None)
    told = f"{int(columns['alarm'].sum())} alarms in {len(values):,} values"
    lines[0].set_title(told, loc="right", fontsize=10)
    return drawn


def _draw_variable(
    axes: Axes, name: str, values: Array, columns: Mapping[str, Array], steps: Array, *, alone: bool
) -> None:
    if alone:  # of several, a step tells what was expected of one
        ready = columns["ready"].astype(bool)
        axes.plot(steps[ready], columns["expected"][ready], color=ORANGE, lw=2.5, alpha=0.6,
                  label="expected")  # fmt: skip
    axes.plot(steps, values, color=BLUE, lw=0.8, label=name)
    alarms = np.nonzero(columns["alarm"] & (columns["variable"] == name))[0]
    axes.plot(steps[alarms], values[alarms], "v", color=RED, ms=8, label="alarm")
    for step in alarms[:_NAMED]:
        axes.annotate(str(columns["kind"][step]), (steps[step], values[step]), xytext=(6, 6),
                      textcoords="offset points", color=RED, fontsize=9,
                      bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 1})  # fmt: skip
    axes.margins(y=0.12)
    axes.set_ylabel(name)
    axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)


def _draw_score(axes: Axes, columns: Mapping[str, Array], steps: Array) -> None:
    score = columns["score"]
    axes.fill_between(steps, np.nan_to_num(score), color=SKY, step="mid")
    learning = ~columns["ready"].astype(bool)
    if learning.any():
        axes.axvspan(steps[0], steps[int(np.nonzero(learning)[0][-1])], color=GREY, alpha=0.2)
    alarms = np.nonzero(columns["alarm"])[0]
    axes.plot(steps[alarms], score[alarms], "v", color=RED, ms=6)
    axes.set(ylabel="score", ylim=(0, max(4.0, float(np.nanmax(score, initial=0)) * 1.15)))


def _label_steps(axes: Axes, *, dated: bool) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    axes.set_xlabel("time" if dated else "step")
    if dated:
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        axes.xaxis.set(major_locator=locator, major_formatter=formatter)

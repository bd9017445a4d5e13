"""Pictures of what an anomaly detector found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tidegate.explain.figures import BLUE, GREY, ORANGE, RED, SKY, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tidegate.tasks.anomaly.findings import Findings

# Alarms whose explanation is written into the picture; more would hide the series.
_NAMED = 12


def draw(findings: Findings) -> Figure:
    """Draw each variable with what was expected of it, the score under them, alarms in both.

    Args:
        findings: Of a series.

    Returns:
        A figure, a line for each variable and one for the score.
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    readings = findings.readings
    steps: Any = np.arange(len(readings))
    if readings.seconds is not None:
        steps = pd.to_datetime(readings.seconds, unit="s").to_numpy()
    count = len(readings.names)
    drawn = figure(11, 1.6 + 2.4 * count)
    heights = [*[2.0] * count, 1.0]
    lines = drawn.subplots(count + 1, 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for number, name in enumerate(readings.names):
        _variable(lines[number], findings, steps, number, name)
    _score(lines[-1], findings, steps)
    if readings.seconds is not None:
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        lines[-1].xaxis.set(major_locator=locator, major_formatter=formatter)
    lines[0].set_title(
        f"{int(findings.alarm.sum())} alarms in {len(findings):,} values", loc="right", fontsize=10
    )
    return drawn


def _variable(axes: Axes, findings: Findings, steps: Any, number: int, name: str) -> None:
    columns, values = findings.columns, findings.readings.values[:, number]
    told = columns["variable"] == name
    if len(findings.readings.names) == 1:  # of several, a step tells what was expected of one
        ready = columns["ready"].astype(bool)
        axes.plot(steps[ready], columns["expected"][ready], color=ORANGE, lw=2.5, alpha=0.6,
                  label="expected")  # fmt: skip
    axes.plot(steps, values, color=BLUE, lw=0.8, label=name)
    alarms = np.nonzero(findings.alarm & told)[0]
    axes.plot(steps[alarms], values[alarms], "v", color=RED, ms=8, label="alarm")
    for step in alarms[:_NAMED]:
        axes.annotate(str(columns["kind"][step]), (steps[step], values[step]), xytext=(6, 6),
                      textcoords="offset points", color=RED, fontsize=9,
                      bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 1})  # fmt: skip
    axes.margins(y=0.12)
    axes.set_ylabel(name)
    axes.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)


def _score(axes: Axes, findings: Findings, steps: Any) -> None:
    score = findings.score
    axes.fill_between(steps, np.nan_to_num(score), color=SKY, step="mid")
    learning = ~findings.columns["ready"].astype(bool)
    if learning.any():
        axes.axvspan(steps[0], steps[int(np.nonzero(learning)[0][-1])], color=GREY, alpha=0.2)
    alarms = np.nonzero(findings.alarm)[0]
    axes.plot(steps[alarms], score[alarms], "v", color=RED, ms=6)
    axes.set(ylabel="score", ylim=(0, max(4.0, float(np.nanmax(score, initial=0)) * 1.15)))
    axes.set_xlabel("time" if findings.readings.seconds is not None else "step")

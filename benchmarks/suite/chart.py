"""A bar chart of a result: how many times as long as tidegate everybody takes."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from benchmarks.suite.measure import Row
from benchmarks.suite.report import title
from benchmarks.suite.target import Group

# Bars of others; tidegate is the line at 1. Groups about tidegate alone are not drawn.
GROUPS = ("training", "gru-rnn", "inference", "ragged", "variants", "streaming")
COLORS = {
    "torch": "#b5452c",
    "packed": "#7d2a1a",
    "loop": "#c98a2b",
    "compiled": "#8a6d1f",
    "jax": "#4f7d4a",
    "keras": "#9bb58f",
    "onnxruntime": "#3d6a96",
    "openvino": "#8a6aa8",
}
_INCHES = 0.11


def draw(groups: list[Group], path: Path) -> bool:
    """Write the chart as a PNG.

    Args:
        groups: What was measured.
        path: The file.

    Returns:
        Whether there was something to draw.
    """
    panels = {group.title: rows for group in groups if (rows := _drawn(group))}
    if not panels:
        return False
    heights = [0.5 + _INCHES * sum(len(_bars(row)) + 1 for row in rows) for rows in panels.values()]
    figure = Figure(figsize=(8, sum(heights) + 0.7), layout="constrained")
    axes = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
    for (name, rows), axis in zip(panels.items(), axes, strict=True):
        _draw(rows, axis)
        axis.set_title(name, fontsize=9)
    shown = [name for name in COLORS if any(name in _bars(r) for p in panels.values() for r in p)]
    figure.legend(
        handles=[Patch(color=COLORS[name], label=title(name)) for name in shown],
        title="time, where tidegate's is 1 (logarithmic)",
        loc="outside upper center",
        ncols=4,
        fontsize=8,
        frameon=False,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    return True


def _drawn(group: Group) -> list[Row]:
    """The rows with somebody to compare with; of the variants, training tells enough."""
    if group.name not in GROUPS:
        return []
    rows = [row for row in group.rows if group.name != "variants" or row.phase == "training"]
    return [row for row in rows if _bars(row)]


def _bars(row: Row) -> dict[str, float]:
    found = {name: row.ratio(name) for name in COLORS}
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def _draw(rows: list[Row], axis: Axes) -> None:
    """Bars from the top, those of a row together, each from 1: a faster one points to the left."""
    place, ticks, names = 0.0, [], []
    for row in rows:
        bars = _bars(row)
        ticks.append(place + 0.5 * (len(bars) - 1))
        names.append(f"{row.case.name} {row.case.shape}, {row.phase}")
        for name, ratio in bars.items():
            axis.barh(place, ratio - 1, 0.9, 1, color=COLORS[name])
            text = f" {ratio:.{0 if ratio >= 9.95 else 1}f}"
            axis.text(max(ratio, 1.0), place, text, va="center", fontsize=6)
            place += 1
        place += 1
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set_yticks(ticks, names)
    axis.tick_params(labelsize=7)
    axis.set_ylim(place - 1.2, -0.8)
    axis.margins(x=0.1)
    axis.spines[["top", "right"]].set_visible(False)

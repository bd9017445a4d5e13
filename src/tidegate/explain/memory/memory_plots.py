"""Pictures of the memory of a layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tidegate.errors import InputError, message
from tidegate.explain.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from tidegate.explain.memory.memory import Memory

_CONSTANT = (0.5, 0.9, 0.99, 0.999)
_COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY)


def plot_memory(memory: Memory) -> Figure:
    """Draw what is left of a value against its age, and the half-lives of the units.

    Args:
        memory: Of any number of layers and directions.

    Returns:
        A figure with a line of two pictures for each layer and direction.
    """
    count = len(memory.rows)
    drawn = figure(10, 3.4 * count)
    panels = drawn.subplots(count, 2, squeeze=False)
    for entry, (left, right) in enumerate(panels):
        _draw_retention(left, memory, entry)
        _draw_half_lives(right, memory, entry)
    # One scale for all, so that they can be compared.
    ends = [axes.get_ylim() for axes in panels[:, 1]]
    for axes in panels[:, 1]:
        axes.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
    return drawn


def _draw_retention(axes: Axes, memory: Memory, entry: int) -> None:
    """What is left by age: each unit, the median, and gates that never move for comparison."""
    curves = memory.retention[entry].numpy()
    ages = np.arange(len(curves))
    axes.plot(ages, curves, color=GREY, lw=0.5, alpha=0.4)
    low, middle, high = np.quantile(curves, (0.1, 0.5, 0.9), axis=1)
    axes.fill_between(ages, low, high, color=SKY, alpha=0.35, label="80 % of the units")
    axes.plot(ages, middle, color=BLUE, lw=2.5, label="median unit")
    name = f"if the {memory.gate} gate were always ..."
    for kept in _CONSTANT:
        axes.plot(ages, kept**ages, color=RED, lw=1.2, ls=(0, (4, 3)), label=name)
        name = ""  # one line of the legend for all of them
        _name_curve(axes, kept, len(curves) - 1)
    _set_ages(axes, len(curves))
    axes.set_title(f"{memory.rows[entry]}: what is left of a value")
    short = (
        middle[math.isqrt(len(ages) - 1)] < 0.5
    )  # half of it is gone in the left half of the axis
    axes.legend(fontsize=8, loc="center right" if short else "lower left")


def _set_ages(axes: Axes, count: int) -> None:
    """Axes of shares by age; memories of 3 and of 300 steps fit on a logarithmic one alone."""
    axes.set(xlabel="age of the value, steps", xlim=(1, max(2, count - 1)))
    axes.set_xscale("log")  # after the limits: it would complain of a single value, of age 0
    _number(axes.xaxis)
    axes.set(ylabel="share that is left", ylim=(0, 1.02))


def _number(axis: Axis) -> None:
    """Write 1, 2, 5, 10 ... on a logarithmic axis instead of powers; more on a short one."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(
        LogLocator(subs=(1, 2, 5) if high > 10 * low > 0 else (1, 1.5, 2, 3, 4, 5, 7))
    )
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def _name_curve(axes: Axes, kept: float, last: int) -> None:
    """Write a gate's value on its curve, where 0.7 are left, or at the right edge."""
    age = min(max(1.2, math.log(0.7) / math.log(kept)), 0.7 * last)
    if age >= 1:
        box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}
        where: dict[str, Any] = {"ha": "center", "va": "center", "bbox": box}
        axes.text(age, kept**age, f"{kept:g}", color=RED, fontsize=8, clip_on=True, **where)


def _draw_half_lives(axes: Axes, memory: Memory, entry: int) -> None:
    """The half-life of every unit, sorted."""
    lives = memory.half_life[entry].sort(descending=True).values.numpy()
    shown = np.minimum(lives, _ceiling(lives))
    axes.plot(np.arange(len(lives)), shown, ".", color=BLUE, ms=6)
    axes.set_yscale("log")
    _number(axes.yaxis)
    effective = float(memory.effective[entry])
    if math.isfinite(effective):
        label = f"half of all that the units hold: {effective:.3g}"
        axes.axhline(effective, color=ORANGE, lw=2, label=label)
        axes.legend(fontsize=8, loc="lower left")
    if not np.isfinite(lives).all():
        axes.text(0.01, 0.94, "the highest: never", transform=axes.transAxes, fontsize=8)
    axes.set(
        xlabel=f"{len(lives)} units, the longest memory first",
        ylabel="half-life, steps",
        title=f"{memory.rows[entry]}: half-lives",
    )


def _ceiling(lives: np.ndarray) -> float:
    """How high a bar may get: units that never forget must not hide the others."""
    finite = lives[np.isfinite(lives)]
    return float(3 * finite.max()) if len(finite) else 1.0


def plot_memories(memories: Mapping[str, Memory], row: str = "layer 0 forward") -> Figure:
    """Compare the memory of layers: before and after training, torch's initial weights and chrono.

    Args:
        memories: The memory of each by its name.
        row: The layer and direction to compare.

    Returns:
        A figure with the share of the units that remember longer, against the half-life, and
        with what is left of a value at the median unit, against its age.

    Raises:
        InputError: If there is nothing to compare, or one has no such layer and direction.
    """
    if not memories:
        raise InputError(message("plot_memories", "memories", "at least one memory", "none"))
    drawn = figure(10, 4)
    left, right = drawn.subplots(1, 2)
    for number, (name, memory) in enumerate(memories.items()):
        if row not in memory.rows:
            rule = f"one of {', '.join(memory.rows)}"
            raise InputError(message("plot_memories", "row", rule, repr(row)))
        entry, colour = memory.rows.index(row), _COLOURS[number % len(_COLOURS)]
        curves = memory.retention[entry].numpy()
        low, middle, high = np.quantile(curves, (0.1, 0.5, 0.9), axis=1)
        left.fill_between(np.arange(len(curves)), low, high, color=colour, alpha=0.15)
        left.plot(middle, color=colour, lw=2, label=name)
        lives = np.sort(memory.half_life[entry].numpy())
        lives = np.minimum(lives, _ceiling(lives))
        longer = 100 * (1 - np.arange(len(lives)) / len(lives))
        right.step(lives, longer, where="pre", color=colour, lw=2, label=name)
    _set_ages(left, max(memory.retention.shape[1] for memory in memories.values()))
    left.set_title(f"{row}: median unit, 80 % of units")
    right.set_xscale("log")
    _number(right.xaxis)
    right.set(xlabel="half-life, steps", ylabel="% of the units with at least that")
    right.set(ylim=(0, 102), title="how many units remember how long")
    drawn.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    return drawn

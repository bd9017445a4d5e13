"""Pictures of the memory of a layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tidegate.explain.figures import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Array = np.ndarray[Any, np.dtype[Any]]

_CONSTANT = (0.5, 0.9, 0.99, 0.999)
_COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY)


@dataclass(frozen=True, eq=False)
class Retention:
    """How long the units of one layer and direction remember, as it is drawn.

    Axis letters: H units, S distances from 0.

    Attributes:
        row: The layer and direction, "layer 0 forward" say.
        shares: Share of a value that is left by its age, `[S, H]`.
        half_lives: Steps after which half is left, `[H]`; infinite where nothing is lost.
        effective: Steps after which half of what all units hold is left.
    """

    row: str
    shares: Array
    half_lives: Array
    effective: float


def plot_retentions(retentions: Sequence[Retention], gate: str) -> Figure:
    """Draw what is left of a value against its age, and the half-lives of the units.

    Args:
        retentions: One for each layer and direction.
        gate: The gate that keeps: "forget" or "update".

    Returns:
        A figure with a line of two pictures for each layer and direction.
    """
    count = len(retentions)
    drawn = figure(10, 3.4 * count)
    panels = drawn.subplots(count, 2, squeeze=False)
    for retention, (left, right) in zip(retentions, panels, strict=True):
        _draw_shares(left, retention, gate)
        _draw_half_lives(right, retention)
    # One scale for all, so that they can be compared.
    ends = [axes.get_ylim() for axes in panels[:, 1]]
    for axes in panels[:, 1]:
        axes.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
    return drawn


def _draw_shares(axes: Axes, retention: Retention, gate: str) -> None:
    """What is left by age: each unit, the median, and gates that never move for comparison."""
    curves = retention.shares
    ages = np.arange(len(curves))
    axes.plot(ages, curves, color=GREY, lw=0.5, alpha=0.4)
    low, middle, high = np.quantile(curves, (0.1, 0.5, 0.9), axis=1)
    axes.fill_between(ages, low, high, color=SKY, alpha=0.35, label="80 % of the units")
    axes.plot(ages, middle, color=BLUE, lw=2.5, label="median unit")
    name = f"if the {gate} gate were always ..."
    for kept in _CONSTANT:
        axes.plot(ages, kept**ages, color=RED, lw=1.2, ls=(0, (4, 3)), label=name)
        name = ""  # one line of the legend for all of them
        _name_curve(axes, kept, len(curves) - 1)
    _set_ages(axes, len(curves))
    axes.set_title(f"{retention.row}: what is left of a value")
    # Whether half of it is gone in the left half of the axis.
    short = middle[math.isqrt(len(ages) - 1)] < 0.5
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


def _draw_half_lives(axes: Axes, retention: Retention) -> None:
    """The half-life of every unit, sorted."""
    lives = np.sort(retention.half_lives)[::-1]
    shown = np.minimum(lives, _ceiling(lives))
    axes.plot(np.arange(len(lives)), shown, ".", color=BLUE, ms=6)
    axes.set_yscale("log")
    _number(axes.yaxis)
    if math.isfinite(retention.effective):
        label = f"half of all that the units hold: {retention.effective:.3g}"
        axes.axhline(retention.effective, color=ORANGE, lw=2, label=label)
        axes.legend(fontsize=8, loc="lower left")
    if not np.isfinite(lives).all():
        axes.text(0.01, 0.94, "the highest: never", transform=axes.transAxes, fontsize=8)
    axes.set(
        xlabel=f"{len(lives)} units, the longest memory first",
        ylabel="half-life, steps",
        title=f"{retention.row}: half-lives",
    )


def _ceiling(lives: np.ndarray) -> float:
    """How high a bar may get: units that never forget must not hide the others."""
    finite = lives[np.isfinite(lives)]
    return float(3 * finite.max()) if len(finite) else 1.0


def plot_comparison(retentions: Mapping[str, Retention], row: str) -> Figure:
    """Compare how long the units of several layers remember.

    Args:
        retentions: One for each layer by its name.
        row: The layer and direction that they are of.

    Returns:
        A figure with what is left of a value at the median unit, against its age, and with the
        share of the units that remember longer, against the half-life.
    """
    drawn = figure(10, 4)
    left, right = drawn.subplots(1, 2)
    for number, (name, retention) in enumerate(retentions.items()):
        colour, curves = _COLOURS[number % len(_COLOURS)], retention.shares
        low, middle, high = np.quantile(curves, (0.1, 0.5, 0.9), axis=1)
        left.fill_between(np.arange(len(curves)), low, high, color=colour, alpha=0.15)
        left.plot(middle, color=colour, lw=2, label=name)
        lives = np.sort(retention.half_lives)
        lives = np.minimum(lives, _ceiling(lives))
        longer = 100 * (1 - np.arange(len(lives)) / len(lives))
        right.step(lives, longer, where="pre", color=colour, lw=2, label=name)
    _set_ages(left, max(len(retention.shares) for retention in retentions.values()))
    left.set_title(f"{row}: median unit, 80 % of units")
    right.set_xscale("log")
    _number(right.xaxis)
    right.set(xlabel="half-life, steps", ylabel="% of the units with at least that")
    right.set(ylim=(0, 102), title="how many units remember how long")
    drawn.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    return drawn

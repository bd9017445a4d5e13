"""Pictures of forecasts and of backtests, drawn of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.clock import TimeAxis
from tidegate.explain.figures import BLUE, GREY, ORANGE, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class ForecastPath:
    """One forecast of one target, ready to be drawn.

    Axis letters: H steps ahead, L levels.

    Attributes:
        times: `[H]`.
        mean: `[H]`.
        lower: The lower end of each interval, `[H, L]`.
        upper: The upper end.
        levels: Which share of the truth each interval is to cover.
    """

    times: TimeAxis
    mean: Array
    lower: Array
    upper: Array
    levels: Sequence[float]


@dataclass(frozen=True, eq=False)
class History:
    """What was before a forecast.

    Attributes:
        times: `[T]`.
        values: `[T]`.
        name: What the series or the target is called.
    """

    times: TimeAxis
    values: Array
    name: str


def draw_forecasts(pairs: Sequence[tuple[History, ForecastPath]], title: str) -> Figure:
    """Draw what was, what is to come, and how sure that is: a picture for each pair.

    Args:
        pairs: The history and the forecast of each series or target.
        title: What stands above.

    Returns:
        A figure.
    """
    drawn = figure(10, 1.0 + 2.8 * len(pairs))
    pictures = drawn.subplots(len(pairs), 1, squeeze=False)[:, 0]
    for number, (axes, (past, path)) in enumerate(zip(pictures, pairs, strict=True)):
        axes.plot(past.times, past.values, color=GREY, linewidth=1.2, label="history")
        _draw_intervals(axes, path)
        joined = np.concatenate((past.values[-1:], path.mean))
        axes.plot(_joined(past.times[-1:], path.times), joined, color=BLUE, linewidth=1.6,
                  label="forecast")  # fmt: skip
        _mark(axes, past.times[-1], GREY, 0.8)
        _finish(axes, past.name, named=number == 0)
    drawn.suptitle(title, parse_math=False)
    return drawn


def draw_backtest(
    times: TimeAxis, truth: Array, paths: Sequence[ForecastPath], name: str
) -> Figure:
    """Draw what came, and forecasts from past origins over it.

    Args:
        times: The times of what came, `[T]`.
        truth: `[T]`.
        paths: The forecasts.
        name: What the target is called.

    Returns:
        A figure.
    """
    drawn = figure(10, 3.8)
    axes = drawn.subplots()
    axes.plot(times, truth, color=GREY, linewidth=1.2, label="what came")
    for number, path in enumerate(paths):
        _draw_intervals(axes, path, named=number == 0)
        label = "forecast" if number == 0 else None
        axes.plot(path.times, path.mean, color=BLUE, linewidth=1.4, label=label)
        _mark(axes, path.times[0], ORANGE, 0.6)
    _finish(axes, name)
    return drawn


def _draw_intervals(axes: Axes, path: ForecastPath, *, named: bool = True) -> None:
    """The widest behind."""
    for place, number in enumerate(np.argsort(path.levels)[::-1]):
        label = f"{100 * path.levels[number]:g} % interval" if named else None
        axes.fill_between(path.times, path.lower[:, number], path.upper[:, number], color=BLUE,
                          alpha=0.16 + 0.14 * place, linewidth=0, label=label)  # fmt: skip


def _mark(axes: Axes, time: Any, color: str, width: float) -> None:  # dates are no floats to hints
    axes.axvline(time, color=color, linewidth=width, linestyle=":")


def _joined(last: TimeAxis, ahead: TimeAxis) -> TimeAxis:
    """Times with the last one of the history in front, so that the line is not broken."""
    if isinstance(last, pd.DatetimeIndex):
        return cast(pd.DatetimeIndex, last.append(pd.DatetimeIndex(ahead)))
    return np.concatenate((last, np.asarray(ahead)))


def _finish(axes: Axes, target: str, *, named: bool = True) -> None:
    axes.set_ylabel(target, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if named:  # above the picture, where no line can run into it
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, fontsize=9)
    axes.margins(x=0.01)

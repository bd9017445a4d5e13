"""Pictures of forecasts and of backtests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tidegate.explain.figures import BLUE, GREY, ORANGE, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tidegate.tasks.forecast.backtest import Backtest
    from tidegate.tasks.forecast.forecast import Forecast

# Steps of history shown for each step ahead, at most: more would squeeze the forecast.
_HISTORY = 4
# Forecasts of a backtest that are shown, the last ones.
_SHOWN = 12


def draw_forecast(forecast: Forecast, number: int, targets: list[int]) -> Figure:
    """Draw one series: what was, what is to come, and how sure that is.

    Args:
        forecast: The forecast.
        number: The series.
        targets: Numbers of the targets, a picture each.

    Returns:
        A figure.
    """
    drawn = figure(10, 1.0 + 2.8 * len(targets))
    pictures: Any = drawn.subplots(len(targets), 1, squeeze=False)[:, 0]
    panel = forecast.panel
    length = int(panel.lengths[number])
    shown = min(length, max(_HISTORY * forecast.horizon, 60))
    past, ahead = panel.times(number, length - shown, shown), forecast.times(number)
    for axes, target in zip(pictures, targets, strict=True):
        history = panel.series(number)[length - shown :, target]
        axes.plot(past, history, color=GREY, linewidth=1.2, label="history")
        mean = forecast.mean[number, :, target]
        bands = [
            (
                level,
                forecast.lower[number, :, target, place],
                forecast.upper[number, :, target, place],
            )
            for place, level in enumerate(forecast.levels)
        ]
        _draw_bands(axes, ahead, bands)
        joined = np.concatenate((history[-1:], mean))
        axes.plot(_joined(past[-1:], ahead), joined, color=BLUE, linewidth=1.6, label="forecast")
        axes.axvline(past[-1], color=GREY, linewidth=0.8, linestyle=":")
        _finish(axes, panel.targets[target], named=target == targets[0])
    name = f"{forecast.names[number]}: " if len(forecast.names) > 1 else ""
    drawn.suptitle(f"{name}{forecast.horizon} steps of {panel.clock.name}", parse_math=False)
    return drawn


def draw_backtest(backtest: Backtest, number: int, target: int) -> Figure:
    """Draw what came, and forecasts from past origins that do not overlap.

    Args:
        backtest: The backtest.
        number: The series.
        target: The target.

    Returns:
        A figure.
    """
    drawn = figure(10, 3.8)
    axes: Any = drawn.subplots()  # times are no floats to matplotlib's hints
    panel, horizon = backtest.panel, backtest.horizon
    rows = np.flatnonzero(backtest.series == number)
    free = rows[:1].tolist()
    for row in rows:
        if backtest.origins[row] >= backtest.origins[free[-1]] + horizon:
            free.append(int(row))
    free = free[-_SHOWN:]
    first = max(0, int(backtest.origins[free[0]]) - horizon)
    last = min(int(backtest.origins[free[-1]]) + horizon, int(panel.lengths[number]))
    axes.plot(panel.times(number, first, last - first),
              panel.series(number)[first:last, target], color=GREY, linewidth=1.2,
              label="what came")  # fmt: skip
    for place, row in enumerate(free):
        ahead = panel.times(number, int(backtest.origins[row]), horizon)
        bands = [
            (level, backtest.lower[row, :, target, at], backtest.upper[row, :, target, at])
            for at, level in enumerate(backtest.levels)
        ]
        _draw_bands(axes, ahead, bands, named=place == 0)
        label = "forecast" if place == 0 else None
        axes.plot(ahead, backtest.mean[row, :, target], color=BLUE, linewidth=1.4, label=label)
        axes.axvline(ahead[0], color=ORANGE, linewidth=0.6, linestyle=":")
    _finish(axes, panel.targets[target])
    return drawn


def _draw_bands(axes: Any, ahead: Any, bands: list[Any], *, named: bool = True) -> None:
    """Intervals, the widest behind."""
    for place, (level, lower, upper) in enumerate(sorted(bands, key=lambda band: -band[0])):
        shade = 0.16 + 0.14 * place
        label = f"{100 * level:g} % interval" if named else None
        axes.fill_between(ahead, lower, upper, color=BLUE, alpha=shade, linewidth=0, label=label)


def _joined(last: Any, ahead: Any) -> Any:
    """Times with the last one of the history in front, so that the line is not broken."""
    return last.append(ahead) if hasattr(last, "append") else np.concatenate((last, ahead))


def _finish(axes: Any, target: str, *, named: bool = True) -> None:
    axes.set_ylabel(target, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if named:  # above the picture, where no line can run into it
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, fontsize=9)
    axes.margins(x=0.01)

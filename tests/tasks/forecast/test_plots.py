"""Pictures of forecasts: lines and bands where the arrays say, read back from the figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.tasks.forecast.plots import ForecastPath, History, draw_backtest, draw_forecasts


def path(first: int, levels: tuple[float, ...] = (0.8, 0.95)) -> ForecastPath:
    mean = np.arange(first, first + 3.0)
    reach = np.array(levels)
    return ForecastPath(
        np.arange(first, first + 3), mean, mean[:, None] - reach, mean[:, None] + reach, levels
    )


def lines(axes) -> dict[str, list[list[float]]]:
    return {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}


def ends(band) -> tuple[float, float]:
    """The lowest and the highest value of a band at its first step."""
    vertices = band.get_paths()[0].vertices
    first = vertices[vertices[:, 0] == vertices[:, 0].min(), 1]
    return first.min(), first.max()


def test_a_forecast_goes_on_from_the_history_with_the_widest_interval_behind():
    history = History(np.array([1, 2]), np.array([7.0, 8.0]), "sales")
    figure = draw_forecasts([(history, path(3))], "3 steps")
    (axes,) = figure.axes
    assert lines(axes)["history"] == [[1, 7], [2, 8]]
    assert lines(axes)["forecast"] == [[2, 8], [3, 3], [4, 4], [5, 5]]
    wide, narrow = axes.collections
    assert (wide.get_label(), narrow.get_label()) == ("95 % interval", "80 % interval")
    assert ends(wide) == pytest.approx((3 - 0.95, 3 + 0.95))
    assert ends(narrow) == pytest.approx((3 - 0.8, 3 + 0.8))
    assert wide.get_alpha() < narrow.get_alpha()
    assert figure.get_suptitle() == "3 steps"
    assert axes.get_ylabel() == "sales"


def test_each_target_has_its_picture_and_the_first_the_legend():
    times = np.array([1, 2])
    one, two = History(times, np.array([7.0, 8.0]), "a"), History(times, np.array([1.0, 2.0]), "b")
    figure = draw_forecasts([(one, path(3, ())), (two, path(9, ()))], "")
    first, second = figure.axes
    assert lines(first)["history"] == [[1, 7], [2, 8]]
    assert lines(second)["history"] == [[1, 1], [2, 2]]
    assert first.get_legend() is not None
    assert second.get_legend() is None
    assert not first.collections


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_dates_stay_dates(zone):
    days = pd.date_range("2024-03-30", periods=5, freq="D", tz=zone)
    ahead = path(3)
    ahead = ForecastPath(days[2:], ahead.mean, ahead.lower, ahead.upper, ahead.levels)
    figure = draw_forecasts([(History(days[:2], np.ones(2), "y"), ahead)], "")
    figure.draw_without_rendering()
    line = next(line for line in figure.axes[0].get_lines() if line.get_label() == "forecast")
    assert list(pd.DatetimeIndex(line.get_xdata(orig=True))) == list(days[1:])


def test_forecasts_of_a_backtest_lie_over_what_came_and_are_named_once():
    truth = np.arange(10.0)
    axes = draw_backtest(np.arange(10), truth, [path(2), path(6)], "load").axes[0]
    assert lines(axes)["what came"] == [[step, step] for step in range(10)]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["what came", "95 % interval", "80 % interval", "forecast"]
    drawn = [line.get_xydata().tolist() for line in axes.get_lines() if len(line.get_xdata()) == 3]
    assert drawn == [[[2, 2], [3, 3], [4, 4]], [[6, 6], [7, 7], [8, 8]]]
    assert len(axes.collections) == 4

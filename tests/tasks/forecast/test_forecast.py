"""Forecasts as tables and pictures: a row for each series, time and target."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.inputs import as_panel
from tidegate.data.series.panel import Panel
from tidegate.errors import InputError
from tidegate.tasks.core.examples import DataWarning
from tidegate.tasks.forecast.forecast import Forecast


def forecast(panel: Panel, horizon: int = 3, levels=(0.8,), columns=None) -> Forecast:
    shape = (len(panel), horizon, len(panel.targets))
    mean = np.arange(float(np.prod(shape))).reshape(shape)
    reach = np.array(levels)
    return Forecast(mean, mean[..., None] - reach, mean[..., None] + reach, tuple(levels), panel,
                    columns or {})  # fmt: skip


def monthly(*columns: str) -> Panel:
    index = pd.date_range("2024-10-31", periods=4, freq="ME")
    return as_panel(pd.DataFrame({name: np.arange(4.0) for name in columns}, index))


def test_one_series_has_a_row_for_each_step():
    table = forecast(monthly("sales"), columns={"time": "month"}).to_frame()
    assert list(table.columns) == ["month", "prediction", "lower_80", "upper_80"]
    assert [str(day.date()) for day in table["month"]] == ["2025-02-28", "2025-03-31", "2025-04-30"]
    assert table["prediction"].tolist() == [0, 1, 2]
    assert table["upper_80"].tolist() == [0.8, 1.8, 2.8]


def test_many_series_and_targets_are_told_apart():
    panel = as_panel({"a": np.ones((5, 2)), "b": np.ones((7, 2))})
    table = forecast(panel, levels=(0.8, 0.975), columns={"id": "shop"}).to_frame()
    assert list(table.columns[:4]) == ["shop", "time", "target", "prediction"]
    assert "lower_97.5" in table.columns
    assert len(table) == 2 * 2 * 3
    second = table[(table["shop"] == "b") & (table["target"] == "value_2")]
    assert second["time"].tolist() == [7, 8, 9]
    assert second["prediction"].tolist() == [7, 9, 11]


def test_pictures_are_drawn_of_series_by_name_or_number(tmp_path):
    found = forecast(as_panel({"a": np.arange(90.0), "b": np.arange(7.0)}))
    drawn = found.plot("b")
    assert drawn.get_suptitle() == "3 steps of 1 step"
    (axes,) = drawn.axes
    assert axes.get_ylabel() == "b"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["history", "80 % interval", "forecast"]
    line = next(line for line in axes.lines if line.get_label() == "forecast")
    assert line.get_ydata().tolist() == [6, 3, 4, 5]  # joined to the last value known
    found.save_plot(tmp_path / "next.svg")
    assert (tmp_path / "next.svg").stat().st_size > 1000
    assert [axes.get_ylabel() for axes in found.plot().axes] == ["a", "b"]
    shown = found._repr_html_()
    assert "data:image/png;base64," in shown
    assert "prediction" in shown
    assert repr(found) == str(found)
    assert repr(found) == "Forecast(2 series; value: 3 steps of 1 step; intervals of 80 %)"
    for series in ("c", 2):
        with pytest.raises(InputError, match="Forecast: `series` must be one of 2 series"):
            found.plot(series)
    with pytest.raises(InputError, match="`target` must be one of value; got load"):
        found.plot(target="load")
    with pytest.raises(InputError, match=r"`plot` must be a \.png, \.svg or \.pdf"):
        found.save_plot(tmp_path / "next.doc")


def test_only_six_pictures_fit_and_the_title_says_of_how_many(tmp_path):
    found = forecast(monthly(*"abcdefgh"))
    with pytest.warns(DataWarning, match="the first 6 of 8 series and targets"):
        found.save_plot(tmp_path / "next.png")
    assert len(found.plot().axes) == 6
    assert found.plot().get_suptitle().endswith("; the first 6 of 8 pictures")
    assert len(found.plot(target="f").axes) == 1
    assert "pictures" not in found.plot(target="f").get_suptitle()

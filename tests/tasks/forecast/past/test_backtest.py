"""Backtests: scores worked by hand, beside baselines, with a verdict that says who is better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tidegate.data.series.panel import Panel
from tidegate.tasks.forecast.past.backtest import Backtest


def backtest(**changes) -> Backtest:
    """Two forecasts of two steps: errors 1, 1, 0 and 2; naive 2, 3, 1 and 2."""
    truth = np.array([[[4.0], [5.0]], [[5.0], [6.0]]])
    mean = truth + np.array([[[1.0], [-1.0]], [[0.0], [2.0]]])
    found = Backtest(
        panel=Panel.from_arrays([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]),
        series=np.zeros(2, int),
        origins=np.array([3, 4]),
        truth=truth,
        mean=mean,
        lower=mean[..., None] - 1.5,
        upper=mean[..., None] + 1.5,
        levels=(0.8,),
        unit=np.full((2, 1), 2.0),
        baselines={"naive": truth + np.array([[[2.0], [3.0]], [[1.0], [2.0]]])},
    )
    return replace(found, **changes)


def apart(**changes) -> Backtest:
    """The same three times over, at times so far apart that they say more than one does."""
    found = backtest(**changes)
    parts = {name: np.tile(getattr(found, name), (3, 1, 1)) for name in ("truth", "mean")}
    ends = {name: np.tile(getattr(found, name), (3, 1, 1, 1)) for name in ("lower", "upper")}
    return replace(
        found,
        series=np.zeros(6, int),
        origins=np.array([3, 4, 13, 14, 23, 24]),
        unit=np.tile(found.unit, (3, 1)),
        baselines={name: np.tile(part, (3, 1, 1)) for name, part in found.baselines.items()},
        **parts,
        **ends,
    )


def test_scores_by_hand():
    scores = backtest().scores()
    assert scores["mae"] == 1
    assert scores["rmse"] == pytest.approx(1.5**0.5)
    assert scores["mase"] == 0.5
    assert scores["coverage_80"] == 0.75
    assert scores["width_80"] == 3
    # Quantile losses of levels 0.1, 0.5 and 0.9: lower ends are 0.5, 2.5, 1.5 below and 0.5 above
    # the truth, upper ends 2.5, 0.5, 1.5 and 3.5 above it.
    losses = [(0.1 * (0.5 + 2.5 + 1.5) + 0.9 * 0.5) / 4, 0.5, 0.1 * 8 / 4]
    area = np.trapezoid([0, *losses, 0], [0, 0.1, 0.5, 0.9, 1])
    assert scores["crps"] == pytest.approx(2 * area)


def test_the_model_stands_beside_the_baselines():
    found = backtest()
    table = found.to_frame()
    assert table.index.tolist() == ["model", "naive"]
    assert table["mae"].tolist() == [1, 2]
    rows = found.figures()
    assert rows[0][""] == "model"
    assert (rows[0]["mae"], rows[0]["in 80 %"], rows[1]["in 80 %"]) == ("1", "75.0%", "")
    told = "the model's error is 0.50 times that of the best baseline, naive."
    assert apart().verdict() == f"In 6 forecasts of 2 steps, {told}"
    # Both begin within a horizon.
    few = "Too few to judge: hardly two of them are apart."
    assert found.verdict() == f"In 2 forecasts of 2 steps, {told} {few}"


def test_a_model_that_loses_is_told_so():
    worse = apart(baselines={"naive": backtest().truth + 0.5})
    assert "is 2.00 times that of the best baseline, naive. Use the baseline" in worse.verdict()
    perfect = apart(baselines={"naive": backtest().truth})
    assert "is inf times that of the best baseline, naive. Use the baseline" in perfect.verdict()
    level = apart(baselines={"naive": backtest().truth + 0.99})
    assert "is 1.01 times that of the best baseline, naive. The two are level" in level.verdict()


def test_each_step_ahead_by_itself():
    table = backtest().by_step()
    assert table["step"].tolist() == [1, 2]
    assert table["mae"].tolist() == [0.5, 1.5]
    assert table["mae naive"].tolist() == [1.5, 2.5]
    assert table["coverage_80"].tolist() == [1, 0.5]


def test_without_intervals_there_is_no_coverage():
    nothing = np.zeros((2, 2, 1, 0))
    assert set(backtest(lower=nothing, upper=nothing, levels=()).scores()) == {
        "mae", "rmse", "smape", "mase",
    }  # fmt: skip


def test_backtests_of_the_same_series_are_joined():
    first = backtest(baselines={"naive": backtest().mean, "linear": backtest().mean})
    joined = Backtest.join([first, backtest()])
    assert joined.mean.shape == (4, 2, 1)
    assert list(joined.baselines) == ["naive"]
    assert joined.scores()["mae"] == 1


def test_forecasts_in_a_picture_do_not_overlap():
    drawn = backtest(origins=np.array([2, 3]), truth=backtest().truth).plot()
    (axes,) = drawn.axes
    forecasts = [line for line in axes.lines if len(line.get_ydata()) == 2
                 and line.get_color() == "#0072B2"]  # fmt: skip
    assert len(forecasts) == 1
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["what came", "80 % interval", "forecast"]


def mixed() -> Backtest:
    """A small series that the model forecasts well, and one a thousand times as large, badly."""
    one = backtest()
    return Backtest.join([
        one,
        replace(one, series=np.ones(2, int), truth=one.truth * 1000, unit=one.unit * 1000,
                mean=one.truth * 1000 + 6000, lower=one.lower * 1000, upper=one.upper * 1000,
                baselines={"naive": one.truth * 1000 + 5000}),
    ])  # fmt: skip


def test_series_of_other_sizes_have_rows_of_their_own_and_do_not_rule():
    panel = Panel.from_arrays([np.arange(6.0), np.arange(6.0) * 1000], names=["small", "large"])
    found = replace(mixed(), panel=panel)
    model, naive, small, large = found.figures()
    assert [row[""] for row in (model, naive, small, large)] == [
        "model", "naive", "small", "large",
    ]  # fmt: skip
    assert (model["mae"], small["mae"], large["mae"]) == ("", "1", "6000")
    assert (model["mase"], small["mase"], large["mase"]) == ("1.75", "0.5", "3")
    # By the pooled error the model would lose 3000.5 to 2501; by the scaled one 1.75 to 1.75.
    assert "the model's scaled error is 1.00 times" in found.verdict()
    table = found.by_series()
    assert table["series"].tolist() == ["small", "large"]
    assert table["mase naive"].tolist() == [1.0, 2.5]
    assert table["forecasts"].tolist() == [2, 2]


def test_columns_of_which_nothing_is_known_are_left_out():
    nothing = np.full((2, 2, 1, 1), np.nan)
    (row, _) = backtest(lower=nothing, upper=nothing).figures()
    assert list(row) == ["", "mae", "rmse", "smape", "mase"]


def test_a_backtest_is_told_in_a_line_and_shown_with_its_scores():
    found = backtest()
    assert repr(found) == "Backtest(2 forecasts of 2 steps; 1 series)"
    shown = found._repr_html_()
    assert "the model&#x27;s error is 0.50 times" in shown
    assert "data:image/png;base64," in shown
    assert "naive" in shown

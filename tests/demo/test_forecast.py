"""The forecast demo: it writes what it says, and beats what costs nothing."""

from __future__ import annotations

import pandas as pd

import tidegate
from tidegate.demo.forecast import forecast_co2


def test_it_forecasts_the_next_year(tmp_path):
    outcome = forecast_co2(tmp_path / "demo", verbose=False)
    written = {path.name for path in (tmp_path / "demo").iterdir()}
    assert written == {"model", "train.csv", "test.csv", "next.csv", "next.png", "backtest.png"}
    scores = {row[""]: float(row["mae"]) for row in outcome.figures}
    assert set(scores) == {"model", "naive", "seasonal naive", "linear"}
    assert scores["model"] < 0.5 * min(scores["naive"], scores["seasonal naive"])
    assert "105 forecasts of 52 steps" in outcome.verdict
    table = pd.read_csv(tmp_path / "demo" / "next.csv", parse_dates=["date"])
    assert len(table) == 52
    assert str(table["date"].iloc[0].date()) == "2002-01-05"
    assert table["prediction"].between(365, 380).all()
    model = tidegate.load(tmp_path / "demo" / "model")
    assert set(model.metrics_) == {"train", "validation", "test"}

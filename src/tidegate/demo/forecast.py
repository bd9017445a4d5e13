"""The forecast demo: the CO2 in the air of the next year, with what it is sure of."""

from __future__ import annotations

import time
from pathlib import Path

from tidegate.artifact import check_replaceable
from tidegate.data import read_series, write_table
from tidegate.datasets import load_co2
from tidegate.demo.outcome import Outcome, check_folder
from tidegate.tasks.forecast.forecaster import Forecaster

# Weeks: a year is forecast from the two before it, and the last three are kept for the test.
HORIZON, LOOKBACK, HELD = 52, 104, 156


def forecast_co2(out: Path, verbose: bool) -> Outcome:
    """Train on all but the last three years, forecast from each week of them, and go on.

    Args:
        out: The folder to write to: `model/`, `train.csv`, `test.csv`, `next.csv` and the
            pictures `backtest.png` and `next.png`.
        verbose: Whether to show progress.

    Returns:
        The outcome.

    Raises:
        InputError: If `out` cannot be written, or `out/model` is something else than a model.
    """
    folder = out / "model"
    check_folder(out)
    check_replaceable(folder)
    began = time.monotonic()
    rows = load_co2()
    parts = {"train": rows.iloc[:-HELD], "test": rows.iloc[-HELD:]}
    series = {
        name: read_series(frame, time="date", target="co2")
        for name, frame in {**parts, "all": rows}.items()
    }
    # Chosen on the last tenth of the training weeks, held out.
    model = Forecaster(
        lookback=LOOKBACK,
        horizon=HORIZON,
        hidden_size=32,
        epochs=20,
        learning_rate=3e-3,
        verbose=verbose,
    )
    model.fit(series["train"])
    model.columns_ = {"time": "date", "target": "co2"}
    model.metrics_["test"] = model.evaluate(series["test"])
    model.save(folder)
    told = model.backtest(series["all"], stride=1)
    told.plot().savefig(out / "backtest.png", dpi=110)
    forecast = model.predict(series["test"])
    forecast.save_plot(out / "next.png")
    for name, frame in {**parts, "next": forecast.to_frame()}.items():
        write_table(frame, out / f"{name}.csv")
    took = f"learned in {time.monotonic() - began:.0f} s"
    return Outcome(
        summary=f"{took} · model in {folder}/, the next year in {out / 'next.png'}, the test in "
        f"{out / 'backtest.png'}",
        figures=told.figures(),
        verdict=told.verdict(),
        commands=_commands(out),
    )


def _commands(out: Path) -> tuple[tuple[str, ...], ...]:
    model, test = f"{out / 'model'}/", f"{out / 'test.csv'}"
    return (
        ("predict", model, test, "--horizon", "13", "--plot", f"{out / 'quarter.png'}"),
        ("evaluate", model, test),
        ("fit", "forecaster", f"{out / 'train.csv'}", "--time", "date", "--target", "co2",
         "--horizon", "52", "--lookback", "104", "--output", "quantile",
         "--out", f"{out / 'quantile'}/"),
    )  # fmt: skip

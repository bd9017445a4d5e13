"""Tomorrow's price from the last 60 days, with an honest baseline beside it.

python examples/daily_price.py prices.csv --time date --price close
python examples/daily_price.py     # a made-up price: a random walk, which most prices nearly are

The trap: a net that repeats yesterday's price draws a curve that lies on top of the true one and
looks like a prophecy. So the last year is forecast one day at a time, and yesterday's price itself,
which costs nothing, is measured on the same days. Read the verdict before the picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import tidegate
from tidegate.data import read_series, read_table

DAYS, LAST_YEAR = 60, 260


def made_up_price(days: int = 2_000) -> pd.DataFrame:
    """Make a price whose daily returns are 1 % up or down by chance alone."""
    returns = 0.01 * np.random.default_rng(0).standard_normal(days)
    dates = pd.bdate_range("2016-01-04", periods=days)
    return pd.DataFrame({"date": dates, "close": 100 * np.exp(np.cumsum(returns))})


def main() -> None:
    """Train on all but the last year, forecast each of its days, compare, and say tomorrow's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", nargs="?", help="a table with a row a day; default: a made-up one")
    parser.add_argument("--time", default="date", help="its column of dates")
    parser.add_argument("--price", default="close", help="its column of prices")
    parser.add_argument("--plot", type=Path, help="draw the last forecasts here")
    options = parser.parse_args()

    table = read_table(options.table) if options.table else made_up_price()
    series = read_series(table, time=options.time, target=options.price)
    past = series.cut(np.array([0]), series.lengths - LAST_YEAR)

    # The logarithm makes a change of 1 % the same size at any price.
    model = tidegate.Forecaster(lookback=DAYS, horizon=1, segment=1, log=True, verbose=False)
    told = model.fit(past).backtest(series, stride=1)
    print(told.to_frame()[["mae", "rmse", "mase"]].round(4).to_string())
    print(told.verdict())
    print(f"80 % intervals held {told.scores()['coverage_80']:.0%} of the days.")

    tomorrow = model.predict(series).to_frame().iloc[0]
    print(f"Next: {tomorrow['prediction']:.2f}, with 80 % between {tomorrow['lower_80']:.2f} and "
          f"{tomorrow['upper_80']:.2f}")  # fmt: skip
    if options.plot:
        told.plot().savefig(options.plot, dpi=110)


if __name__ == "__main__":
    main()

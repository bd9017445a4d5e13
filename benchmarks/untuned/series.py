"""Small series as they are, and pieces of weekly ones: the Forecaster beside naive and Theta."""

from __future__ import annotations

import tarfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.common import data_file
from benchmarks.suite.m4 import read
from benchmarks.suite.target import Target, at_least, at_most
from benchmarks.untuned.part import Part
from tidegate import Forecaster
from tidegate.data.batching import Array
from tidegate.errors import InputError
from tidegate.tasks.forecast.line.baselines import seasonal_naive

# Each series' file, column, frequency, season of the naive forecast, and horizon.
SMALL: dict[str, tuple[str, str | int, str | None, int, int]] = {
    "air passengers": ("AirPassengers", 1, "MS", 12, 12),
    "sunspots": ("monthly-sunspots", 1, "MS", 1, 12),
    "beer": ("ausbeer", "Y", "QS", 4, 8),
    "milk": ("monthly-milk", 1, "MS", 12, 12),
    "wool": ("woolyrnq", "Y", "QS", 4, 8),
    "wine": ("wineind", "Y", "MS", 12, 12),
    "temperatures": ("temps", 1, "D", 1, 7),
    "heart rate": ("heart_rate", 0, None, 1, 10),
    "gasoline": ("us_gasoline", 1, "W", 1, 8),
    "influenza": ("ILINet", 1, "W", 1, 8),
    "electricity": ("taylor", "Y", "30min", 48, 48),
    "furnace": ("gasrate_co2", 1, None, 1, 8),
    "tourism": ("australian_tourism", 0, "QS", 4, 4),
    "heaters": ("ice_cream_heater", 1, "MS", 12, 12),
    "taxis": ("taxi_new_york_passengers", 1, "30min", 48, 48),
    "lynx": ("Lynx", 1, "YS", 1, 5),
    "shampoo": ("ShampooSales", 1, "MS", 12, 4),
    "consumption": ("Uschange", "Consumption", "QS", 4, 4),
}
ORIGINS = 3
PIECES, SHORTEST, LONGEST, WEEKS = 100, 60, 200, 6
# The files say no dates of these, or odd ones: only the frequency counts.
START = "1960-01-01"


@dataclass(frozen=True)
class Series:
    """One series.

    Attributes:
        name: What the table calls it.
        values: `[T]`.
        frequency: That of its dates, or None for a series without.
        season: Steps of a season for the naive forecast and Theta; 1 for none.
        horizon: Steps ahead.
    """

    name: str
    values: Array
    frequency: str | None
    season: int
    horizon: int


def small(folder: str | None, draws: int) -> Iterator[Series]:
    """Read the small series; other draws end earlier, and leave out those too short for it."""
    with tarfile.open(data_file("small_series.tar.gz", folder)) as archive:
        for name, (file, column, frequency, season, horizon) in SMALL.items():
            frame = pd.read_csv(archive.extractfile(f"small_series/{file}.csv"))  # type: ignore[arg-type]
            cells = frame.iloc[:, column] if isinstance(column, int) else frame[column]
            values = pd.to_numeric(cells, errors="coerce").dropna().to_numpy(float)
            if name == "gasoline":  # the newest stands first
                values = values[::-1]
            left = len(values) - draws * ORIGINS * horizon
            if left >= (ORIGINS + 3) * horizon:
                yield Series(name, values[:left].copy(), frequency, season, horizon)


def weekly(folder: str | None, draws: int) -> Iterator[Series]:
    """Cut pieces of 60 to 200 values out of M4's weekly series, other series for other draws."""
    train = read("weekly", folder).train
    order = np.random.default_rng(17).permutation(len(train))
    random = np.random.default_rng([17, draws])
    chosen = random.permutation(order[PIECES:])[:PIECES] if draws else order[:PIECES]
    for row in chosen:
        values = np.asarray(train[row], dtype=float)
        length = min(len(values), int(random.integers(SHORTEST, LONGEST + 1)))
        begin = int(random.integers(0, len(values) - length + 1))
        yield Series(f"weekly {row}", values[begin : begin + length], "W", 1, WEEKS)


def theta(past: Array, season: int, horizon: int) -> Array:
    """Forecast by the Theta method of statsmodels."""
    from statsmodels.tsa.forecasting.theta import ThetaModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = ThetaModel(past, period=season, deseasonalize=season > 1).fit()
        return np.asarray(fitted.forecast(horizon), dtype=float)


def measure(data: str | None, draws: int) -> Part:
    """Forecast the last horizons of every series, each time fitted to what comes before."""
    rows, refused = [], 0
    for kind, all_series in (("small", small(data, draws)), ("weekly", weekly(data, draws))):
        for series in all_series:
            try:
                row = compare(series)
            except InputError as error:
                print(f"{series.name}: refused: {error}", flush=True)
                refused += 1
                continue
            rows.append({"set": series.name, "kind": kind, **row})
            print(
                ", ".join(
                    f"{k} {v:.3g}" if isinstance(v, float) else f"{v}" for k, v in rows[-1].items()
                ),
                flush=True,
            )
    frame = pd.DataFrame(rows)
    means = frame.groupby("kind", sort=False)[["defaults", "theta", "in 80 %", "in 95 %"]].mean()
    for name, row in means.iterrows():
        print(name, row.round(3).to_dict(), flush=True)
    told = [row for row in rows if row["kind"] == "small"]
    for name, mean in {
        **means.to_dict("index"),
        "all": frame[means.columns].mean().to_dict(),
    }.items():
        told.append({"set": f"mean of {name}", **{str(k): float(v) for k, v in mean.items()}})
    title = "Series: mean absolute error over that of the (seasonal) naive forecast, refitted"
    return Part(title, told, targets(frame, refused))


def targets(frame: pd.DataFrame, refused: int) -> list[Target]:
    """Judge."""
    own, other = float(frame["defaults"].mean()), float(frame["theta"].mean())
    worse = int((frame.loc[frame["kind"] == "small", "defaults"] > 1.05).sum())
    found = [
        at_most("refused", 0, refused, ""),
        at_most("mean error over naive, the smaller of 1 and Theta's", min(1.0, other), own, ""),
        at_most("small series more than 5 % worse than naive", 2, worse, ""),
    ]
    for level, low, high in (("80", 75.0, 88.0), ("95", 91.0, 98.0)):
        inside = 100 * float(frame[f"in {level} %"].mean())
        found.append(at_least(f"truth in {level} % intervals", low, inside, " %"))
        found.append(at_most(f"truth in {level} % intervals", high, inside, " %"))
    return found


def compare(series: Series) -> dict[str, float | int | None]:
    """Fit, forecast and measure at each origin.

    Raises:
        InputError: If the Forecaster refuses the series.
    """
    values, horizon, season = series.values, series.horizon, series.season
    errors = dict.fromkeys(("defaults", "naive", "theta"), 0.0)
    inside, start = np.zeros(2), time.perf_counter()
    for number in range(ORIGINS):
        end = len(values) - (ORIGINS - number) * horizon
        past, truth = values[:end], values[end : end + horizon]
        forecast = Forecaster(horizon=horizon, verbose=False).fit(_dated(past, series)).predict()
        errors["defaults"] += np.abs(forecast.mean[0, :, 0] - truth).mean()
        again = seasonal_naive(past[None, :, None], horizon, season)[0, :, 0]
        errors["naive"] += np.abs(again - truth).mean()
        errors["theta"] += np.abs(theta(past, season, horizon) - truth).mean()
        within = (truth[:, None] >= forecast.lower[0, :, 0]) & (
            truth[:, None] <= forecast.upper[0, :, 0]
        )
        inside += within.mean(0) / ORIGINS
    return {
        "values": len(values),
        "horizon": horizon,
        "season": season,
        "defaults": errors["defaults"] / errors["naive"],
        "theta": errors["theta"] / errors["naive"],
        "in 80 %": float(inside[0]),
        "in 95 %": float(inside[1]),
        "seconds": (time.perf_counter() - start) / ORIGINS,
    }


def _dated(past: Array, series: Series) -> pd.Series:
    found = pd.Series(past, name="value")
    if series.frequency is not None:
        found.index = pd.date_range(START, periods=len(past), freq=series.frequency)
    return found

"""Series that ship: CO2 in the air, airline passengers, and a sensor that breaks."""

from __future__ import annotations

import gzip
import io
from importlib import resources

import numpy as np
import pandas as pd

from tidegate.errors import InputError, message

# A reading every ten minutes.
_STEPS_A_DAY = 144
# What goes wrong with the sensor: at which share of the time, for how many steps.
_FAULTS = {"spike": (0.55, 1), "stuck": (0.68, 90), "drift": (0.8, 150), "noise": (0.93, 60)}


def load_co2() -> pd.DataFrame:
    """Load the CO2 in the air at Mauna Loa: 2,284 weeks from March 1958, 59 of them missing.

    Keeling and Whorf 2004; public domain.

    Returns:
        A table with the columns "date" (the Saturday of the week) and "co2" (parts per million).

    Example:
        >>> load_co2()["co2"].isna().sum().item()
        59
    """
    return _read("co2", "date")


def load_airline_passengers() -> pd.DataFrame:
    """Load the airline passengers of each month from January 1949 to December 1960.

    Brown 1962, Box and Jenkins 1970, series G.

    Returns:
        A table with the columns "month" and "passengers" (thousands).

    Example:
        >>> len(load_airline_passengers())
        144
    """
    return _read("airline_passengers", "month")


def make_broken_sensor(days: int = 60, *, seed: int = 0) -> pd.DataFrame:
    """Make the readings of a thermometer in a machine that runs by day, and breaks four times.

    Working days are warm, nights and weekends cool, and all wanders a little. In the second half a
    reading jumps away once ("spike"), stands still ("stuck"), creeps upwards ("drift") and
    trembles ("noise").

    Args:
        days: How many, at least 14; a reading every ten minutes.
        seed: Seed of what is random.

    Returns:
        A table with the columns "time", "temperature" (degrees Celsius) and "fault": the name of
        what is wrong, "" while nothing is.

    Raises:
        InputError: If there are too few days.

    Example:
        >>> list(make_broken_sensor(14)["fault"].unique())
        ['', 'spike', 'stuck', 'drift', 'noise']
    """
    if days < 14:
        rule = "at least 14, so that no two faults meet"
        raise InputError(message("make_broken_sensor", "days", rule, days))
    random = np.random.default_rng(seed)
    times = pd.date_range("2024-01-01", periods=days * _STEPS_A_DAY, freq="10min")
    hours = np.asarray(times.hour + times.minute / 60)
    running = np.exp(-(((hours - 13) / 4.5) ** 4)) * np.where(
        np.asarray(times.day_of_week) < 5, 1, 0.25
    )
    wander = _wander(random, len(times))
    values = 21 + 9 * running + wander + 0.15 * random.standard_normal(len(times))
    faults = np.full(len(times), "", dtype=object)
    for name, (share, steps) in _FAULTS.items():
        at = slice(int(share * len(times)), int(share * len(times)) + steps)
        values[at] = _broken(name, values[at], random)
        faults[at] = name
    readings = {"time": times, "temperature": values.round(3), "fault": faults}
    table: pd.DataFrame = pd.DataFrame(readings)
    return table


def _wander(
    random: np.random.Generator, count: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A slow walk that comes back: an autoregression with a memory of two days."""
    kept = np.exp(-1 / (2 * _STEPS_A_DAY))
    pushes = 0.06 * random.standard_normal(count)
    found = np.empty(count)
    state = 0.0
    for step, push in enumerate(pushes):
        state = kept * state + push
        found[step] = state
    return found


def _broken(
    name: str, values: np.ndarray[tuple[int], np.dtype[np.float64]], random: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """What the sensor says instead of these values."""
    if name == "spike":
        return values + 12
    if name == "stuck":
        return np.full_like(values, values[0])
    if name == "drift":
        return values + np.linspace(0, 8, len(values))
    return values + 2.5 * random.standard_normal(len(values))


def _read(name: str, dates: str) -> pd.DataFrame:
    file = resources.files("tidegate.datasets") / "data" / f"{name}.csv.gz"
    text = gzip.decompress(file.read_bytes()).decode("utf-8")
    table: pd.DataFrame = pd.read_csv(io.StringIO(text), parse_dates=[dates])
    return table

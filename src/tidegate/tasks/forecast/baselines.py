"""Baselines: forecasts that cost nothing, to be printed beside those of every network."""

from __future__ import annotations

import base64

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.codec import LARGEST_WEIGHT, Field, Fields, damaged, read_fields
from tidegate.data.schema import Numbers
from tidegate.data.windows.encoded import EncodedSeries, ForecastWindows
from tidegate.data.windows.missing import fill
from tidegate.files import FoundJson

LINEAR_FILE = "linear.json"
"""Where a saved model keeps the line."""
_FIELDS: Fields = {"shape": Numbers(1, int, minimum=0), "weights": Field(str)}

# So many windows fix a line's coefficients; more would only take longer.
_WINDOWS = 20_000
# Windows that are cut out at once: some tens of MB of a lookback of 720.
_AT_ONCE = 1_000
# Ridge penalty as a share of the mean variance of the inputs: without one, an input that another
# one repeats (a season, a trend) would make the equations singular.
_PENALTY = 1e-3


def naive(past: Array, horizon: int) -> Array:
    """Forecast the last value that is known.

    Args:
        past: `[B, T, C]`, NaN where missing.
        horizon: H.

    Returns:
        `[B, H, C]`.

    Example:
        >>> naive(np.array([[[1.0], [2.0]]]), 2).ravel().tolist()
        [2.0, 2.0]
    """
    return seasonal_naive(past, horizon, 1)


def seasonal_naive(past: Array, horizon: int, season: int) -> Array:
    """Forecast what was a season ago, over and over.

    Args:
        past: `[B, T, C]`, NaN where missing: a missing value becomes that of the season before,
            or the one before it in time.
        horizon: H.
        season: Steps of a season; where T is less, the last value is repeated.

    Returns:
        `[B, H, C]`.

    Example:
        >>> seasonal_naive(np.array([[[1.0], [2.0], [3.0]]]), 3, 2).ravel().tolist()
        [2.0, 3.0, 2.0]
    """
    length = past.shape[1]
    if season > length:
        season = 1
    whole = length // season
    seasons = past[:, length - whole * season :].reshape(len(past), whole, season, -1)
    by_phase = seasons.transpose(0, 2, 1, 3).reshape(len(past) * season, whole, -1)
    last = _last_known(by_phase).reshape(len(past), season, -1)
    last, _ = fill(last, "mask")
    steps: Array = last[:, np.arange(horizon) % season]
    return steps


def _last_known(values: Array) -> Array:
    """The last value of each row that is not missing, `[rows, C]`; NaN where there is none."""
    steps = np.arange(values.shape[1])[None, :, None]
    at = np.where(np.isnan(values), -1, steps).max(axis=1)
    found: Array = np.take_along_axis(values, np.maximum(at, 0)[:, None], axis=1)[:, 0]
    return found


class LinearBaseline:
    """One line from the lookback to each step ahead, for all series and targets (NLinear).

    y_(T+h) - y_T = W_h (y_1 - y_T, ..., y_T - y_T) + b_h (Zeng et al. 2023, section 4), solved by
    ridge regression on scaled training windows: what a network must beat to be worth its while.

    Attributes:
        weights: `[T + 1, H]`, the constants last.

    Example:
        >>> line = LinearBaseline(np.zeros((3, 2)))
        >>> line.predict(np.array([[[1.0], [4.0]]])).ravel().tolist()
        [4.0, 4.0]
    """

    def __init__(self, weights: Array) -> None:
        self.weights = weights

    @classmethod
    def fit(cls, windows: ForecastWindows) -> LinearBaseline:
        """Solve for the windows of a training span.

        Args:
            windows: Training windows; some of them are taken, evenly.
        """
        count = min(len(windows), _WINDOWS)
        chosen = np.arange(count) * len(windows) // count
        size = windows.encoded.lookback + 1
        moment = np.zeros((size, size))
        product = np.zeros((size, windows.horizon))
        for start in range(0, count, _AT_ONCE):
            inputs, outputs = _pairs(windows, chosen[start : start + _AT_ONCE])
            moment += inputs.T @ inputs
            product += inputs.T @ outputs
        penalty = _PENALTY * np.trace(moment) / size
        moment[np.arange(size), np.arange(size)] += max(penalty, 1e-9)
        return cls(np.linalg.solve(moment, product))

    def predict(self, past: Array) -> Array:
        """Forecast from scaled windows `[B, T, C]` without missing values: `[B, H, C]`."""
        last = past[:, -1:]
        rows = (past - last).transpose(0, 2, 1)
        ahead = rows @ self.weights[:-1] + self.weights[-1]
        found: Array = ahead.transpose(0, 2, 1) + last
        return found

    def to_json(self) -> dict[str, object]:
        """Return the weights for a file: the bytes of float32 as text."""
        data = np.ascontiguousarray(self.weights, dtype="<f4").tobytes()
        text = base64.b64encode(data).decode("ascii")
        return {"shape": list(self.weights.shape), "weights": text}

    @classmethod
    def from_json(cls, found: FoundJson, lookback: int, horizon: int) -> LinearBaseline:
        """Read what `to_json` gave, trusting nothing in it.

        Raises:
            ArtifactError: If it does not fit the lookback and the horizon.
        """
        told = read_fields({LINEAR_FILE: found}, LINEAR_FILE, _FIELDS)
        shape = (lookback + 1, horizon)
        try:
            data = base64.b64decode(told["weights"], validate=True)
        except ValueError as error:
            raise damaged(LINEAR_FILE, "weights", "base64", error) from error
        if tuple(told["shape"]) != shape or len(data) != 4 * shape[0] * shape[1]:
            raise damaged(LINEAR_FILE, "shape", str(list(shape)), told["shape"])
        weights = np.frombuffer(data, dtype="<f4").astype(np.float64).reshape(shape)
        if not (np.abs(weights) <= LARGEST_WEIGHT).all():
            raise damaged(LINEAR_FILE, "weights", f"numbers up to {LARGEST_WEIGHT:g}", "others")
        return cls(weights)


def _pairs(windows: ForecastWindows, rows: Array) -> tuple[Array, Array]:
    """Inputs `[n, T + 1]` and outputs `[n, H]` of windows, a row for each target."""
    batch = windows.batch(rows)
    assert batch.targets is not None
    targets = batch.targets.shape[2]
    past = batch.values[..., :targets].numpy().astype(np.float64)
    ahead = batch.targets.numpy().astype(np.float64)
    last = past[:, -1:]
    inputs = (past - last).transpose(0, 2, 1).reshape(-1, past.shape[1])
    outputs = (ahead - last).transpose(0, 2, 1).reshape(-1, ahead.shape[1])
    known = ~np.isnan(outputs).any(axis=1)
    ones = np.ones((int(known.sum()), 1))
    return np.concatenate([inputs[known], ones], axis=1), outputs[known]


def forecast_all(
    encoded: EncodedSeries,
    series: Array,
    origins: Array,
    horizon: int,
    season: int,
    linear: LinearBaseline | None,
) -> dict[str, Array]:
    """Forecast windows with every baseline that can.

    Args:
        encoded: The series.
        series: The series of each window, `[B]`.
        origins: The first step ahead of each, `[B]`.
        horizon: H.
        season: Steps of a season; 1 leaves the seasonal one out.
        linear: The line, or None.

    Returns:
        Forecasts in the units of the data, `[B, H, C]`, by name.
    """
    seasons = int(min(origins.min(), max(3 * season, encoded.lookback)))
    past = encoded.before(series, origins, seasons)
    found = {"naive": naive(past, horizon)}
    if season > 1:
        found["seasonal naive"] = seasonal_naive(past, horizon, season)
    if linear is not None:
        batch = encoded.batch(series, origins, 1, targets=False)
        targets = past.shape[2]
        scaled = linear.predict(batch.values[..., :targets].numpy().astype(np.float64))[:, :horizon]
        nothing = np.zeros((*scaled.shape, 0))
        found["linear"], _ = encoded.inverse(series, origins, scaled, nothing)
    return found

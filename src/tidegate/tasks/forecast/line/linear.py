"""LinearBaseline: smoothing and ridge regression, as much of either as past windows ask for."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.codec import LARGEST_WEIGHT, Field, Fields, damaged, read_fields
from tidegate.data.schema import Numbers
from tidegate.data.windows.encoded import ForecastWindows
from tidegate.files import FoundJson
from tidegate.tasks.forecast.line.lean import spans_of
from tidegate.tasks.forecast.line.smoothing import smoothers

# Products of the inputs with themselves and with what is left over; windows to try a line on.
Moments: TypeAlias = tuple[Array, Array]
Tried: TypeAlias = tuple[Array, Moments]

LINEAR_FILE = "linear.json"
"""Where a saved model keeps the line."""
_FIELDS: Fields = {"shape": Numbers(1, int, minimum=0), "weights": Field(str)}

# So many windows fix a line's coefficients, and so many tell how good it is; more would only take
# longer. Windows that are cut out at once are some tens of MB of a lookback of 720.
_WINDOWS, _JUDGED, _AT_ONCE = 20_000, 1_000, 1_000
# Ridge penalties as shares of the mean variance of the inputs.
_PENALTIES = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)
# The shares of the windows after which a line that was solved for is tried on what follows.
_ORIGINS = (0.4, 0.55, 0.7, 0.85)
# A line is tried if there are so many windows to solve for it.
_FEWEST = 4
# The (seasonal) naive forecast, to which the line is drawn, weighs as much as so many stretches of
# a horizon: less the more there is to learn from, and the better the line does.
_CAUTION = 5
# The power of (least error / error) by which kinds of smoothing, and penalties, share the weight,
# and what the constants must save of the error to be believed: chosen on pieces of series that no
# benchmark reports.
_POWER, _CONSTANTS = 40, 0.05


class LinearBaseline:
    """One line from the lookback to each step ahead, for all series and targets.

    y_(T+h) - y_T = W_h (y_1 - y_T, ..., y_T - y_T) + b_h (NLinear, Zeng et al. 2023, section 4). W
    is a mean of many kinds of exponential smoothing, with and without a season and a drift, and of
    ridge regressions on what they leave over. Each counts by its errors on windows that it was not
    solved for (Bates & Granger 1969), so that of little data hardly more than smoothing is learned;
    and of very little, not even that: it is drawn to the naive forecast, or the seasonal one. What
    grew by itself in training need not go on: b is 0 unless it clearly helps. The line is what a
    network must beat to be worth its while.

    Attributes:
        weights: `[T + 1, H]`, the constants last.
        optimism: How many times the error on windows that it knew is that on others, at least 1.

    Example:
        >>> line = LinearBaseline(np.zeros((3, 2)))
        >>> line.predict(np.array([[[1.0], [4.0]]])).ravel().tolist()
        [4.0, 4.0]
    """

    def __init__(self, weights: Array, optimism: float = 1.0) -> None:
        self.weights, self.optimism = weights, optimism

    @classmethod
    def fit(cls, windows: ForecastWindows, season: int = 1) -> LinearBaseline:
        """Solve for the windows of a training span.

        Args:
            windows: Training windows; some of them are taken, evenly.
            season: Steps of a season; 1 for none.
        """
        count = min(len(windows), _WINDOWS)
        chosen = np.arange(count) * len(windows) // max(count, 1)
        times = windows.times(chosen)
        order = np.argsort(times, kind="stable")
        chosen, times = chosen[order], times[order]
        smoothing, anchor = _smoothing(windows, _some(chosen), season)
        caution = _CAUTION / (_CAUTION + len(np.unique(spans_of(windows))))
        ends = [int(len(chosen) * share) for share in _ORIGINS]
        # What is known of a window ends a horizon later.
        known = [int(np.searchsorted(times, times[end] - windows.horizon, "right")) for end in ends]
        moments = _moments(windows, chosen, smoothing, [*known, len(chosen)])
        tried = [
            (_some(chosen[end:after]), moments[number])
            for number, (end, after) in enumerate(zip(ends, [*ends[1:], len(chosen)], strict=True))
            if known[number] >= _FEWEST and after > end
        ]
        if not tried:
            return cls((1 - caution) * smoothing + caution * anchor)
        found, error = _best(windows, smoothing, tried, moments[-1])
        judged = np.concatenate([rows for rows, _ in tried])
        fitted, naive = _errors(windows, judged, np.stack([found, anchor]))
        optimism = max(1.0, error / fitted) if fitted > 0 else 1.0
        caution *= min(1.0, error / naive) ** 2 if naive > 0 else 1.0
        return cls((1 - caution) * found + caution * anchor, optimism)

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


def _some(rows: Array) -> Array:
    """Windows to judge by, evenly."""
    count = min(len(rows), _JUDGED)
    some: Array = rows[np.arange(count) * len(rows) // max(count, 1)]
    return some


def _smoothing(windows: ForecastWindows, rows: Array, season: int) -> tuple[Array, Array]:
    """Return the mean of all kinds of smoothing, each by its errors, and the better naive one.

    Returns:
        Two lines, `[T + 1, H]`.
    """
    lookback, horizon = windows.encoded.lookback, windows.horizon
    kinds = smoothers(lookback, season)
    errors = np.zeros(len(kinds))
    for inputs, outputs in _pairs(windows, rows):
        for number, kind in enumerate(kinds):
            errors[number] += np.abs(kind(inputs[:, :-1], horizon) - outputs).sum()
    # A forecast that is linear in the past is known by what it makes of a 1 at each of its steps.
    ones = np.eye(lookback)
    line, anchor = np.zeros((2, lookback + 1, horizon))
    for share, kind in zip(_by_error(errors), kinds, strict=True):
        line[:-1] += share * kind(ones, horizon)
    seasonal = 1 < season <= lookback and errors[-1] < errors[0]
    anchor[:-1] = kinds[-1 if seasonal else 0](ones, horizon)
    return line, anchor


def _by_error(errors: Array) -> Array:
    """Shares that add up to 1, by a power of the least error over each."""
    least = errors.min()
    ratios = least / np.where(errors > 0, errors, 1.0) if least > 0 else (errors == 0) + 0.0
    powers = ratios**_POWER
    shares: Array = powers / powers.sum()
    return shares


def _moments(
    windows: ForecastWindows, rows: Array, smoothing: Array, ends: list[int]
) -> list[Moments]:
    """Products of the inputs with themselves and with what smoothing leaves, up to each end."""
    size = len(smoothing)
    moment, product = np.zeros((size, size)), np.zeros(smoothing.shape)
    found = []
    for start, end in zip([0, *ends], ends, strict=False):
        for inputs, outputs in _pairs(windows, rows[start:end]):
            moment += inputs.T @ inputs
            product += inputs.T @ (outputs - inputs @ smoothing)
        found.append((moment.copy(), product.copy()))
    return found


def _best(
    windows: ForecastWindows, smoothing: Array, tried: list[Tried], last: Moments
) -> tuple[Array, float]:
    """Return the line of all windows, with constants if they help, and its error on others."""
    found = []
    for constants in (False, True):
        kinds = [(rows, _ridges(*moments, constants=constants)) for rows, moments in tried]
        shares, error = _shares(windows, smoothing, kinds)
        ridges = _ridges(*last, constants=constants)
        found.append((smoothing + np.tensordot(shares[1:], ridges, 1), error))
    without, with_ = found
    return with_ if with_[1] < (1 - _CONSTANTS) * without[1] else without


def _ridges(moment: Array, product: Array, *, constants: bool) -> Array:
    """Solve for each penalty: `[P, T + 1, H]`."""
    size = len(moment) if constants else len(moment) - 1
    values, vectors = np.linalg.eigh(moment[:size, :size])
    mean = max(float(values.mean()), 1e-12)
    rotated = vectors.T @ product[:size]
    found = np.zeros((len(_PENALTIES), *product.shape))
    for number, penalty in enumerate(_PENALTIES):
        shrunk = rotated / (values.clip(min=0) + penalty * mean)[:, None]
        found[number, :size] = vectors @ shrunk
    return found


def _shares(
    windows: ForecastWindows, smoothing: Array, tried: list[tuple[Array, Array]]
) -> tuple[Array, float]:
    """The share of smoothing alone and of each penalty, and the error that all together made."""
    lines = [smoothing + np.concatenate([np.zeros((1, *smoothing.shape)), r]) for _, r in tried]
    # What is nearer to the present tells more of what comes after it.
    counts = np.array([2.0**place * len(rows) for place, (rows, _) in enumerate(tried)])
    each = [_errors(windows, rows, kind) for (rows, _), kind in zip(tried, lines, strict=True)]
    shares = _by_error(counts @ np.array(each))
    together = [
        _errors(windows, rows, np.tensordot(shares, kind, 1)[None])[0]
        for (rows, _), kind in zip(tried, lines, strict=True)
    ]
    return shares, float(counts @ np.array(together)) / float(counts.sum())


def _errors(windows: ForecastWindows, rows: Array, lines: Array) -> Array:
    """The mean absolute error of each of several lines `[P, T + 1, H]`, `[P]`."""
    total, count = np.zeros(len(lines)), 0
    for inputs, outputs in _pairs(windows, rows):
        total += [np.abs(inputs @ line - outputs).sum() for line in lines]
        count += outputs.size
    return total / max(count, 1)


def _pairs(windows: ForecastWindows, rows: Array) -> Iterator[tuple[Array, Array]]:
    """Inputs `[n, T + 1]`, the last 1, and outputs `[n, H]`, a row a target, some at a time."""
    for start in range(0, len(rows), _AT_ONCE):
        batch = windows.batch(rows[start : start + _AT_ONCE])
        assert batch.targets is not None
        targets = batch.targets.shape[2]
        past = batch.values[..., :targets].numpy().astype(np.float64)
        ahead = batch.targets.numpy().astype(np.float64)
        last = past[:, -1:]
        inputs = (past - last).transpose(0, 2, 1).reshape(-1, past.shape[1])
        outputs = (ahead - last).transpose(0, 2, 1).reshape(-1, ahead.shape[1])
        known = ~np.isnan(outputs).any(axis=1)
        ones = np.ones((int(known.sum()), 1))
        yield np.concatenate([inputs[known], ones], axis=1), outputs[known]

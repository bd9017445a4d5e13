"""Intervals: how far forecasts may be off, calibrated on errors that were seen (conformal)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm as normal
from scipy.stats import t as student

from tidegate.data.batching import Array
from tidegate.data.codec import read_fields
from tidegate.data.schema import Numbers, array
from tidegate.data.series.panel import Panel
from tidegate.errors import InputError, message
from tidegate.files import FoundJson

MARGINS_FILE = "margins.json"
"""Where a saved model keeps its margins."""
_FIELDS = {"levels": Numbers(1, minimum=0, maximum=1), "values": Numbers(3)}

# Errors that a margin is taken from: with fewer of one step, those of its neighbours join them.
_ENOUGH = 100
# Forecasts that margins are taken from: the latest, and how few will do. Those that overlap are off
# together, so they must be spread over so many horizons besides.
LATEST, FEWEST, HORIZONS = 500, 100, 5


@dataclass(frozen=True)
class Bounds:
    """What no value of a target can be below or above.

    Attributes:
        lower: `[C]`, maybe -infinity.
        upper: `[C]`, maybe infinity.

    Example:
        >>> Bounds(np.zeros(1), np.full(1, np.inf)).clip(np.array([[[-2.0], [3.0]]])).tolist()
        [[[0.0], [3.0]]]
    """

    lower: Array
    upper: Array

    def clip(self, values: Array) -> Array:
        """Bring forecasts `[B, H, C]`, or ends of intervals `[B, H, C, L]`, within the bounds."""
        lower, upper = self.lower, self.upper
        if values.ndim == 4:
            lower, upper = lower[:, None], upper[:, None]
        found: Array = np.clip(values, lower, upper)
        return found

    def check(self, panel: Panel, owner: str) -> None:
        """Refuse series that are beyond them.

        Args:
            panel: The series.
            owner: Who complains.

        Raises:
            InputError: If a target has a value outside; the message names it.
        """
        values = panel.values[:, : len(self.lower)]
        for name, bound, wrong in (
            ("lower", self.lower, values < self.lower),
            ("upper", self.upper, values > self.upper),
        ):
            if wrong.any():
                step, target = np.argwhere(wrong)[0]
                rule = f"a bound of the values of {panel.targets[target]!r}"
                got = f"{bound[target]:g} beside {values[step, target]:g}"
                raise InputError(message(owner, name, rule, got))


@dataclass(frozen=True)
class Margins:
    """How far beyond the network's own quantiles an interval has to reach.

    Conformalised quantile regression (Romano et al. 2019): the score of a truth y is
    max(lower - y, y - upper), and the margin of a level is the quantile of that level of the
    scores on windows that were not learned from. A point forecast is an interval of width 0.

    Attributes:
        levels: The share of the truth that each interval is to cover, L of them.
        values: In units of each window, `[H, C, L]`.

    Example:
        >>> seen = np.arange(1.0, 100.0).reshape(99, 1, 1, 1)
        >>> Margins.fit(seen, [0.8]).values.item()
        80.0
    """

    levels: tuple[float, ...]
    values: Array

    @classmethod
    def fit(cls, scores: Array, levels: Sequence[float]) -> Margins:
        """Take margins from the scores of past windows.

        Args:
            scores: `[B, H, C, L]`, in units of each window, NaN where the truth is unknown.
            levels: L.
        """
        reach = -(-_ENOUGH // max(len(scores), 1)) // 2
        steps = []
        for step in range(scores.shape[1]):
            near = scores[:, max(0, step - reach) : step + reach + 1]
            joined = near.reshape(-1, *scores.shape[2:])
            each = [upper_quantile(joined[..., n], level) for n, level in enumerate(levels)]
            steps.append(np.stack(each, axis=-1))
        return cls(tuple(levels), np.stack(steps))

    def widen(self, lower: Array, upper: Array, unit: Array) -> tuple[Array, Array]:
        """Widen intervals, or narrow them.

        Steps beyond those of training get the last margin times the root of how much further
        they are, as for a random walk.

        Args:
            lower: `[B, H, C, L]`.
            upper: `[B, H, C, L]`.
            unit: The unit of each window, `[B, C]`.

        Returns:
            Both ends; an interval is never narrower than nothing.
        """
        known, horizon = len(self.values), lower.shape[1]
        steps = np.arange(horizon)
        growth = np.sqrt(np.maximum(1.0, (steps + 1) / known))[:, None, None]
        reach = self.values[np.minimum(steps, known - 1)] * growth
        margin = reach * unit[:, None, :, None]
        middle = (lower + upper) / 2
        return np.minimum(lower - margin, middle), np.maximum(upper + margin, middle)

    def for_few(self, spans: int, optimism: float) -> Margins:
        """Widen the margins that few errors tell, those of forecasts of what was learned from.

        Args:
            spans: Stretches of a horizon that the errors are of: Student's t has so many degrees.
            optimism: How many times as large errors are on what was not learned from.
        """
        probabilities = (1 + np.array(self.levels)) / 2
        wider = student.ppf(probabilities, max(spans, 1)) / normal.ppf(probabilities)
        return replace(self, values=self.values * wider * optimism)

    def to_json(self) -> dict[str, object]:
        """Return everything as JSON."""
        return {"levels": list(self.levels), "values": self.values.tolist()}

    @classmethod
    def from_json(cls, found: FoundJson, shape: tuple[int, int, int]) -> Margins:
        """Read what `to_json` gave, trusting nothing in it.

        Args:
            found: The margins as JSON.
            shape: H, C and L of the model.

        Raises:
            ArtifactError: If something does not fit.
        """
        told = read_fields({MARGINS_FILE: found}, MARGINS_FILE, _FIELDS)
        levels = array(told["levels"], shape[2:], MARGINS_FILE, "levels")
        values = array(told["values"], shape, MARGINS_FILE, "values")
        return cls(tuple(levels.astype(float).tolist()), values.astype(np.float64))


def score(truth: Array, lower: Array, upper: Array, unit: Array) -> Array:
    """Say by how much truths lie outside their intervals; less than 0 is inside.

    Args:
        truth: `[B, H, C]`.
        lower: `[B, H, C, L]`.
        upper: `[B, H, C, L]`.
        unit: The unit of each window, `[B, C]`.

    Returns:
        `[B, H, C, L]` in these units.
    """
    outside = np.maximum(lower - truth[..., None], truth[..., None] - upper)
    scores: Array = outside / unit[:, None, :, None]
    return scores


def enough(times: Array, lag: int) -> bool:
    """Say whether forecasts made at these times tell how far forecasts are off.

    Args:
        times: Ascending, `[B]` integers.
        lag: H.

    Example:
        >>> enough(np.arange(200), 10), enough(np.arange(200), 50)
        (True, False)
    """
    return len(times) >= FEWEST and bool(times[-1] - times[0] >= HORIZONS * lag)


def oldest(times: Array, lag: int) -> int:
    """Return the index of the oldest forecast that still counts; arguments as of `enough`."""
    spread = int(np.searchsorted(times, times[-1] - HORIZONS * lag))
    return min(max(0, len(times) - LATEST), spread)


def rolling(scores: Array, times: Array, lag: int, levels: Sequence[float]) -> Iterator[Margins]:
    """Take margins for each forecast from the scores that were known when it was made.

    So they follow errors that grow or shrink, as those of the seasons do. The scores of the latest
    forecasts that are known to their end count, if they are `enough`, and of those after them the
    steps that are known.

    Args:
        scores: `[B, H, C, L]`, in units of each window, NaN where the truth is unknown.
        times: When each forecast was made, ascending, `[B]` integers.
        lag: Steps until the truth of a forecast is known to its end, H.
        levels: L.

    Yields:
        Margins for one forecast after another; NaN where too few scores were known.
    """
    nothing = Margins(tuple(levels), np.full(scores.shape[1:], np.nan))
    counts = np.searchsorted(times, times - lag, side="right")
    renewed, found = 0, nothing
    for now, count in zip(times, counts, strict=True):
        # A few scores more or less move no quantile: it is taken anew after every twentieth part.
        due = found is nothing or count - renewed >= min(count, LATEST) / 20
        if due and enough(times[:count], lag):
            renewed = int(count)
            rows = slice(oldest(times[:count], lag), int(np.searchsorted(times, now)))
            known = times[rows, None] + np.arange(scores.shape[1]) < now
            usable = np.where(known[..., None, None], scores[rows], np.nan)
            found = Margins.fit(usable, levels)
        yield found


def upper_quantile(scores: Array, level: float) -> Array:
    """Return the smallest score that at least ceil((n + 1) level) of n scores do not exceed.

    With one more, exchangeable score, it is at least as probable as `level` that it does not
    exceed this one (Vovk et al. 2005). Too few scores give the greatest.

    Args:
        scores: `[n, ...]`, NaN where unknown; none gives 0.
        level: From 0 to 1.

    Returns:
        `[...]`.

    Example:
        >>> upper_quantile(np.array([3.0, 1.0, 2.0]), 0.5).item()
        2.0
    """
    known = (~np.isnan(scores)).sum(axis=0)
    # Rounded, or 0.8 * 100 would be 81st, for it is 80.00000000000001 to a machine.
    rank = np.ceil(np.round((known + 1) * level, 9)).astype(np.int64).clip(1, np.maximum(known, 1))
    if not len(scores):
        return np.zeros(scores.shape[1:])
    ordered = np.sort(scores, axis=0)  # what is unknown comes last
    found = np.take_along_axis(ordered, rank[None] - 1, axis=0)[0]
    return np.where(known > 0, found, 0.0)


def ends(levels: Sequence[float]) -> list[float]:
    """List the quantiles at the ends of intervals: all lower ones, then all upper ones.

    Example:
        >>> ends([0.8])
        [0.1, 0.9]
    """
    lower = [round((1 - level) / 2, 9) for level in levels]
    return lower + [round(1 - share, 9) for share in lower]

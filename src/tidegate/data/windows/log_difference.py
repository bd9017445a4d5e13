"""LogDifference: the logarithm of series and their differences, and back again."""

from __future__ import annotations

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.series.panel import Panel
from tidegate.errors import InputError, message


class LogDifference:
    """What is done to values before they are scaled: the logarithm, then differences.

    Axis letters: T steps, H steps ahead, C targets.

    Args:
        log: Whether to take log(y + offset).
        lag: Forecast y_t - y_(t - lag); 0 forecasts y_t.
        offset: What is added before the logarithm, `[C]`.
        floor: What no value is below, `[C]`; by default 0 with the logarithm, else nothing.

    Example:
        >>> change = LogDifference(log=False, lag=1, offset=np.zeros(1))
        >>> change.forward(np.array([[1.0], [3.0], [6.0]])).ravel().tolist()
        [nan, 2.0, 3.0]
    """

    def __init__(self, *, log: bool, lag: int, offset: Array, floor: Array | None = None) -> None:
        self.log, self.lag, self.offset = log, lag, offset
        usual = np.full(len(offset), 0.0 if log else -np.inf)
        self.floor = usual if floor is None else floor

    @property
    def identity(self) -> bool:
        """Whether values stay as they are."""
        return not self.log and not self.lag

    @classmethod
    def fit(cls, values: Array, *, log: bool, lag: int) -> LogDifference:
        """Learn the offset of the logarithm: 0 for values above 0, 1 where some are 0.

        Args:
            values: The training values `[T, C]`, NaN where missing.
            log: Whether to take the logarithm.
            lag: Steps between differences.
        """
        smallest = np.nanmin(values, axis=0) if log else np.ones(values.shape[1])
        offset = np.where(smallest > 0, 0.0, 1.0)
        floor = np.where(smallest < 0, -offset, 0.0) if log else None
        return cls(log=log, lag=lag, offset=offset, floor=floor)

    def check(self, panel: Panel, owner: str) -> None:
        """Refuse values that have no logarithm.

        Args:
            panel: The series.
            owner: Who complains.

        Raises:
            InputError: If there is one; the message names it.
        """
        if not self.log:
            return
        low = panel.values[:, : len(self.offset)] + self.offset <= 0
        if low.any():
            at, column = np.argwhere(low)[0]
            rule = f"greater than {0 - self.offset[column]:g} when log=True"
            got = f"{panel.values[at, column]:g} in {panel.targets[column]!r}"
            remedy = "Leave log out, or differencing in its place"
            raise InputError(message(owner, "target", rule, got, remedy))

    def logged(self, values: Array) -> Array:
        """Take the logarithm of `[T, C]`, if there is one to take."""
        return np.log(values + self.offset) if self.log else values

    def forward(self, values: Array) -> Array:
        """LogDifference one series `[T, C]`; the first `lag` steps are missing afterwards."""
        found = self.logged(values)
        if not self.lag:
            return found
        changed = np.full_like(found, np.nan)
        changed[self.lag :] = found[self.lag :] - found[: -self.lag]
        return changed

    def inverse(self, mean: Array, spreads: Array, before: Array) -> tuple[Array, Array]:
        """Put forecasts back.

        Errors of differences add up as if they were independent of each other: the deviation of a
        sum is the root of the sum of squares.

        Args:
            mean: LogDifferenced values `[B, H, C]`.
            spreads: Quantiles minus mean, `[B, H, C, Q]`; Q may be 0.
            before: The last `lag` values before the forecast, not missing, `[B, lag, C]`.

        Returns:
            The mean and the quantiles in the units of the data.
        """
        mean, spreads = mean.copy(), spreads.copy()
        lag = self.lag
        if lag:
            known = self.logged(before)
            for step in range(mean.shape[1]):
                back = step - lag
                mean[:, step] += mean[:, back] if back >= 0 else known[:, step]
                if back >= 0:
                    total = np.hypot(spreads[:, step], spreads[:, back])
                    spreads[:, step] = np.copysign(total, spreads[:, step])
        quantiles = mean[..., None] + spreads
        if not self.log:
            return mean, quantiles
        return np.exp(mean) - self.offset, np.exp(quantiles) - self.offset[:, None]

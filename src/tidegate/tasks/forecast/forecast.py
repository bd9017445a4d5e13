"""Forecast: what a forecaster answers, with times and intervals."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.clock import TimeAxis
from tidegate.data.series.panel import Panel
from tidegate.errors import InputError, message
from tidegate.tasks.core.examples import DataWarning
from tidegate.terminal import cell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Steps of history shown for each step ahead, at most: more would squeeze the forecast.
_HISTORY = 4
# Series and targets in one picture, at most.
_PICTURES = 6


@dataclass(frozen=True, repr=False)
class Forecast:
    """What comes after the end of each series.

    Axis letters: S series, H steps ahead, C targets, L levels.

    Attributes:
        mean: The forecast, `[S, H, C]`, in the units of the data.
        lower: The lower end of each interval, `[S, H, C, L]`.
        upper: The upper end.
        levels: Which share of the truth each interval is to cover, L of them; maybe none.
        panel: The series that the forecasts go on from.
        columns: What the columns of identifiers and times are called, by role.

    Example:
        >>> forecast = model.predict(horizon=24)  # doctest: +SKIP
        >>> forecast.to_frame().to_csv("next.csv")  # doctest: +SKIP
    """

    mean: Array
    lower: Array
    upper: Array
    levels: tuple[float, ...]
    panel: Panel
    columns: Mapping[str, str]

    @property
    def horizon(self) -> int:
        """H."""
        return int(self.mean.shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """A name of each series, its number where it has none."""
        named = self.panel.names or tuple(range(len(self.panel)))
        return tuple(map(str, named))

    def times(self, number: int) -> TimeAxis:
        """Return the times of the H steps ahead of a series."""
        return self.panel.times(number, int(self.panel.lengths[number]), self.horizon)

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row for each series, time and target.

        Returns:
            The identifier's and the time's column, "target" where there are several, "prediction",
            and "lower_80" and "upper_80" for an interval of level 0.8.
        """
        several = len(self.panel.targets) > 1
        parts = []
        for number, name in enumerate(self.names):
            for column, target in enumerate(self.panel.targets):
                part: dict[str, object] = {}
                if self.panel.names is not None or len(self.panel) > 1:
                    part[self.columns.get("id", "series")] = name
                part[self.columns.get("time", "time")] = self.times(number)
                if several:
                    part["target"] = target
                part["prediction"] = self.mean[number, :, column]
                for place, level in enumerate(self.levels):
                    for side, values in (("lower", self.lower), ("upper", self.upper)):
                        part[f"{side}_{100 * level:g}"] = values[number, :, column, place]
                parts.append(pd.DataFrame(part))
        table: pd.DataFrame = pd.concat(parts, ignore_index=True)
        return table

    def plot(self, series: str | int | None = None, *, target: str | None = None) -> Figure:
        """Draw the history, the forecast and its intervals.

        Args:
            series: The name or the number of a series; None for all.
            target: The target; None for all.

        Returns:
            A matplotlib figure, with a picture for each series and target, up to six; its title
            says of how many.

        Raises:
            InputError: If there is no such series or target.
        """
        targets = self.panel.targets
        if target is not None and target not in targets:
            raise InputError(message("Forecast", "target", f"one of {', '.join(targets)}", target))
        columns = range(len(targets)) if target is None else [targets.index(target)]
        numbers = range(len(self.names)) if series is None else [self._number(series)]
        return self._drawn([(number, column) for number in numbers for column in columns])

    def save_plot(self, path: str | Path) -> None:
        """Write the picture of the series to a file; where they are too many, of the first.

        Args:
            path: A .png, .svg or .pdf.

        Raises:
            InputError: If it cannot be written.
        """
        pictures = len(self.names) * len(self.panel.targets)
        if pictures > _PICTURES:
            what = f"the picture shows the first {_PICTURES} of {pictures:,} series and targets."
            warnings.warn(DataWarning(what), stacklevel=2)
        try:
            self.plot().savefig(path, dpi=120)
        except (OSError, ValueError) as error:
            rule = "a .png, .svg or .pdf in a folder that exists"
            raise InputError(message("Forecast", "plot", rule, f"{path} ({error})")) from error

    def _number(self, series: str | int) -> int:
        if isinstance(series, int) and -len(self.names) <= series < len(self.names):
            return series % len(self.names)
        if str(series) in self.names:
            return self.names.index(str(series))
        rule = f"one of {len(self.names)} series"
        raise InputError(message("Forecast", "series", rule, repr(series)))

    def _drawn(self, places: Sequence[tuple[int, int]]) -> Figure:
        """Draw series and targets by their numbers."""
        from tidegate.tasks.forecast import plots  # matplotlib: only when it is drawn

        pairs = []
        for number, column in places[:_PICTURES]:
            length = int(self.panel.lengths[number])
            shown = min(length, max(_HISTORY * self.horizon, 60))
            past = plots.History(
                self.panel.times(number, length - shown, shown),
                self.panel.series(number)[length - shown :, column],
                self._called(number, column),
            )
            path = plots.ForecastPath(
                self.times(number), self.mean[number, :, column], self.lower[number, :, column],
                self.upper[number, :, column], self.levels,
            )  # fmt: skip
            pairs.append((past, path))
        title = f"{self.horizon} steps of {self.panel.clock.name}"
        if len(places) > len(pairs):
            title += f"; the first {len(pairs)} of {len(places)} pictures"
        return plots.draw_forecasts(pairs, title)

    def _called(self, number: int, column: int) -> str:
        """The target, or the series where there are several, or both."""
        several = [self.names[number]] * (len(self.names) > 1)
        targets = [self.panel.targets[column]] * (len(self.panel.targets) > 1 or not several)
        return ": ".join([*several, *targets])

    def __repr__(self) -> str:
        """Say of what the forecast is; its numbers are in `to_frame()`."""
        ends = [self.times(0)[0], self.times(0)[-1]]
        targets = cell(", ".join(self.panel.targets))
        told = [
            f"{len(self.names)} series" if len(self.names) > 1 else "",
            f"{targets}: {self.horizon} steps of {self.panel.clock.name}",
            f"{ends[0]} to {ends[1]}" if len(self.names) == 1 else "",
            "intervals of " + " and ".join(f"{100 * level:g} %" for level in self.levels)
            if self.levels
            else "",
        ]
        return f"Forecast({'; '.join(part for part in told if part)})"

    def _repr_html_(self) -> str:
        """Show the picture in a notebook, and the first rows of the table under it."""
        from tidegate.explain.figures import shown

        return shown(repr(self), self.plot(), self.to_frame())

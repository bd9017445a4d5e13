"""Backtest: forecasts from past origins beside what came and beside baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.panel import Panel
from tidegate.tasks.forecast.intervals import ends
from tidegate.tasks.forecast.line.lean import spans
from tidegate.tasks.forecast.past import metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A difference between two errors that is no more than this share of them says little.
_LEVEL = 0.02
# Forecasts that begin within fewer stretches of a horizon than these are too few to judge.
_FEWEST_SPANS = 3
# Forecasts that are drawn, the last ones.
_SHOWN = 12
# Series told of one by one.
_PARTS = 20
# Scores in the units of the data, which are those of one series.
_IN_UNITS = frozenset({"mae", "rmse", "crps"})


@dataclass(frozen=True, repr=False)
class Backtest:
    """Forecasts of what is known by now, each made from what was known before it.

    Axis letters: B forecasts, H steps ahead, C targets, L levels.

    Attributes:
        panel: The series.
        series: The series of each forecast, `[B]`.
        origins: The first step ahead of each, counted from the start of its series, `[B]`.
        truth: What came, `[B, H, C]`, NaN where nobody knows; in the units of the data.
        mean: The forecasts, `[B, H, C]`.
        lower: The lower end of each interval, `[B, H, C, L]`; NaN for the first forecasts, where
            nothing was known yet to calibrate it on.
        upper: The upper end.
        levels: Which share of the truth each interval is to cover.
        baselines: Forecasts of the baselines by name, `[B, H, C]`.
        unit: Mean error of the seasonal naive forecast before the first origin, `[B, C]`.

    Example:
        >>> model.backtest(later).to_frame()  # doctest: +SKIP
    """

    panel: Panel
    series: Array
    origins: Array
    truth: Array
    mean: Array
    lower: Array
    upper: Array
    levels: tuple[float, ...]
    unit: Array
    baselines: Mapping[str, Array] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        """H."""
        return int(self.truth.shape[1])

    @classmethod
    def join(cls, parts: Sequence[Backtest]) -> Backtest:
        """Put backtests of the same series together.

        Args:
            parts: At least one; the series of the last count.
        """
        last = parts[-1]
        names = set.intersection(*(set(part.baselines) for part in parts))
        return replace(
            last,
            series=np.concatenate([part.series for part in parts]),
            origins=np.concatenate([part.origins for part in parts]),
            truth=np.concatenate([part.truth for part in parts]),
            mean=np.concatenate([part.mean for part in parts]),
            lower=np.concatenate([part.lower for part in parts]),
            upper=np.concatenate([part.upper for part in parts]),
            unit=np.concatenate([part.unit for part in parts]),
            baselines={
                name: np.concatenate([part.baselines[name] for part in parts])
                for name in last.baselines
                if name in names
            },
        )

    def scores(self) -> dict[str, float]:
        """Measure the forecasts, in the units of the data.

        Returns:
            `mae`, `rmse`, `smape`, `mase`; with intervals also `crps` and, for a level of 0.8,
            `coverage_80` and `width_80`, the mean width.
        """
        found = self._errors(self.mean)
        if not self.levels:
            return found
        quantiles = np.concatenate([self.lower, self.mean[..., None], self.upper], axis=3)
        levels = [
            *ends(self.levels)[: len(self.levels)],
            0.5,
            *ends(self.levels)[len(self.levels) :],
        ]
        order = np.argsort(levels)
        ordered = np.sort(quantiles[..., order], axis=3)
        found["crps"] = metrics.crps(self.truth, ordered, [levels[place] for place in order])
        for place, level in enumerate(self.levels):
            lower, upper = self.lower[..., place], self.upper[..., place]
            found[f"coverage_{100 * level:g}"] = metrics.coverage(self.truth, lower, upper)
            found[f"width_{100 * level:g}"] = metrics.mean_width(lower, upper)
        return found

    def compared(self) -> dict[str, dict[str, float]]:
        """Measure the model and every baseline: scores by name, the model first."""
        others = {name: self._errors(found) for name, found in self.baselines.items()}
        return {"model": self.scores(), **others}

    def by_step(self) -> pd.DataFrame:
        """Measure each step ahead by itself.

        Returns:
            A row a step, with `mae` of the model and of each baseline, and the coverages.
        """
        rows = []
        for step in range(self.horizon):
            truth = self.truth[:, step]
            row: dict[str, float] = {
                "step": step + 1,
                "mae": metrics.mae(truth, self.mean[:, step]),
            }
            for name, found in self.baselines.items():
                row[f"mae {name}"] = metrics.mae(truth, found[:, step])
            for place, level in enumerate(self.levels):
                row[f"coverage_{100 * level:g}"] = metrics.coverage(
                    truth, self.lower[:, step, :, place], self.upper[:, step, :, place]
                )
            rows.append(row)
        table: pd.DataFrame = pd.DataFrame(rows)
        return table

    def to_frame(self) -> pd.DataFrame:
        """Return the scores as a table: a row for the model and for each baseline."""
        table: pd.DataFrame = pd.DataFrame(self.compared()).T
        return table

    def by_series(self) -> pd.DataFrame:
        """Measure each series and target by itself: errors of series of other sizes do not mix.

        Returns:
            A row for each, with the scores of the model and `mase` of each baseline.
        """
        rows = []
        for name, part in self._parts():
            row: dict[str, object] = {"series": name, "forecasts": len(part.mean)} | part.scores()
            for other, found in part.baselines.items():
                row[f"mase {other}"] = metrics.mase(part.truth, found, part.unit)
            rows.append(row)
        table: pd.DataFrame = pd.DataFrame(rows)
        return table

    def figures(self) -> list[dict[str, str]]:
        """Return the scores as rows of text, to be printed; "in 80 %" is `coverage_80`.

        Of several series or targets, errors in their own units are told of each alone: together
        the largest would rule. What all have in common is `smape` and `mase`.
        """
        compared = self.compared()
        several = self._parts() if self._mixed else []
        scores = compared | {name: part.scores() for name, part in several[:_PARTS]}
        names = [name for name in compared["model"] if not name.startswith("width")]
        shown = {
            who: {name: _shown(name, found.get(name)) for name in names}
            for who, found in scores.items()
        }
        for who in compared if self._mixed else ():
            shown[who] |= dict.fromkeys(_IN_UNITS & set(names), "")
        told = [name for name in names if any(row[name] for row in shown.values())]
        rows = [
            {"": who, **{_heading(name): row[name] for name in told}} for who, row in shown.items()
        ]
        if len(several) > _PARTS:
            more = f"… {len(several) - _PARTS:,} more: by_series()"
            rows.append({"": more, **dict.fromkeys(map(_heading, told), "")})
        return rows

    def verdict(self) -> str:
        """Say in a sentence whether the model is worth its while."""
        compared = self.compared()
        score = "mase" if self._mixed and compared["model"]["mase"] > 0 else "mae"
        own = compared.pop("model")[score]
        if not compared:
            return ""
        best = min(compared, key=lambda name: compared[name][score])
        ratio = own / compared[best][score] if compared[best][score] else float("inf")
        count = int(spans(self.series, self.origins, self.horizon).max(initial=-1)) + 1
        if count < _FEWEST_SPANS:
            advice = " Too few to judge: hardly two of them are apart."
        elif ratio < 1 - _LEVEL:
            advice = ""
        elif ratio <= 1 + _LEVEL:
            advice = " The two are level: the baseline costs nothing."
        else:
            advice = " Use the baseline, or give the model more to learn from."
        kind = "scaled error" if score == "mase" else "error"
        return (
            f"In {len(self.mean):,} forecasts of {self.horizon} steps, the model's {kind} is "
            f"{ratio:.2f} times that of the best baseline, {best}.{advice}"
        )

    @property
    def _mixed(self) -> bool:
        """Whether there are series or targets of sizes of their own."""
        return len(set(self.series.tolist())) > 1 or self.truth.shape[2] > 1

    def _parts(self) -> list[tuple[str, Backtest]]:
        """The forecasts of each series and target, by name."""
        names, targets = self.panel.names, self.panel.targets
        found = []
        for number in sorted(set(self.series.tolist())):
            series = [str(number if names is None else names[number])]
            for column, target in enumerate(targets):
                told = [*series * (len(self.panel) > 1), *[target] * (len(targets) > 1)]
                found.append((": ".join(told or series), self._part(number, column)))
        return found

    def _part(self, number: int, column: int) -> Backtest:
        """The forecasts of one series and target."""
        rows, at = self.series == number, slice(column, column + 1)
        return replace(
            self,
            series=self.series[rows],
            origins=self.origins[rows],
            truth=self.truth[rows][:, :, at],
            mean=self.mean[rows][:, :, at],
            lower=self.lower[rows][:, :, at],
            upper=self.upper[rows][:, :, at],
            unit=self.unit[rows][:, at],
            baselines={name: part[rows][:, :, at] for name, part in self.baselines.items()},
        )

    def __repr__(self) -> str:
        """Say what was forecast; the scores are in `to_frame()` and `by_series()`."""
        count = len(set(self.series.tolist()))
        return f"Backtest({len(self.mean):,} forecasts of {self.horizon} steps; {count:,} series)"

    def _repr_html_(self) -> str:
        """Show the verdict, the last forecasts and the scores in a notebook."""
        from tidegate.explain.figures import shown

        return shown(f"{self!r}. {self.verdict()}", self.plot(), self.to_frame())

    def plot(self, series: int = 0, *, target: int = 0) -> Figure:
        """Draw forecasts that do not overlap over what came.

        Args:
            series: The number of the series.
            target: The number of the target.

        Returns:
            A matplotlib figure.
        """
        from tidegate.tasks.forecast import plots  # matplotlib: only when it is drawn

        rows, panel = self._apart(series), self.panel
        first = max(0, int(self.origins[rows[0]]) - self.horizon)
        last = min(int(self.origins[rows[-1]]) + self.horizon, int(panel.lengths[series]))
        paths = [
            plots.ForecastPath(
                panel.times(series, int(self.origins[row]), self.horizon),
                self.mean[row, :, target], self.lower[row, :, target],
                self.upper[row, :, target], self.levels,
            )
            for row in rows
        ]  # fmt: skip
        truth = panel.series(series)[first:last, target]
        times = panel.times(series, first, last - first)
        return plots.draw_backtest(times, truth, paths, panel.targets[target])

    def _apart(self, series: int) -> list[int]:
        """The last forecasts of a series that do not overlap, by their rows."""
        rows = np.flatnonzero(self.series == series).tolist()
        apart: list[int] = rows[:1]
        for row in rows:
            if self.origins[row] >= self.origins[apart[-1]] + self.horizon:
                apart.append(row)
        return apart[-_SHOWN:]

    def _errors(self, forecast: Array) -> dict[str, float]:
        return {
            "mae": metrics.mae(self.truth, forecast),
            "rmse": metrics.rmse(self.truth, forecast),
            "smape": metrics.smape(self.truth, forecast),
            "mase": metrics.mase(self.truth, forecast, self.unit),
        }


def _heading(name: str) -> str:
    """What a column is called where seven of them share a line."""
    return name.replace("coverage_", "in ") + (" %" if name.startswith("coverage_") else "")


def _shown(name: str, value: float | None) -> str:
    if value is None or np.isnan(value):
        return ""
    return f"{value:.1%}" if name.startswith("coverage") else f"{value:.4g}"

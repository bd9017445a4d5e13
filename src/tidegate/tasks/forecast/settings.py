"""ForecasterSettings: everything a forecaster can be told."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.errors import InputError, message
from tidegate.tasks.core.ensemble import EnsembleSettings
from tidegate.tasks.core.settings.option import changed, setting
from tidegate.tasks.core.settings.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ForecasterSettings(EnsembleSettings):
    """The settings of a Forecaster."""

    batch_size: int = changed(Settings, "batch_size", 64)
    epochs: int | None = setting(  # type: ignore[assignment]
        None,
        help="Passes over the training windows, at most; by default as many as make about 1,500 "
        "steps, between 10 and 150.",
        minimum=1,
        maximum=100_000,
        group="Training",
    )
    lookback: int | None = setting(
        None,
        help="Steps of the past that a forecast reads; by default two horizons and some seasons, "
        "as far as the series are long enough.",
        minimum=1,
        structural=True,
        group="Series",
    )
    horizon: int = setting(
        24, help="Steps ahead that are forecast.", minimum=1, structural=True, group="Series"
    )
    strategy: str = setting(
        "segment",
        help="How the steps ahead come about: segment reads and writes runs of steps at once, "
        "direct writes all of them from the last state, recursive reads its own answers, "
        "encoder-decoder has a second net write them.",
        choices=("segment", "direct", "recursive", "encoder-decoder"),
        structural=True,
    )
    segment: int | None = setting(
        None,
        help="Steps of a segment; by default an eighth of the lookback.",
        minimum=1,
        structural=True,
        group="Model",
    )
    output: str = setting(
        "point",
        help="What is learned: one value, quantiles, or the parameters of a distribution.",
        choices=("point", "quantile", "normal", "student-t", "negative-binomial"),
        structural=True,
    )
    loss: str = setting(
        "mse",
        help="The loss of a point forecast: squared or absolute error.",
        choices=("mse", "mae"),
        group="Training",
    )
    quantiles: tuple[float, ...] = setting(
        (0.025, 0.1, 0.5, 0.9, 0.975),
        help="Which quantiles output=quantile learns, ascending.",
        structural=True,
    )
    levels: tuple[float, ...] = setting(
        (0.8, 0.95), help="Which share of the truth each interval is to cover.", group="Series"
    )
    conformal: bool = setting(
        True,
        help="Calibrate the intervals by the errors on past windows that were not learned from.",
        group="Series",
    )
    scaling: str = setting(
        "window",
        help="How values are brought to one size: standard by mean and deviation and robust by "
        "median and quartiles, of the training span; window is standard, and then each window "
        "by its own level as well, undone after the network.",
        choices=("standard", "robust", "window", "none"),
        structural=True,
        group="Series",
    )
    window_norm: str = setting(
        "last",
        help="With scaling=window, what each window is measured from: its last value, its mean, or "
        "(standard) its mean in units of its own deviation.",
        choices=("last", "mean", "standard"),
        structural=True,
        group="Series",
    )
    channels: str = setting(
        "independent",
        help="Whether one net reads several targets each by itself, or all together.",
        choices=("independent", "joint"),
        structural=True,
    )
    linear: bool = setting(
        True,
        help="Add a linear model of the lookback, solved for before training: the network then "
        "learns what it leaves over. Counts (negative-binomial) go without.",
        structural=True,
    )
    differencing: int = setting(
        0,
        help="Forecast the change from so many steps before instead of the value: 1, or a season.",
        minimum=0,
        structural=True,
        group="Series",
    )
    log: bool = setting(
        False, help="Forecast the logarithm of the values.", structural=True, group="Series"
    )
    lower: float | None = setting(
        None,
        help="What no value can be below: forecasts and intervals end there. With log, and for "
        "counts, 0 needs no telling.",
        group="Series",
    )
    upper: float | None = setting(
        None, help="What no value can be above, such as 100 for a share in percent.", group="Series"
    )
    calendar: bool = setting(
        False,
        help="Give the network the time of day, week and year as inputs.",
        structural=True,
        group="Series",
    )
    missing: str = setting(
        "mask",
        help="What to put for missing values: the last one known, with a mask as a further "
        "input, or a line between their neighbours within the window.",
        choices=("mask", "interpolate"),
        structural=True,
        group="Series",
    )
    season: int | None = setting(
        None,
        help="Steps of a season, for the lookback, the baselines and MASE; by default what is "
        "usual at the frequency, or else what is found in the data.",
        minimum=1,
        group="Series",
    )
    dayfirst: bool = setting(
        False,
        help="Read 01/02/2015 as the first of February; by default what leaves fewer gaps.",
        group="Series",
    )
    max_windows: int | None = setting(
        50_000,
        help="Most windows to learn from in an epoch; where there are more, each epoch takes "
        "others. None takes all.",
        minimum=1,
        group="Training",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("quantiles", "levels"):
            values = getattr(self, name)
            if list(values) != sorted(set(values)) or not all(0 < value < 1 for value in values):
                rule = "made of numbers between 0 and 1, ascending"
                raise InputError(message(self.owner, name, rule, values))
        for name in ("log", "differencing"):
            if self.output == "negative-binomial" and getattr(self, name):
                rule = "left out with output='negative-binomial', whose counts stay counts"
                raise InputError(message(self.owner, name, rule, getattr(self, name)))
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            rule = f"greater than lower, {self.lower:g}"
            raise InputError(message(self.owner, "upper", rule, f"{self.upper:g}"))
        most = self.quantiles[-1] - self.quantiles[0]
        if self.output == "quantile" and max(self.levels, default=0.0) > 1e-9 + most:
            rule = f"at most {most:g}, what lies between the outermost quantiles"
            raise InputError(message(self.owner, "levels", rule, self.levels))

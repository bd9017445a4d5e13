"""Forecaster: what comes next in one or many series, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, cast

import numpy as np
from sklearn.base import clone

from tidegate.data.series.continuation import continued
from tidegate.data.series.inputs import SeriesLike
from tidegate.data.series.panel import RECENT_FILE, Panel
from tidegate.data.windows.encoded import ForecastWindows
from tidegate.data.windows.encoder import SeriesEncoder
from tidegate.data.windows.windows import Windows
from tidegate.errors import InputError, message
from tidegate.files import FoundJson
from tidegate.tasks.core.encoders import Encoders
from tidegate.tasks.core.ensemble import joined
from tidegate.tasks.core.examples import Examples
from tidegate.tasks.core.files.answer import Question
from tidegate.tasks.core.files.reading import fitted_columns, read_split
from tidegate.tasks.core.raw import Answers, Evaluation, JsonObject
from tidegate.tasks.forecast.answer import PREDICT_OPTIONS, ForecastAnswer, check_plot
from tidegate.tasks.forecast.examples import SeriesExamples
from tidegate.tasks.forecast.facts import ALONE, NOT_HELD, read_share, series_facts
from tidegate.tasks.forecast.forecast import Forecast
from tidegate.tasks.forecast.intervals import MARGINS_FILE, Margins, enough, oldest
from tidegate.tasks.forecast.line.lean import spans_of
from tidegate.tasks.forecast.line.linear import LINEAR_FILE, LinearBaseline
from tidegate.tasks.forecast.line.skip import LinearSkip
from tidegate.tasks.forecast.network import build_forecaster_network
from tidegate.tasks.forecast.past.backtest import Backtest
from tidegate.tasks.forecast.past.proof import backtested, few, line_margins, proved_share, skips
from tidegate.tasks.forecast.series_task import SeriesTask
from tidegate.tasks.forecast.settings import ForecasterSettings
from tidegate.tasks.forecast.window_forecasts import WindowForecasts, forecast_windows
from tidegate.training.loop import Training
from tidegate.training.measure import Loader, measure
from tidegate.training.network import InspectableNetwork, Network

# Origins of a backtest, unless more are wanted.
_ORIGINS = 1_000
# Strategies whose forecasts are linear in what the network adds to the line.
_AT_ONCE = ("segment", "direct")
# Without a held part a network is trusted that learned from so many stretches of a horizon.
_TRUSTED = 40

# Two tables have an "mae".
_UNITS = "This table is in units of the data; loss, mse and mae above are of scaled values."


class Forecaster(SeriesTask):
    """Forecasts one or many series of numbers, with intervals, beside honest baselines.

    It is a scikit-learn estimator. The constructor takes every setting of `ForecasterSettings` as
    a keyword argument and only stores it.

    Attributes:
        encoder_: The fitted `SeriesEncoder`.
        recent_: The last steps of each series it was fitted on, from which `predict` goes on.
        linear_: The linear baseline, fitted on the same training windows.
        share_: How much of what the network adds to the line is kept, from 0 to 1: what forecasts
            of the held part prove a gain. 1 with other outputs than a point.
        margins_: What widens the intervals, or None where nothing was held out.
        backtest_: Forecasts of the validation span, or None; not saved.

    Raises:
        InputError: If a setting is unknown.

    Example:
        >>> import numpy as np
        >>> wave = np.sin(np.arange(400) / 4)
        >>> model = Forecaster(lookback=24, horizon=6, epochs=1, hidden_size=8, verbose=False)
        >>> model.fit(wave).predict().mean.shape
        (1, 6, 1)
    """

    settings_class = ForecasterSettings
    roles: ClassVar[Mapping[str, str]] = {
        "target": "Column to forecast, or several with commas between; all numbers unless given.",
        "time": "Column of the times: dates or whole numbers; rows are counted without one.",
        "id": "Column that names the series of each row, where there are many.",
        "known": "Columns that are known of the future too, with commas between.",
        "past": "Columns that are known up to the present only, with commas between.",
        "static": "Columns that never change within a series, with commas between.",
    }
    input_role = "target"
    optional_roles = ("target", "time", "id", "known", "past", "static")
    answers = "series"
    answer_class = ForecastAnswer
    predict_options = PREDICT_OPTIONS
    use = "predict {model} --out next.csv --plot next.png"
    encoders: ClassVar[Encoders] = {"encoder_": SeriesEncoder}
    encoder_files = (RECENT_FILE, LINEAR_FILE, MARGINS_FILE)
    suits = ("lookback", "segment", "season", "epochs")

    horizon: int  # the setting, as it was given

    linear_: LinearBaseline
    share_: float
    margins_: Margins | None
    backtest_: Backtest | None

    def predict(self, X: SeriesLike | None = None, *, horizon: int | None = None) -> Forecast:
        """Forecast what comes after the end of each series.

        Args:
            X: Series that end where the forecasts begin; None goes on after those of `fit`.
                Series that begin where those of `fit` end may be shorter than the lookback. Known
                columns must reach as far ahead as the forecast.
            horizon: Steps ahead; by default those of training. More than those only where the
                strategy can go on, "recursive" or "encoder-decoder".

        Returns:
            The forecast: `mean`, intervals, `to_frame()`, `plot()`.

        Raises:
            InputError: If the series are too short, of other columns or another frequency, or
                known columns do not reach far enough.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        steps = self._steps(horizon)
        panel = self._ready() if X is None else continued(self._panel(X), self.recent_)[0]
        self._check_ready(panel, steps)
        found = self._run(self._windows(SeriesExamples(panel), horizon=steps))
        if not np.isfinite(found.mean).all():
            rule, got = "values near those of training", "forecasts that are no numbers"
            raise InputError(message(type(self).__name__, "X", rule, got))
        lower, upper = found.widened(self.margins_ if X is None else self._recalibrated(panel))
        count = len(self._levels)
        return Forecast(
            found.mean, lower[..., :count], upper[..., :count], self._levels, panel, self.columns_
        )

    def respond(self, question: Question) -> ForecastAnswer:
        """Forecast what comes after a table, or after the data of `fit`; see `Task.respond`."""
        plot, horizon = question.options.get("plot"), question.options.get("horizon")
        check_plot(plot)
        if question.texts is not None or question.more:
            raise question.refused("one table, or left out")
        if question.path is None:
            found = self.predict(horizon=horizon)
        else:
            columns = fitted_columns(self, question.columns)
            split = read_split(self, question.path, columns, question.drop_missing)
            with split.naming(self):
                found = self.predict(split.rows(self)[0], horizon=horizon)
        if plot is not None:
            found.save_plot(plot)
        return ForecastAnswer(found)

    def backtest(
        self,
        X: SeriesLike,
        *,
        stride: int | None = None,
        horizon: int | None = None,
        origins: int | None = None,
        refit: bool = False,
    ) -> Backtest:
        """Forecast from past origins, and compare with what came and with baselines.

        Args:
            X: Series whose steps after the end of training are forecast. They may begin before
                that end, or right there; series without times are taken to begin with training.
            stride: Steps from one origin to the next. By default as few as give no more than
                `origins` of them; with `refit`, a horizon.
            horizon: Steps ahead; by default those of training.
            origins: Most origins; by default 1,000, and with `refit` 5.
            refit: Whether to fit anew at each origin, to all that comes before it. The task itself
                need not be fitted then, and stays as it is.

        Returns:
            The forecasts, the truth, the baselines and their scores. Each forecast's intervals are
            calibrated on the latest of those whose truth was known when it was made.

        Raises:
            InputError: If nothing comes after the end of training, or the series are too short.
            NotFittedError: If the task was not fitted and `refit` is False.
        """
        if refit:
            return self._refitted(self._panel(X), stride, origins or 5)
        self._check_fitted()
        steps = self._steps(horizon)
        fresh = self._fresh(X, most=None if stride else origins or _ORIGINS)
        owner, history = type(self).__name__, self.encoder_.history
        fresh.check_enough(history, steps, owner, part="a backtest after the fit", held=False)
        windows = self._told_windows(fresh, horizon=steps, stride=stride or 1)
        return self._backtested(windows, self.margins_)

    def score(self, X: SeriesLike, y: None = None, sample_weight: None = None) -> float:
        """Return minus the mean squared error of scaled values, over all windows of X."""
        return -float(self.evaluate(X, y, sample_weight=sample_weight)["mse"])

    def evaluate(
        self, X: SeriesLike, y: None = None, *, sample_weight: None = None, report: bool = False
    ) -> Evaluation:
        """Measure the forecasts of all windows of series.

        Args:
            X: The series. Of those that begin where training ends, every step is forecast;
                otherwise the first `lookback` steps are only read.
            y: Left out: the truth is in the series.
            sample_weight: Left out.
            report: Whether to add `scores`, in the units of the data, and `figures`, those of the
                baselines beside them.

        Returns:
            `loss`, `mse` and `mae` of values scaled as in training.

        Raises:
            InputError: If no series is long enough, or something in them is wrong.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        examples = self._examples(X, y, sample_weight)
        panel, added = continued(examples.panel, self.recent_)
        asked = SeriesExamples(panel).within(added, most=None)
        history, horizon = self.encoder_.history, self.settings_.horizon
        asked.check_enough(history, horizon, type(self).__name__, part="a forecast", held=False)
        windows = self._loader(asked, training=False)
        shown = self.settings_.verbose
        result: Evaluation = measure(self.network_, windows, shown=shown).result()
        if not report:
            return result
        told = self._backtested(self._few(windows), self.margins_)
        return result | {"scores": told.scores()} | self._figures(told)

    def answer(self, X: SeriesLike) -> Answers:
        """Answer series as one column a step: `prediction` and `prediction_2` and so on."""
        forecast = self.predict(X)
        columns: Answers = {}
        for number, target in enumerate(forecast.panel.targets):
            for step in range(forecast.horizon):
                words = ["prediction", target * bool(number), str(step + 1) * bool(step)]
                columns["_".join(filter(None, words))] = forecast.mean[:, step, number].tolist()
        return columns

    def beside(self) -> Evaluation:
        """Return the scores of the validation span, those of the baselines beside them."""
        told = self.backtest_
        alone = "" if self.share_ else ALONE
        if told is None:
            return {"verdict": f"{NOT_HELD} {alone}".strip()}
        return self._figures(told, alone)

    def _figures(self, told: Backtest, alone: str = "") -> Evaluation:
        """The scores of a backtest beside those of values scaled as in training."""
        verdict = " ".join(filter(None, (told.verdict(), alone, _UNITS)))
        return {"figures": told.figures(), "verdict": verdict}

    def facts(self) -> dict[str, str]:
        """Return what was found of the series besides."""
        return super().facts() | series_facts(self.encoder_, self._season, self.share_)

    # What a task writes.

    def _build(self) -> Network:
        return joined(self._member, self.settings_.members)

    def _member(self) -> InspectableNetwork:
        settings = self.settings_
        network = build_forecaster_network(settings, **self.encoder_.sizes)
        if not settings.linear or settings.output == "negative-binomial":
            return network
        return LinearSkip(network, self.encoder_.lookback, settings.horizon)

    def _begin(
        self, network: Network, examples: Examples, loader: Loader, *, going_on: bool
    ) -> None:
        super()._begin(network, examples, loader, going_on=going_on)
        if not going_on:
            assert isinstance(loader, Windows)
            self.linear_ = LinearBaseline.fit(loader, self._season)
            for skip in skips(network):
                skip.set_line(self.linear_.weights)

    def _keep(self, training: Training) -> None:
        super()._keep(training)
        self.margins_, self.backtest_ = None, None
        rows, held = cast(ForecastWindows, training.rows), training.held
        assert held is None or isinstance(held, Windows)
        self.share_ = self._lean(rows, held)
        margins = None if held is None else self._judged(held)
        if margins is None and self.settings_.conformal and not self.share_:
            margins = line_margins(self._run(self._few(rows)), self.linear_)
        self.margins_ = margins

    def _judged(self, held: ForecastWindows) -> Margins | None:
        """Measure forecasts of the held part; return what they tell of intervals, if enough."""
        some, times = self._few(held), np.sort(held.times(np.arange(len(held))))
        if self.settings_.conformal and (self.share_ > 0 or enough(times, held.horizon)):
            self.margins_ = self._run(some).calibrated()
        self.metrics_["validation"] = measure(self.network_, held).result()
        self.backtest_ = self._backtested(some, None)
        return self.margins_

    def _lean(self, rows: ForecastWindows, held: ForecastWindows | None) -> float:
        """Keep the share of what the network adds to the line that the held part proves a gain."""
        found = skips(self.network_)
        settings = self.settings_
        if not found or settings.output != "point" or settings.strategy not in _AT_ONCE:
            return 1.0
        if held is None:
            share = float(len(np.unique(spans_of(rows))) >= _TRUSTED)
        else:
            share = proved_share(self._run(self._few(held)), self.linear_)
        for skip in found:
            skip.lean(share)
        return share

    def _state(self) -> JsonObject:
        return super()._state() | ({} if self.share_ == 1 else {"share": self.share_})

    def _files(self) -> JsonObject:
        files = super()._files()
        files[RECENT_FILE] = self.recent_.to_json()
        files[LINEAR_FILE] = self.linear_.to_json()
        if self.margins_ is not None:
            files[MARGINS_FILE] = self.margins_.to_json()
        return files

    def _restore(self, state: FoundJson, files: FoundJson) -> None:
        super()._restore(state, files)
        self.share_ = read_share(state)
        settings = self.settings_
        assert settings.lookback is not None
        self.recent_ = Panel.from_json(files.get(RECENT_FILE, {}), self.encoder_.clock)
        self.encoder_.check_own(self.recent_, settings.lookback)
        self.linear_ = LinearBaseline.from_json(
            files.get(LINEAR_FILE, {}), settings.lookback, settings.horizon
        )
        found = files.get(MARGINS_FILE)
        shape = settings.horizon, len(self.encoder_.targets), len(settings.levels)
        self.margins_ = None if found is None else Margins.from_json(found, shape)
        self.backtest_ = None

    # How forecasts come about.

    @property
    def _season(self) -> int:
        """Steps of a season, as set or as usual at the frequency; 1 for none."""
        return self.settings_.season or self.encoder_.clock.season

    @property
    def _levels(self) -> tuple[float, ...]:
        """The levels that there are intervals of."""
        point = self.settings_.output == "point"
        return () if point and self.margins_ is None else self.settings_.levels

    def _run(self, windows: ForecastWindows) -> WindowForecasts:
        settings = self.settings_
        point = settings.output == "point"
        return forecast_windows(
            self.network_, windows, settings.levels, point=point, bounds=self._bounds
        )

    def _few(self, windows: ForecastWindows) -> ForecastWindows:
        """Return the same windows, no more of them than can be looked at closely."""
        return few(windows, len(self.encoder_.targets) * 2 * max(1, len(self._levels)))

    def _recalibrated(self, panel: Panel) -> Margins | None:
        """The margins for the end of series: of what came after training, if that is enough."""
        if self.margins_ is None:
            return None
        horizon = self.settings_.horizon
        windows = self._windows(self._fresh(panel, most=None, others=False), horizon=horizon)
        times = np.sort(windows.times(np.arange(len(windows))))
        if not enough(times, horizon):
            return self.margins_
        windows.keep_latest(len(times) - oldest(times, horizon))
        return self._run(self._few(windows)).calibrated()

    def _refitted(self, panel: Panel, stride: int | None, origins: int) -> Backtest:
        """Fit to what comes before each origin, and forecast from there."""
        horizon = self.horizon
        parts = []
        for number in range(origins):
            last = panel.lengths - (origins - 1 - number) * (stride or horizon)
            model = clone(self).fit(panel.cut(np.zeros_like(last), last - horizon))
            nothing = np.zeros_like(last)
            parts.append(model.backtest(panel.cut(nothing, last), stride=horizon))
        return replace(Backtest.join(parts), panel=panel)

    def _backtested(self, windows: ForecastWindows, start: Margins | None) -> Backtest:
        """Forecast windows, and let the baselines forecast them too."""
        return backtested(
            self._run(windows),
            start,
            levels=self._levels,
            season=self._season,
            linear=self.linear_,
            conformal=self.margins_ is not None,
        )

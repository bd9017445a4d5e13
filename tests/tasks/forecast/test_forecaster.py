"""The forecaster: it learns, goes on, is measured against baselines, and never looks ahead."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import tidegate
from tidegate import Forecaster
from tidegate.data import read_series
from tidegate.data.series.leak import LeakWarning
from tidegate.data.windows.encoder import SeriesEncoder
from tidegate.errors import InputError
from tidegate.tasks.forecast.examples import SeriesExamples
from tidegate.tasks.forecast.series_task import SeriesTask

TINY = {"lookback": 12, "horizon": 4, "hidden_size": 6, "segment": 4, "epochs": 2, "batch_size": 32,
        "verbose": False}  # fmt: skip
NOISE = np.random.default_rng(0).normal(size=300)
WAVE = 5 + np.sin(np.arange(300) * 2 * np.pi / 12) + 0.1 * NOISE


def hourly(values, start="2024-01-01", **columns) -> pd.DataFrame:
    times = pd.date_range(start, periods=len(values), freq="h")
    return pd.DataFrame({"time": times, "y": values, **columns})


def tiny(**options) -> Forecaster:
    return Forecaster(**{**TINY, **options})


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(1)


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return tiny().fit(WAVE)


def test_it_goes_on_after_the_end_of_training(fitted):
    found = fitted.predict()
    assert found.mean.shape == (1, 4, 1)
    expected = 5 + np.sin(np.arange(300, 304) * 2 * np.pi / 12)
    np.testing.assert_allclose(found.mean[0, :, 0], expected, atol=0.1)  # the noise of one step
    assert (found.lower <= found.mean[..., None]).all()
    assert (found.mean[..., None] <= found.upper).all()
    assert (found.lower[..., 1] <= found.lower[..., 0]).all()  # 95 % is wider than 80 %
    assert found.to_frame()["time"].tolist() == [300, 301, 302, 303]


def test_series_given_again_are_forecast_alike(fitted):
    found = fitted.predict(WAVE[-40:])
    np.testing.assert_allclose(found.mean, fitted.predict().mean, rtol=1e-6)


def test_dates_and_names_come_out_as_they_went_in():
    frame = pd.concat(
        [hourly(WAVE).assign(id="a"), hourly(WAVE[:200] * 9, "2024-01-03").assign(id="b")]
    )
    model = tiny().fit(read_series(frame, time="time", target="y", id="id"))
    table = model.predict(horizon=2).to_frame()
    assert table["series"].tolist() == ["a", "a", "b", "b"]
    last = frame.groupby("id")["time"].max()
    for name, rows in table.groupby("series"):
        assert rows["time"].tolist() == [last[name] + pd.Timedelta(hours=h) for h in (1, 2)]
    assert abs(table["prediction"][2] / table["prediction"][0]) > 4  # each in its own units


def test_a_continuation_shorter_than_the_lookback_will_do():
    model = tiny(season=12).fit(hourly(WAVE).set_index("time")["y"])
    more = hourly(WAVE[:5], str(pd.Timestamp("2024-01-01") + pd.Timedelta(hours=300)))
    found = model.predict(more.set_index("time")["y"])
    assert str(found.times(0)[0]) == "2024-01-13 17:00:00"
    again = tiny(season=12).fit(WAVE).predict(np.r_[WAVE[-12:], WAVE[:5]])
    assert again.mean == pytest.approx(found.mean, rel=1e-5)
    with pytest.raises(
        InputError, match="`X` must be series of at least 12 steps, the lookback; got 5"
    ):
        tiny().fit(WAVE).predict(WAVE[:5])


@pytest.mark.parametrize(
    "options",
    [
        {"strategy": "direct"},
        {"strategy": "recursive"},
        {"strategy": "encoder-decoder"},
        {"output": "quantile"},
        {"output": "normal"},
        {"output": "student-t"},
        {"scaling": "standard"},
        {"scaling": "robust", "loss": "mae"},
        {"scaling": "none", "conformal": False},
        {"differencing": 12},
        {"log": True},
        {"channels": "joint", "calendar": True},
        {"linear": False, "window_norm": "standard"},
    ],
    ids=str,
)
def test_every_way_forecasts_and_comes_back_from_disk(options, tmp_path):
    values = np.stack([WAVE, 100 * WAVE[::-1]], axis=1)
    frame = pd.DataFrame(values, pd.date_range("2024", periods=300, freq="h"), ["y", "z"])
    model = tiny(**options).fit(frame)
    found = model.predict()
    assert found.mean.shape == (1, 4, 2)
    steps = np.arange(300, 304)
    wave = 5 + np.sin(np.stack([steps, 299 - steps], axis=1) * 2 * np.pi / 12)
    # The line alone finds the wave up to its noise of 0.1, or that of a difference; without it two
    # epochs bring no more than an answer of the right size.
    off = 0.15 if options.get("linear", True) else 2.0
    np.testing.assert_allclose(found.mean[0] / [1, 100], wave, atol=off)
    assert len(found.levels) == (0 if options.get("conformal") is False else 2)
    model.save(tmp_path / "model")
    again = tidegate.load(tmp_path / "model").predict()
    np.testing.assert_array_equal(again.mean, found.mean)
    np.testing.assert_array_equal(again.upper, found.upper)


def test_counts_stay_counts(random):
    counts = random.poisson(3 + 2 * np.sin(np.arange(300) * 2 * np.pi / 12))
    model = tiny(output="negative-binomial", conformal=False).fit(counts)
    found = model.predict()
    assert (found.mean > 0).all()
    assert (found.lower >= 0).all()
    with pytest.raises(InputError, match="`log` must be left out with output='negative-binomial'"):
        tiny(output="negative-binomial", log=True).fit(counts)


def test_a_longer_horizon_needs_a_strategy_that_can_go_on(fitted):
    with pytest.raises(InputError, match=r"`horizon` must be .*4.*; got 9"):
        fitted.predict(horizon=9)
    assert fitted.predict(horizon=2).horizon == 2
    model = tiny(strategy="recursive").fit(WAVE)
    assert model.predict(horizon=9).mean.shape == (1, 9, 1)
    for horizon in (0, 1.5, True):
        with pytest.raises(InputError, match="`horizon` must be an integer >= 1"):
            fitted.predict(horizon=horizon)


def test_known_columns_help_and_must_be_there(random):
    heat = random.normal(size=400)
    y = np.r_[0, 3 * heat[1:] + 0.2 * random.normal(size=399)]
    table = hourly(y, heat=heat)
    roles = {"time": "time", "target": "y", "known": "heat"}
    model = tiny(hidden_size=16, epochs=30, learning_rate=1e-2, patience=None)
    model.fit(read_series(table.iloc[:380], **roles))
    assert model.backtest_.scores()["mae"] < 0.5 * model.backtest_.compared()["linear"]["mae"]
    future = table.iloc[300:384].assign(y=lambda t: t["y"].where(t.index < 380))
    found = model.predict(read_series(future, **roles))
    np.testing.assert_allclose(found.mean[0, :, 0], y[380:384], atol=1.5)
    other = future.assign(heat=future["heat"].where(future.index < 380, -future["heat"]))
    assert np.abs(model.predict(read_series(other, **roles)).mean - found.mean).max() > 0.5
    for short in (future.iloc[:-1], future.iloc[:-4]):
        with pytest.raises(InputError, match="`known` must be given for 4 steps after the last"):
            model.predict(read_series(short, **roles))
    with pytest.raises(InputError, match="`known` must be given for 4 steps"):
        model.predict()  # of the steps after training nobody told it the heat


def test_static_and_past_columns_are_read(random):
    parts = [hourly(WAVE * size, rain=random.random(300)).assign(id=name, kind=name, size=size)
             for name, size in (("a", 1.0), ("b", 7.0))]  # fmt: skip
    roles = {"time": "time", "target": "y", "id": "id", "past": "rain", "static": ["kind", "size"]}
    panel = read_series(pd.concat(parts), **roles)
    model = tiny().fit(panel)
    assert model.encoder_.sizes == {"features": 2, "targets": 1, "known": 0, "static": 3}
    assert model.predict().mean.shape == (2, 4, 1)


def test_missing_values_are_counted_and_bridged(random):
    values = WAVE.copy()
    values[random.choice(260, 40, replace=False)] = np.nan
    model = tiny().fit(values)
    assert model.encoder_.absent == 40
    assert model.facts()["missing values"] == "40 in training, marked by a mask"
    assert np.isfinite(model.predict().mean).all()
    assert (
        tiny(missing="interpolate").fit(values).facts()["missing values"].endswith("interpolated")
    )


@pytest.mark.parametrize("options", [{}, {"differencing": 1, "scaling": "standard"}], ids=str)
def test_the_next_number_inside_and_outside_the_range_of_training(options):
    model = tiny(lookback=2 if options else 3, horizon=1, segment=1, linear=False, epochs=100,
                 learning_rate=1e-2, patience=None, **options)  # fmt: skip
    model.fit(np.arange(30.0), validation=None)
    off = [
        model.predict(last + np.arange(-2.0, 1.0)).mean.item() - (last + 1)
        for last in (29, 102, -4)
    ]
    assert off == pytest.approx([0, 0, 0], abs=0.02)
    assert off == pytest.approx([off[0]] * 3, abs=1e-5)  # a window is read from its own level


# No leakage.


def learned(model: Forecaster) -> tuple:
    """All that came out of a training."""
    weights = [tensor.tolist() for tensor in model.network_.state_dict().values()]
    files = {name: model.encoder_.to_files()[name] for name in ("series.json", "scales.json")}
    line = model.linear_.weights.tolist()
    return weights, line, files, model.settings_, model.metrics_["train"]


def looks_ahead() -> bool:
    """Whether what is learned changes when only what comes after the training span does."""
    later = WAVE.copy()
    later[225:] = np.random.default_rng(1).normal(-50, 30, 75)
    # How much of a network is kept beside the line is chosen by what comes after, as the epoch is.
    free = {**TINY, "lookback": None, "segment": None, "epochs": 1, "linear": False}
    first, second = (
        learned(Forecaster(**free).fit(part, validation=0.25)) for part in (WAVE, later)
    )
    return first != second


def test_nothing_is_learned_from_what_comes_after_the_training_span():
    assert not looks_ahead()


def test_a_planted_leak_in_the_scaling_is_caught(monkeypatch):
    honest = SeriesEncoder.fit
    monkeypatch.setattr(
        SeriesEncoder, "fit", lambda self, panel, until: honest(self, panel, panel.lengths)
    )
    assert looks_ahead()


def test_a_planted_leak_in_the_windows_is_caught(monkeypatch):
    honest = SeriesTask._split

    def leaky(self, examples, validation, settings):
        train, held = honest(self, examples, validation, settings)
        return train.within(0, train.last + 1, most=train.most), held

    monkeypatch.setattr(SeriesTask, "_split", leaky)
    assert looks_ahead()


def test_a_known_column_made_of_the_target_is_told_of():
    panel = read_series(hourly(WAVE, taxed=1.19 * WAVE), time="time", target="y", known="taxed")
    with pytest.warns(LeakWarning, match="'taxed' goes with the target 'y'"):
        tiny().fit(panel)


def test_a_forecast_reads_only_what_was_before_it(fitted):
    series = np.r_[WAVE, WAVE[:30]]
    told = fitted.backtest(series, stride=1)
    changed = series.copy()
    changed[310:] = 1e3
    again = fitted.backtest(changed, stride=1)
    before = told.origins <= 310
    assert 0 < before.sum() < len(before)
    np.testing.assert_array_equal(told.mean[before], again.mean[before])
    for name in told.baselines:
        np.testing.assert_array_equal(told.baselines[name][before], again.baselines[name][before])
    known = told.origins + 4 <= 310  # intervals learn from what came
    np.testing.assert_array_equal(told.upper[known], again.upper[known])


# Backtests.


def test_a_backtest_begins_where_training_ends(fitted):
    series = np.r_[WAVE, WAVE[:40]]
    told = fitted.backtest(series, stride=1)
    assert told.origins.tolist() == list(range(300, 337))
    np.testing.assert_array_equal(told.truth[0, :, 0], series[300:304])
    one = fitted.predict(series[:310])
    np.testing.assert_allclose(told.mean[10], one.mean[0], rtol=1e-6)
    assert set(told.baselines) == {"naive", "seasonal naive", "linear"}
    assert fitted.backtest(series, stride=4).origins.tolist() == list(range(300, 337, 4))
    assert len(fitted.backtest(series, origins=5).mean) == 5
    with pytest.raises(InputError, match="long for a backtest after the fit"):
        fitted.backtest(WAVE)


def test_a_backtest_that_refits_knows_more_each_time():
    series = np.r_[WAVE, 3 * WAVE]
    model = tiny(epochs=1)
    told = model.backtest(series, refit=True, origins=3, stride=50)
    assert told.origins.tolist() == [496, 546, 596]
    assert not hasattr(model, "network_")
    fresh = tiny(epochs=1).fit(series[:546]).predict()
    np.testing.assert_allclose(told.mean[1], fresh.mean[0], rtol=1e-6)


def test_scores_come_with_those_of_the_baselines(fitted):
    told = fitted.beside()
    assert [row[""] for row in told["figures"]] == ["model", "naive", "seasonal naive", "linear"]
    assert "times that of the best baseline" in told["verdict"]
    found = fitted.evaluate(WAVE[100:], report=True)
    assert {"loss", "mse", "mae", "scores", "figures", "verdict"} <= set(found)
    assert fitted.score(WAVE[100:]) == -found["mse"]


def test_a_season_brings_its_baseline():
    model = tiny(season=12).fit(WAVE)
    assert set(model.backtest_.baselines) == {"naive", "seasonal naive", "linear"}
    assert set(tiny().fit(hourly(WAVE).set_index("time")).backtest_.baselines) >= {"seasonal naive"}


def test_intervals_cover_what_they_say(random):
    values = 5 + np.sin(np.arange(4000) * 2 * np.pi / 12) + 0.3 * random.normal(size=4000)
    model = tiny(epochs=3).fit(values[:2500], validation=0.2)
    scores = model.backtest(values).scores()
    assert scores["coverage_80"] == pytest.approx(0.8, abs=0.03)
    assert scores["coverage_95"] == pytest.approx(0.95, abs=0.03)
    # No interval can be much narrower than the noise: 2 * 1.28 * 0.3.
    assert 0.76 < scores["width_80"] < 0.95


# What is refused.


@pytest.mark.parametrize(
    ("X", "rule"),
    [
        (np.arange(10.0), r"at least lookback \+ horizon = 12 \+ 4 steps long for training; got"),
        (np.full(300, 2.0), "`target` must be something that changes; got 2 in every row"),
        (np.full(300, np.nan), "only missing values"),
        (np.r_[WAVE[:50], np.inf, WAVE], "`X` must be finite numbers; got an infinity in step 51"),
        (["a", "b"], "made of numbers, .*; got 'a' in step 1 of series 1"),
        ([], "`X` must be one series or more; got none"),
        ("energy.csv", r"a list of them or a dictionary of them; got str\. Read a file with"),
    ],
)
def test_series_that_nothing_can_be_learned_of_are_refused(X, rule):
    with pytest.raises(InputError, match=rule):
        tiny().fit(X)


def test_targets_have_no_place_of_their_own():
    with pytest.raises(InputError, match=r"`y` must be left out; got ndarray\. The targets are"):
        tiny().fit(WAVE, WAVE)


def test_a_fit_that_fails_leaves_nothing_behind():
    model = tiny()
    with pytest.raises(InputError):
        model.fit(np.full(300, 2.0))
    assert not hasattr(model, "network_")


def test_the_rows_of_a_task_are_series():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        examples = tiny()._examples([WAVE, WAVE[:50]], None, None)
    assert isinstance(examples, SeriesExamples)
    assert len(examples) == 2

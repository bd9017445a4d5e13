"""LinearBaseline: scikit-learn's ridge, series that a line knows, and how little it trusts."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tidegate.data.series.panel import Panel
from tidegate.data.windows.encoder import SeriesEncoder
from tidegate.data.windows.windows import Windows
from tidegate.errors import InputError
from tidegate.tasks.forecast.line.linear import _PENALTIES, LinearBaseline, _ridges


def windows(panel: Panel, lookback: int = 12, horizon: int = 4, until: int = 10**9) -> Windows:
    ends = np.minimum(panel.lengths, until)
    encoder = SeriesEncoder(lookback=lookback).fit(panel, ends)
    return Windows(encoder.encode(panel), np.zeros(len(panel), int), ends, horizon,
                   batch_size=8, seed=0)  # fmt: skip


def ahead(line: LinearBaseline, values: np.ndarray) -> np.ndarray:
    lookback = len(line.weights) - 1
    return line.predict(values[None, -lookback:, None])[0, :, 0]


def test_each_ridge_is_that_of_scikit_learn(rng):
    inputs, outputs = rng.normal(size=(50, 6)), rng.normal(size=(50, 3))
    inputs[:, -1] = 1
    for constants, size in ((True, 6), (False, 5)):
        found = _ridges(inputs.T @ inputs, inputs.T @ outputs, constants=constants)
        mean = np.square(inputs[:, :size]).sum() / size
        for penalty, weights in zip(_PENALTIES, found, strict=True):
            ridge = Ridge(penalty * mean, fit_intercept=False).fit(inputs[:, :size], outputs)
            np.testing.assert_allclose(weights[:size], ridge.coef_.T, atol=1e-9)
            assert not weights[size:].any()


def test_two_waves_and_a_trend_are_forecast_closely():
    steps = np.arange(400)
    values = np.sin(steps / 3) + 0.5 * np.cos(steps / 1.7) + 0.01 * steps
    line = LinearBaseline.fit(windows(Panel.from_arrays([values]), until=360))
    assert np.abs(ahead(line, values[:360]) - values[360:364]).max() < 0.25


def test_a_walk_is_forecast_by_its_last_value(rng):
    values = rng.normal(size=80).cumsum()
    line = LinearBaseline.fit(windows(Panel.from_arrays([values])))
    assert np.abs(ahead(line, values) - values[-1]).max() < 0.5
    assert line.optimism >= 1
    assert not line.weights[-1].any()


def test_what_always_grows_by_itself_goes_on(rng):
    steps = rng.normal(1.0, 1.0, size=600)
    values = steps.cumsum()
    line = LinearBaseline.fit(windows(Panel.from_arrays([values]), lookback=3))
    assert line.weights[-1] * values.std() == pytest.approx([1, 2, 3, 4], rel=0.5)
    # Without a drift there are no constants.
    walk = LinearBaseline.fit(windows(Panel.from_arrays([(steps - 1).cumsum()]), lookback=3))
    assert not walk.weights[-1].any()


def test_noise_is_forecast_by_its_mean(rng):
    values = rng.normal(size=600) + 5
    line = LinearBaseline.fit(windows(Panel.from_arrays([values]), lookback=24))
    values[-1] = 9.0
    assert np.abs(ahead(line, values) - 5).max() < 1


def test_a_season_seen_twice_is_known(rng):
    pattern = rng.normal(size=12)
    values = np.tile(pattern, 3)[:30] + 0.05 * rng.normal(size=30)
    found = windows(Panel.from_arrays([values]), horizon=6, lookback=12)
    line = LinearBaseline.fit(found, 12)
    assert np.abs(ahead(line, values) - np.tile(pattern, 3)[30:36]).mean() < 0.3


@pytest.mark.parametrize("length", [16, 17, 20])
def test_a_few_windows_are_enough(length, rng):
    values = np.arange(length) + rng.normal(size=length)
    line = LinearBaseline.fit(windows(Panel.from_arrays([values])))
    assert np.isfinite(line.weights).all()
    assert np.abs(ahead(line, values) - values[-1]).max() < 10


def test_what_never_moves_stays(rng):
    panel = Panel.from_arrays([np.r_[np.ones(60), 2.0], np.ones(61)])
    line = LinearBaseline.fit(windows(panel))
    assert np.abs(ahead(line, np.ones(12)) - 1).max() < 1e-6


def test_later_series_tell_as_much_as_longer_ones(rng):
    """Windows are tried in the order of time, whichever series they are of."""
    steps = np.arange(120)
    series = [np.sin(steps / 3 + start) * size for start, size in ((0, 1), (1, 50), (2, 0.01))]
    line = LinearBaseline.fit(windows(Panel.from_arrays(series)))
    assert np.abs(ahead(line, series[0]) - np.sin(np.arange(120, 124) / 3)).max() < 0.1


def test_a_line_comes_back_from_a_file_and_a_damaged_one_does_not(rng):
    line = LinearBaseline(rng.normal(size=(5, 3)))
    again = LinearBaseline.from_json(line.to_json(), 4, 3)
    np.testing.assert_allclose(again.weights, line.weights, rtol=1e-6)
    with pytest.raises(InputError, match=r"^linear\.json: `shape` must be"):
        LinearBaseline.from_json(line.to_json(), 4, 2)
    broken = LinearBaseline(np.full((5, 3), np.nan)).to_json()
    with pytest.raises(InputError, match="`weights` must be numbers up to"):
        LinearBaseline.from_json(broken, 4, 3)

"""What past forecasts prove: a network that adds chance stands back, one that knows more stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tidegate
from tidegate import Forecaster
from tidegate.errors import InputError
from tidegate.tasks.forecast.line.baselines import forecast_all
from tidegate.tasks.forecast.past.proof import few, skips

TOLD = {"horizon": 6, "hidden_size": 12, "verbose": False}


def logistic(count: int) -> np.ndarray:
    """A series that no line can forecast, and a net can: x' = 3.7 x (1 - x)."""
    values = [0.3]
    for _ in range(count - 1):
        values.append(3.7 * values[-1] * (1 - values[-1]))
    return np.array(values)


@pytest.fixture(scope="module")
def walk() -> Forecaster:
    values = np.random.default_rng(0).normal(size=150).cumsum()
    return Forecaster(**TOLD, epochs=10).fit(values)


def test_a_net_that_adds_nothing_stands_back(walk):
    assert walk.share_ == 0
    assert walk.facts()["network"] == "stands back"
    assert "The network stands back" in walk.beside()["verdict"]
    recent = walk.recent_
    windows = walk._windows(walk._examples(recent), horizon=6)
    series, origins = windows.locate(np.arange(len(windows)))
    line = forecast_all(windows.encoded, series, origins, 6, 1, walk.linear_)["linear"]
    found = walk.predict()
    np.testing.assert_allclose(found.mean, line, rtol=1e-5)
    assert (found.upper - found.lower > 0).all()


def test_few_values_have_intervals_too(walk):
    assert walk.margins_ is not None
    found = walk.predict()
    assert (found.upper[..., 1] > found.upper[..., 0]).all()


def test_a_net_that_knows_more_is_kept():
    model = Forecaster(horizon=1, lookback=4, segment=1, hidden_size=16, learning_rate=1e-2,
                       epochs=30, verbose=False).fit(logistic(700))  # fmt: skip
    assert model.share_ == 1
    assert model.facts()["network"] == "100% of what it adds to the line"
    told = model.beside()
    assert "stands back" not in told["verdict"]
    scores = {row[""]: float(row["mae"]) for row in told["figures"]}
    assert scores["model"] < 0.7 * scores["linear"]
    # The validation scores are those of the network that is kept.
    held = model.metrics_["validation"]["mae"] * float(model.encoder_.scale[0, 0])
    assert held == pytest.approx(scores["model"], rel=1e-2)


@pytest.mark.parametrize("values", [400, 120])
def test_without_a_held_part_a_net_is_trusted_that_saw_much(values):
    model = Forecaster(**TOLD, lookback=24, epochs=1)
    model.fit(np.sin(np.arange(values) / 3), validation=None)
    assert model.share_ == (values == 400)
    assert model.beside()["verdict"].startswith("Nothing was held out")
    assert (model.margins_ is None) == (values == 400)


def test_other_outputs_keep_all():
    model = Forecaster(**TOLD, epochs=1, output="quantile").fit(np.sin(np.arange(150) / 3))
    assert model.share_ == 1


def test_the_share_is_saved(walk, tmp_path):
    walk.save(tmp_path / "model")
    again = tidegate.load(tmp_path / "model")
    assert again.share_ == 0
    np.testing.assert_array_equal(again.predict().mean, walk.predict().mean)
    config = (tmp_path / "model" / "config.json").read_text()
    for share in ("2.0", "true", '"all"', "NaN"):
        forged = config.replace('"share": 0.0', f'"share": {share}')
        assert forged != config
        (tmp_path / "model" / "config.json").write_text(forged)
        with pytest.raises(InputError):
            tidegate.load(tmp_path / "model")


def test_what_was_found_must_be_in_a_saved_model(walk, tmp_path):
    walk.save(tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    config = path.read_text()
    assert f'"lookback": {walk.settings_.lookback}' in config
    path.write_text(config.replace(f'"lookback": {walk.settings_.lookback}', '"lookback": null'))
    with pytest.raises(InputError, match="what lookback was found to be"):
        tidegate.load(tmp_path / "model")


def test_a_line_that_leans_is_a_mean_of_both():
    model = Forecaster(**TOLD, epochs=3).fit(np.sin(np.arange(200) / 3))
    (skip,) = skips(model.network_)
    with torch.no_grad():
        skip.head.linear.bias.fill_(0.3)
    whole = model.predict().mean
    skip.lean(0.25)
    quarter = model.predict().mean
    skip.lean(0.0)
    nothing = model.predict().mean
    assert np.abs(whole - nothing).min() > 1e-3
    np.testing.assert_allclose(quarter, 0.75 * nothing + 0.25 * whole, rtol=1e-5, atol=1e-6)


def test_few_windows_are_a_copy(walk):
    windows = walk._windows(walk._examples(walk.recent_).within(0, most=7), horizon=6)
    some = few(windows, 10**9)
    assert (some.most, windows.most) == (200, 7)
    assert few(windows, 1).most == 2_000

"""The forecasting benchmark: official splits, baselines, M4's scores, the tables it writes."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
import torch

# The archive of sources has the tests and not the benchmarks.
pytest.importorskip("benchmarks.forecast")

from benchmarks import forecast
from benchmarks.suite import m4, series
from benchmarks.suite.forecast_speed import throughput
from tidegate import Forecaster
from tidegate.data.windows.batch import ForecastBatch
from tidegate.tasks.forecast.line.linear import LinearBaseline

SMALL = {"lookback": 10, "horizon": 4, "segment": 5, "hidden_size": 4, "verbose": False}


def split(steps=120, channels=2):
    values = np.random.default_rng(0).normal(size=(steps, channels)).cumsum(0)
    return series.Split(values, (60, 90, steps))


def test_the_parts_go_on_where_the_one_before_ends():
    data = split()
    parts = data.parts()
    assert [int(part.starts[0]) for part in parts] == [0, 60, 90]
    np.testing.assert_array_equal(np.concatenate([p.values for p in parts]), data.values)


def test_every_step_of_the_test_part_is_measured_and_nothing_else():
    data, seen = split(), []
    fit, held, test = data.parts()
    model = Forecaster(**SMALL, epochs=1).fit(fit, validation=(held, None))
    network = model.network_
    network.register_forward_hook(lambda _, rows, out: seen.append((rows[0], out)))
    found = model.evaluate(test)
    rows = torch.cat([rows.values for rows, _ in seen]).numpy()
    scaled = data.scaled()
    # Futures begin at 90 ... 116, and the first window reads 80 ... 89.
    expected = np.stack([scaled[start - 10 : start] for start in range(90, 117)])
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-5)
    answers = torch.cat([out for _, out in seen])[..., 0].numpy()
    truth = np.stack([scaled[start : start + 4] for start in range(90, 117)])
    assert found["mse"] == pytest.approx(((answers - truth) ** 2).mean(), rel=1e-4)


def test_the_official_split_of_a_table(tmp_path):
    lines = ["date,a,b", *(f"2020-01-{1 + row % 28:02d},{row},{2 * row}" for row in range(100))]
    with gzip.open(tmp_path / "national_illness.csv.gz", "wt") as file:
        file.write("\n".join(lines))
    found = series.read("illness", str(tmp_path))
    assert found.ends == (70, 80, 100)
    np.testing.assert_allclose(found.scaled()[:70].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(found.scaled()[:70].std(0), 1, rtol=1e-6)


def test_baselines_are_measured_on_all_windows_of_the_test_part():
    data, weights = split(300), np.random.default_rng(2).normal(size=(7, 3))
    data = series.Split(data.values, (100, 150, 300))
    line = LinearBaseline(weights)
    found = series.baselines(data, line, lookback=6, horizon=3, season=2)
    scaled, errors = data.scaled(), {name: [] for name in found}
    for start in range(150, 298):
        past, truth = scaled[start - 6 : start], scaled[start : start + 3]
        errors["naive"].append(past[-1] - truth)
        errors["seasonal naive"].append(past[[-2, -1, -2]] - truth)
        ahead = weights[:-1].T @ (past - past[-1]) + weights[-1][:, None] + past[-1]
        errors["linear"].append(ahead - truth)
    for name, error in errors.items():
        expected = {"mse": np.square(error).mean(), "mae": np.abs(error).mean()}
        assert found[name] == pytest.approx(expected), name
    assert "seasonal naive" not in series.baselines(data, line, lookback=6, horizon=3, season=1)


def test_m4_scores_worked_by_hand():
    data = m4.Competition([np.array([1.0, 3.0, 2.0, 4.0])], np.array([[6.0, 4.0]]), 1)
    smape, mase = m4._scores(np.array([[2.0, 4.0]]), data)
    assert smape == pytest.approx(200 * (4 / 8) / 2)
    assert mase == pytest.approx(2 / ((2 + 1 + 2) / 3))
    naive = m4.scores(np.array([[4.0, 4.0]]), data)
    assert naive["owa"] == pytest.approx(1)


def test_naive2_goes_on_with_a_multiplicative_season():
    steps = np.arange(40)
    season = np.array([0.5, 1.0, 1.5, 1.0])
    past = 10 * season[steps % 4]
    np.testing.assert_allclose(m4.naive2(past, 6, 4), 10 * season[np.arange(40, 46) % 4])


@pytest.mark.parametrize("past", [np.arange(1.0, 8.0), np.random.default_rng(1).uniform(1, 2, 60)])
def test_naive2_without_a_season_is_naive(past):
    assert m4.naive2(past, 3, 4).tolist() == [past[-1]] * 3


def test_held_out_values_are_the_last_of_the_past():
    data = m4.Competition([np.arange(9.0)], np.array([[9.0, 10.0]]), 1).held_out()
    assert data.train[0].tolist() == list(range(7))
    assert data.test.tolist() == [[7, 8]]


@pytest.fixture
def folder(tmp_path):
    steps = np.arange(160)
    rows = np.stack([np.sin(steps / 5), np.cos(steps / 5) + steps / 99], 1)
    lines = ["date,a,b", *(f"x,{a},{b}" for a, b in rows)]
    with gzip.open(tmp_path / "national_illness.csv.gz", "wt") as file:
        file.write("\n".join(lines))
    for part, length, first in (("train", 40, 0), ("test", 3, 40)):
        cells = [2 + np.sin((np.arange(length) + first + row) / 3) for row in range(4)]
        lines = [",".join(["id", *map(str, range(length))])]
        lines += [",".join([f"s{row}", *map(str, found)]) for row, found in enumerate(cells)]
        with gzip.open(tmp_path / f"m4_weekly_{part}.csv.gz", "wt") as file:
            file.write("\n".join(lines))
    return tmp_path


def test_a_run_writes_its_tables_and_keeps_those_of_other_tasks(folder, monkeypatch, capsys):
    monkeypatch.setitem(forecast.DATA, "illness", {**SMALL, "season": 8, "horizons": (4,)})
    monkeypatch.setitem(forecast.SHORT, "weekly", {**SMALL, "horizon": 3, "epochs": 1})
    monkeypatch.setattr(forecast, "RESULTS", ("illness-4", "m4-weekly"))
    monkeypatch.setattr(forecast, "LONG", {"epochs": 1, "verbose": False})
    common = ["--data", str(folder), "--out", str(folder)]
    forecast.main([*common, "--task", "illness", "--seeds", "0", "1"])
    forecast.main([*common, "--task", "m4-weekly"])
    found = json.loads((folder / "forecast.json").read_text())
    row = found["illness-4"]
    scores = [seed["test"]["mse"] for seed in row["seeds"]]
    assert row["mean"]["mse"] == pytest.approx(np.mean(scores))
    assert set(row["baselines"]) == {"naive", "seasonal naive", "linear"}
    assert found["m4-weekly"]["median_forecast"]["smape"] > 0
    before = (folder / "forecast.json").read_text()
    forecast.main([*common, "--task", "illness", "--held", "--set", "segment=2", "cell=gru"])
    assert (folder / "forecast.json").read_text() == before
    assert "test" not in capsys.readouterr().out.splitlines()[-2]


@pytest.mark.parametrize(("strategy", "both"), [("segment", False), ("direct", True)])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_plain_network_computes_the_same(strategy, both, cell):
    batches = [
        ForecastBatch(torch.randn(4, 12, 2), torch.full((4,), 12), torch.randn(4, 6, 2))
        for _ in range(4)
    ]
    settings = {"lookback": 12, "horizon": 6, "segment": 3, "hidden_size": 8, "cell": cell}
    found = throughput(settings | {"strategy": strategy, "bidirectional": both}, batches)
    assert found["difference"] < 1e-6
    assert found["times"] == pytest.approx(found["tidegate"] / found["torch"])

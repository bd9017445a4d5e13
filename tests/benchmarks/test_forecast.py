"""The forecasting benchmark: official splits, windows, M4's scores, the linear baseline."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import torch

from benchmarks.suite import m4, series
from benchmarks.suite.forecasting import errors, forecasts, train
from benchmarks.suite.linear import linear


def split(steps=120, channels=2):
    values = np.random.default_rng(0).normal(size=(steps, channels)).cumsum(0).astype(np.float32)
    return series.Split(values, 60, 90, steps)


def test_no_window_is_dropped_and_none_crosses_a_border():
    fit, held, test = series.parts(split(), 10, 4, batch_size=7, seed=0)
    # Futures begin at 10 ... 56 in training, 60 ... 86, and 90 ... 116.
    assert [len(fit), len(held), len(test)] == [47, 27, 27]
    assert [rows.starts[[0, -1], 1].tolist() for rows in (fit, held, test)] == [
        [10, 56],
        [60, 86],
        [90, 116],
    ]
    for rows in (fit, held, test):
        served = np.concatenate(rows.in_order())
        assert sorted(served.tolist()) == list(range(len(rows)))


def test_windows_are_slices_of_the_series():
    data = split()
    _, held, _ = series.parts(data, 10, 4, batch_size=7, seed=0)
    batch = held.batch(np.array([3, 0]))
    np.testing.assert_array_equal(batch.values[0], data.values[53:63])
    np.testing.assert_array_equal(batch.targets[0], data.values[63:67])
    np.testing.assert_array_equal(batch.values[1], data.values[50:60])
    assert batch.lengths.tolist() == [10, 10]


def test_short_windows_are_padded_at_the_end_and_futures_with_nan():
    rows = series.WindowRows(
        [np.arange(5.0, dtype=np.float32)[:, None], np.full((3, 1), 9.0, np.float32)],
        np.array([[0, 2], [0, 5], [1, 1]]),
        4,
        2,
        batch_size=3,
    )
    batch = rows.batch(np.arange(3))
    assert batch.lengths.tolist() == [2, 4, 1]
    assert batch.values[..., 0].tolist() == [[0, 1, 0, 0], [1, 2, 3, 4], [9, 0, 0, 0]]
    assert batch.targets[0, :, 0].tolist() == [2, 3]
    assert batch.targets[1].isnan().all()
    assert batch.targets[2, :, 0].tolist() == [9, 9]


def test_epochs_repeat_and_differ():
    rows = series.parts(split(), 10, 4, batch_size=7, seed=3)[0]
    first, again, second = (np.concatenate(rows.epoch(e)).tolist() for e in (0, 0, 1))
    assert first == again != second
    assert sorted(first) == sorted(second) == list(range(47))


def test_the_official_split_of_a_table(tmp_path):
    lines = ["date,a,b", *(f"2020-01-{1 + row % 28:02d},{row},{2 * row}" for row in range(100))]
    with gzip.open(tmp_path / "national_illness.csv.gz", "wt") as file:
        file.write("\n".join(lines))
    found = series.read("illness", str(tmp_path))
    assert (found.train, found.validation, found.test) == (70, 80, 100)
    np.testing.assert_allclose(found.values[:70].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(found.values[:70].std(0), 1, rtol=1e-6)


def test_seasonal_naive_repeats_the_season():
    rows = series.WindowRows(
        [np.arange(20.0, dtype=np.float32)[:, None]], np.array([[0, 10]]), 6, 5, batch_size=1
    )
    batch = rows.batch(np.array([0]))
    assert series.seasonal_naive(batch, 3)[0, :, 0].tolist() == [7, 8, 9, 7, 8]
    assert series.seasonal_naive(batch, 1)[0, :, 0].tolist() == [9] * 5


def test_the_linear_baseline_finds_a_linear_law():
    rng = np.random.default_rng(0)
    values = np.zeros((900, 1), np.float32)
    values[:2] = 1
    for step in range(2, 900):  # a slow wave that noise drives
        values[step] = 1.8 * values[step - 1] - 0.9 * values[step - 2] + 0.1 * rng.normal()
    parts = series.parts(series.Split(values, 600, 750, 900), 8, 1, batch_size=50, seed=0)
    found = linear(*parts)
    assert found["mse"] == pytest.approx(0.01, rel=0.25)


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


def test_a_network_trains_on_the_windows_and_its_best_epoch_is_measured():
    steps = np.arange(400)
    wave = np.sin(steps / 5)[:, None].astype(np.float32)
    data = series.Split(wave, 250, 320, 400)
    fit, held, test = series.parts(data, 20, 5, batch_size=16, seed=0)
    settings = {"cell": "gru", "lookback": 20, "horizon": 5, "segment": 5, "hidden_size": 16}
    settings |= {"epochs": 6, "learning_rate": 1e-2, "verbose": False}
    run = train(settings, fit, held)
    answers = forecasts(run.network, test)
    truth = np.stack([wave[start : start + 5] for start in test.starts[:, 1]])
    error = float(((answers - truth) ** 2).mean())
    assert error < errors(lambda batch: series.seasonal_naive(batch, 1), test)["mse"] / 20

    def mean(batch):
        return run.network.head.answer(run.network(batch).detach())["mean"]

    assert errors(mean, test)["mse"] == pytest.approx(error, rel=1e-4)
    assert run.validation["loss"] > 0
    assert torch.isfinite(torch.tensor(run.seconds))

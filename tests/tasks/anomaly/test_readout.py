"""Readout: recursive least squares against the same problem solved at once."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tidegate.tasks.anomaly.readout import Readout

KEEP = 0.9995


def test_it_is_least_squares_with_forgetting():
    random = np.random.default_rng(0)
    count, offset = 60, 3
    features = random.normal(size=(count, 4))
    values = 0.2 * random.normal(size=(count, 2))
    readout = Readout(4, 2, (1, offset))
    readout.spread[:] = 1e6  # nothing is clipped
    for phi, value in zip(features, values, strict=True):
        readout.learn(readout.errors(value, readout.forecast()))
        readout.spread[:] = 1e6
        readout.read(phi, value)
    # What follows the last features is unknown, so the pairs end one step before.
    rows, targets = features[: count - 1], values[1:]
    weights = KEEP ** np.arange(count - 2, -1, -1)
    left = (rows * weights[:, None]).T @ rows + KEEP ** (count - 1) * np.eye(4)
    expected = np.linalg.solve(left, (rows * weights[:, None]).T @ targets).T
    np.testing.assert_allclose(readout._weights[0], expected, atol=1e-9)
    np.testing.assert_allclose(readout.forecast()[0], expected @ features[-1], atol=1e-9)


def test_forecasts_are_judged_when_their_time_has_come_and_reconstructions_the_step_after():
    readout = Readout(2, 1, (1, 4, -3))
    readout._weights[:] = [[[1.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]]]
    for step in range(20):
        value = np.array([100.0 + step])
        forecast = readout.forecast()
        if step >= 5:
            # The first feature is the number of the step.
            assert forecast[:, 0].tolist() == [step - 1, step - 4, step - 1]
            errors = readout.errors(value, forecast)
            past = 100 + (step - 1) - 3
            assert errors[:, 0].tolist() == [101, 104, past - (step - 1)]
        readout.read(np.array([float(step), 1.0]), value)


def test_it_learns_a_wave_one_step_far_ahead_and_back():
    steps = np.arange(3000)
    wave = np.sin(steps / 7)
    readout = Readout(3, 1, (1, 9, -5))
    late = []
    for step in steps[1:]:
        value = wave[step : step + 1]
        errors = readout.errors(value, readout.forecast())
        readout.learn(errors)
        readout.read(np.array([wave[step], wave[step - 1], 1.0]), value)
        if step > 2500:
            late.append(np.abs(errors).max())
    assert max(late) < 0.05
    assert readout.spread.max() < 0.03


def test_one_outlier_does_not_spoil_the_line_and_what_is_missing_is_not_learned():
    readout = Readout(1, 2, (1,))
    for _ in range(300):
        readout.learn(readout.errors(np.array([2.0, 3.0]), readout.forecast()))
        readout.read(np.ones(1), np.array([2.0, 3.0]))
    before = readout.forecast().copy()
    readout.learn(np.array([[1e6, 1e6]]), np.array([True, False]))
    after = readout.forecast()
    assert abs(after[0, 0] - before[0, 0]) < 0.1
    assert after[0, 1] == before[0, 1]


def test_it_comes_back_from_json_and_stays_finite_on_features_that_never_move():
    readout = Readout(3, 1, (1, 2, -1))
    for step in range(20_000):
        value = np.array([np.sin(step)])
        readout.learn(readout.errors(value, readout.forecast()))
        readout.read(np.array([np.sin(step), 0.0, 1.0]), value)
    assert np.isfinite(readout._covariance).all()
    assert readout._covariance.trace() <= 2 * 3 / KEEP**16
    again = Readout(3, 1, (1, 2, -1))
    again.load(json.loads(json.dumps(readout.state())))
    np.testing.assert_array_equal(again.forecast(), readout.forecast())
    with pytest.raises(ValueError, match="reshape"):
        Readout(4, 1, (1, 2, -1)).load(readout.state())

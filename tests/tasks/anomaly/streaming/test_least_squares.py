"""RecursiveLeastSquares against the same problem solved at once."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tidegate.tasks.anomaly.streaming.least_squares import RecursiveLeastSquares

KEEP = 0.9995


def test_it_is_least_squares_with_forgetting():
    random = np.random.default_rng(0)
    count, offset = 60, 3
    features = random.normal(size=(count, 4))
    values = 0.2 * random.normal(size=(count, 2))
    line = RecursiveLeastSquares(4, 2, (1, offset))
    line.spread[:] = 1e6  # nothing is clipped
    for phi, value in zip(features, values, strict=True):
        line.learn(line.errors(value, line.forecast()))
        line.spread[:] = 1e6
        line.read(phi, value)
    # What follows the last features is unknown, so the pairs end one step before.
    rows, targets = features[: count - 1], values[1:]
    weights = KEEP ** np.arange(count - 2, -1, -1)
    left = (rows * weights[:, None]).T @ rows + KEEP ** (count - 1) * np.eye(4)
    expected = np.linalg.solve(left, (rows * weights[:, None]).T @ targets).T
    np.testing.assert_allclose(line._weights[0], expected, atol=1e-9)
    np.testing.assert_allclose(line.forecast()[0], expected @ features[-1], atol=1e-9)


def test_forecasts_are_judged_when_their_time_has_come_and_reconstructions_the_step_after():
    line = RecursiveLeastSquares(2, 1, (1, 4, -3))
    line._weights[:] = [[[1.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]]]
    for step in range(20):
        value = np.array([100.0 + step])
        forecast = line.forecast()
        if step >= 5:
            # The first feature is the number of the step.
            assert forecast[:, 0].tolist() == [step - 1, step - 4, step - 1]
            errors = line.errors(value, forecast)
            past = 100 + (step - 1) - 3
            assert errors[:, 0].tolist() == [101, 104, past - (step - 1)]
        line.read(np.array([float(step), 1.0]), value)


def test_it_learns_a_wave_one_step_far_ahead_and_back():
    steps = np.arange(3000)
    wave = np.sin(steps / 7)
    line = RecursiveLeastSquares(3, 1, (1, 9, -5))
    late = []
    for step in steps[1:]:
        value = wave[step : step + 1]
        errors = line.errors(value, line.forecast())
        line.learn(errors)
        line.read(np.array([wave[step], wave[step - 1], 1.0]), value)
        if step > 2500:
            late.append(np.abs(errors).max())
    assert max(late) < 0.05
    assert line.spread.max() < 0.03


def test_one_outlier_does_not_spoil_the_line_and_what_is_missing_is_not_learned():
    line = RecursiveLeastSquares(1, 2, (1,))
    for _ in range(300):
        line.learn(line.errors(np.array([2.0, 3.0]), line.forecast()))
        line.read(np.ones(1), np.array([2.0, 3.0]))
    before = line.forecast().copy()
    line.learn(np.array([[1e6, 1e6]]), np.array([True, False]))
    after = line.forecast()
    assert abs(after[0, 0] - before[0, 0]) < 0.1
    assert after[0, 1] == before[0, 1]


def test_it_comes_back_from_json_and_stays_finite_on_features_that_never_move():
    line = RecursiveLeastSquares(3, 1, (1, 2, -1))
    for step in range(20_000):
        value = np.array([np.sin(step)])
        line.learn(line.errors(value, line.forecast()))
        line.read(np.array([np.sin(step), 0.0, 1.0]), value)
    assert np.isfinite(line._covariance).all()
    assert line._covariance.trace() <= 2 * 3 / KEEP**16
    again = RecursiveLeastSquares(3, 1, (1, 2, -1))
    again.load(json.loads(json.dumps(line.state())))
    np.testing.assert_array_equal(again.forecast(), line.forecast())
    with pytest.raises(ValueError, match="reshape"):
        RecursiveLeastSquares(4, 1, (1, 2, -1)).load(line.state())

"""The line through a curve of logarithms, on numbers worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from tidegate.explain.memory.decay import Decay, fit_decay

STEPS = torch.arange(50, dtype=torch.float64)


def test_a_start_unlike_the_rest_does_not_bend_the_line():
    curve = -0.1 * STEPS
    curve[:8] += torch.linspace(9, 0, 8, dtype=torch.float64)
    fitted = fit_decay(curve)
    assert fitted.factor == pytest.approx(math.exp(-0.1), rel=1e-9)
    assert 0 < fitted.r2 < 1
    assert fitted.half_life == pytest.approx(6.931471805599453)


def test_share_of_variance_by_hand():
    # The slopes of all pairs of (0, 0), (1, 2), (2, 1): 2, 1/2, -1. Their median is 1/2, the
    # rests are 0, 3/2, 0, their median 0; 9/4 of a variance of 2 stays: R² = 1 - 9/8.
    fitted = fit_decay(torch.tensor([0.0, 2.0, 1.0], dtype=torch.float64))
    assert fitted.factor == pytest.approx(math.exp(0.5))
    assert fitted.r2 == pytest.approx(1 - 9 / 8)


def test_long_curves_are_fitted_at_some_of_their_points():
    curve = -0.001 * torch.arange(5001, dtype=torch.float64)
    fitted = fit_decay(curve)
    assert fitted.factor == pytest.approx(math.exp(-0.001))
    assert (fitted.first, fitted.last) == (0, 5000)


@pytest.mark.parametrize("curve", [[0.0], [0.0, -1.0], [-math.inf] * 9])
def test_too_few_points_have_no_rate(curve):
    fitted = fit_decay(torch.tensor(curve, dtype=torch.float64))
    assert math.isnan(fitted.factor)
    assert math.isnan(fitted.r2)


def test_a_curve_that_does_not_fall_has_no_half_life():
    assert Decay(1.0, 1.0, 0, 9).half_life == math.inf
    assert Decay(1.2, 1.0, 0, 9).half_life == math.inf
    assert Decay(0.25, 1.0, 0, 9).half_life == pytest.approx(0.5)
    assert math.isnan(Decay(math.nan, math.nan, 0, 0).half_life)

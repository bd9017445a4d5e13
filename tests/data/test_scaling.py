"""Scaling against NumPy and scikit-learn: what is missing, what never changes, and back again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.preprocessing import RobustScaler, StandardScaler

from tidegate.data.scaling import LogScaling, Scaling, rounding

NAN = float("nan")


@pytest.fixture
def values() -> np.ndarray:
    found = np.random.default_rng(0).normal([5, -2], [3, 100], (200, 2))
    found[3, 0] = NAN
    return found


def test_standard_scaling_is_that_of_scikit_learn(values):
    peer = StandardScaler().fit(values)
    scaling = Scaling.fit(values, "standard")
    np.testing.assert_allclose(scaling.centre, peer.mean_)
    np.testing.assert_allclose(scaling.scale, peer.scale_)
    np.testing.assert_allclose(scaling.forward(values), peer.transform(values))


@pytest.mark.parametrize("tail", [0.25, 0.1])
def test_robust_scaling_is_that_of_scikit_learn_up_to_a_rounded_constant(values, tail):
    shares = (100 * tail, 100 - 100 * tail)
    peer = RobustScaler(quantile_range=shares, unit_variance=True).fit(values)
    scaling = Scaling.fit(values, "robust", tail=tail)
    np.testing.assert_allclose(scaling.centre, peer.center_)
    np.testing.assert_allclose(scaling.scale, peer.scale_, rtol=3e-4)
    np.testing.assert_allclose(scaling.forward(values), peer.transform(values), rtol=3e-4)


def test_a_share_in_the_tails_brings_a_normal_variable_to_its_own_deviation():
    values = stats.norm(50, 4).ppf(np.linspace(0, 1, 2001)[1:-1])[:, None]
    for tail in (0.25, 0.1):
        assert Scaling.fit(values, "robust", tail=tail).scale[0] == pytest.approx(4, rel=2e-3)


def test_without_a_method_or_a_value_nothing_is_done(values):
    for scaling in (Scaling.fit(values, "none"), Scaling.fit(values[:0], "robust")):
        assert (scaling.forward(values[5]) == values[5]).all()


def test_what_never_changes_or_is_missing_has_scale_one():
    constant = np.full((50, 2), 0.1 + 0.2)
    constant[:, 1] = NAN
    scaling = Scaling.fit(constant, "standard")
    assert scaling.flat.tolist() == [True, True]
    assert scaling.usable().scale.tolist() == [1, 1]
    assert scaling.usable().forward(np.array([1.3, 7.0])).tolist() == pytest.approx([1, 7])


def test_where_quartiles_are_one_value_the_deviation_takes_their_place():
    mostly = np.zeros((40, 1))
    mostly[:5] = 7.0
    assert Scaling.fit(mostly, "robust").scale[0] == pytest.approx(mostly.std())


def test_a_normal_variable_is_brought_to_its_own_deviation():
    values = np.random.default_rng(0).normal(50, 4, size=(5000, 1))
    scaling = LogScaling.learn(values)
    assert scaling.centre[0] == pytest.approx(50, abs=0.3)
    assert scaling.scale[0] == pytest.approx(4, rel=0.05)
    one = scaling.forward(scaling.centre + scaling.scale)
    assert one[0] == pytest.approx(math.log(2))
    assert not scaling.constant[0]


def test_a_step_is_scaled_as_an_array_and_comes_back():
    scaling = LogScaling.learn(np.random.default_rng(0).normal(size=(50, 3)) * [1, 10, 100])
    row = [0.5, -400.0, 1e9]
    step = scaling.forward_step(row, [0.0] * 3)
    np.testing.assert_allclose(step, scaling.forward(np.array(row)), rtol=1e-12)
    for number, value in enumerate(row):
        assert scaling.inverse_step(step[number], number) == pytest.approx(value)
    assert scaling.forward_step([NAN, 1.0, NAN], [7.0, 8.0, 9.0])[::2] == [7.0, 9.0]
    assert math.isfinite(scaling.inverse_step(1e6, 0))


def test_missing_values_do_not_count_and_a_constant_gets_a_guess():
    scaling = LogScaling.learn(np.array([[5.0, 0.0], [NAN, 0.0], [5.0, 0.0], [5.0, NAN]]))
    assert scaling.constant.tolist() == [True, True]
    assert scaling.scale.tolist() == [0.05, 0.01]
    rarely = LogScaling.learn(np.array([0.0] * 99 + [10.0])[:, None])
    assert not rarely.constant[0]
    assert rarely.scale[0] == pytest.approx(np.std([0.0] * 99 + [10.0]))


@pytest.mark.parametrize(("unit", "offset"), [(1e-12, 0), (1e-200, 0), (1, 1e8), (60, 1.7e9)])
@pytest.mark.parametrize("method", ["standard", "robust"])
def test_only_what_varies_counts(values, method, unit, offset):
    whole = np.round(values * 64)  # exact beside the offset
    told = Scaling.fit(whole, method).usable().forward(whole)
    moved = whole * unit + offset
    found = Scaling.fit(moved, method)
    assert not found.flat.any()
    np.testing.assert_allclose(found.forward(moved), told, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        LogScaling.learn(moved).forward(moved), LogScaling.learn(whole).forward(whole), atol=1e-6
    )


def test_equal_values_that_were_computed_differently_are_constant():
    values = np.array([0.1 + 0.2, 0.3, 0.3])[:, None]
    assert Scaling.fit(values, "standard").flat.all()
    assert rounding(values.astype(np.float32))[0] == pytest.approx(0.3 * 2 ** (1 - 23))

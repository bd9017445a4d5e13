"""Scaling, logarithms and differences: fitted on what is known, undone exactly."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.series.panel import Panel
from tidegate.data.series.scaling import Change, encode_static, fill, measure
from tidegate.errors import InputError

RNG = np.random.default_rng(0)


def test_measures_are_those_of_numpy_and_skip_what_is_missing():
    values = RNG.normal(5, 3, (200, 2))
    values[3, 0] = np.nan
    shift, scale = measure(values, "standard")
    known = values[~np.isnan(values[:, 0]), 0]
    np.testing.assert_allclose([shift[0], scale[0]], [known.mean(), known.std()])
    shift, scale = measure(values, "robust")
    np.testing.assert_allclose(shift[1], np.median(values[:, 1]))
    quartiles = np.quantile(values[:, 1], [0.25, 0.75])
    np.testing.assert_allclose(scale[1], (quartiles[1] - quartiles[0]) / 1.349)
    assert measure(values, "none")[1].tolist() == [1, 1]


def test_what_never_changes_has_scale_one():
    constant = np.full((50, 1), 0.1 + 0.2)
    assert measure(constant, "standard")[1].tolist() == [1]
    assert measure(np.full((5, 1), np.nan), "standard")[0].tolist() == [0]
    mostly = np.zeros((40, 1))
    mostly[:5] = 7.0
    assert measure(mostly, "robust")[1][0] == pytest.approx(mostly.std())


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("lag", [0, 1, 3])
def test_a_change_is_undone(log, lag):
    series = np.exp(RNG.normal(1, 0.5, (30, 2)))
    change = Change.fit(series, log=log, lag=lag)
    changed = change.forward(series)
    assert np.isnan(changed[:lag]).all()
    origin, horizon = 20, 8
    mean = changed[None, origin : origin + horizon]
    before = series[None, origin - lag : origin]
    found, quantiles = change.inverse(mean, np.zeros((*mean.shape, 2)), before)
    np.testing.assert_allclose(found[0], series[origin : origin + horizon])
    np.testing.assert_allclose(quantiles[0, ..., 1], series[origin : origin + horizon])


def test_deviations_of_differences_add_up_as_roots_of_squares():
    change = Change(log=False, lag=1, offset=np.zeros(1))
    spreads = np.tile(np.array([-1.0, 1.0]), (1, 4, 1, 1))
    mean, quantiles = change.inverse(np.zeros((1, 4, 1)), spreads, np.full((1, 1, 1), 5.0))
    np.testing.assert_allclose(mean.ravel(), 5)
    np.testing.assert_allclose(quantiles[0, :, 0, 1] - 5, np.sqrt([1, 2, 3, 4]))
    np.testing.assert_allclose(quantiles[0, :, 0, 0] - 5, -np.sqrt([1, 2, 3, 4]))


def test_zeros_get_an_offset_and_less_has_no_logarithm():
    assert Change.fit(np.array([[0.0], [5.0]]), log=True, lag=0).offset.tolist() == [1]
    change = Change.fit(np.array([[2.0], [5.0]]), log=True, lag=0)
    assert change.offset.tolist() == [0]
    with pytest.raises(InputError, match=r"`target` must be greater than 0 when log=True; got -3"):
        change.check(Panel.from_arrays([[2.0, -3.0]]), "Forecaster")


def test_missing_values_are_filled_from_the_window_alone():
    window = np.array([[np.nan, 1.0, np.nan, np.nan, 4.0, np.nan]])[..., None]
    found, missing = fill(window, "mask")
    assert found.ravel().tolist() == [1, 1, 1, 1, 4, 4]
    assert missing.ravel().tolist() == [1, 0, 1, 1, 0, 1]
    assert fill(window, "interpolate")[0].ravel().tolist() == [1, 1, 2, 3, 4, 4]
    assert fill(np.full((1, 3, 1), np.nan), "mask")[0].ravel().tolist() == [0, 0, 0]


def test_filling_agrees_with_pandas():
    pd = pytest.importorskip("pandas")
    window = RNG.normal(size=(20, 30, 2))
    window[RNG.random(window.shape) < 0.4] = np.nan
    for method, expected in (
        ("mask", lambda s: s.ffill().bfill()),
        ("interpolate", lambda s: s.interpolate(limit_direction="both")),
    ):
        found, _ = fill(window, method)
        for row in range(20):
            wanted = expected(pd.DataFrame(window[row])).to_numpy()
            np.testing.assert_allclose(found[row], wanted)


def test_static_texts_become_categories():
    found = encode_static([("x", "z", "y"), (1, 2, 3)], [["x", "y"], None])
    assert found.tolist() == [[1, 0, 1], [0, 0, 2], [0, 1, 3]]

"""EncodedSeries: what stands where in a batch, and the way back into the units of the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.calendar import calendar_features
from tidegate.data.series.panel import Panel
from tidegate.data.series.table import read_series
from tidegate.data.windows.encoder import SeriesEncoder


@pytest.fixture
def panel(rng) -> Panel:
    """Two shops, each with a gap, whose prices are known three days ahead."""
    parts = []
    for shop, days in (("a", 40), ("b", 30)):
        sales = 50 + 5 * rng.normal(size=days)
        sales[11] = np.nan
        sales[-3:] = np.nan
        parts.append(pd.DataFrame({
            "day": pd.date_range("2024-01-01", periods=days, freq="D"), "shop": shop,
            "sales": sales, "price": rng.random(days), "rain": rng.random(days),
            "size": days / 10,
        }))  # fmt: skip
    roles = {"known": "price", "past": "rain", "static": "size"}
    return read_series(pd.concat(parts), time="day", id="shop", target="sales", **roles)


def test_a_batch_has_the_target_then_what_is_known_then_the_past_and_the_mask(panel):
    encoder = SeriesEncoder(lookback=7, calendar=True).fit(panel, panel.lengths)
    series, origins = np.array([0, 1]), np.array([20, 15])
    batch = encoder.encode(panel).batch(series, origins, 4, targets=True)
    spans = np.concatenate([panel.series(number) for number in (0, 1)])
    for row, (number, origin) in enumerate(zip(series, origins, strict=True)):
        values = panel.series(number)
        known = values[~np.isnan(values[:, 0]), 0]
        sales = (values[:, 0] - known.mean()) / known.std()
        rain, price = ((values[:, c] - spans[:, c].mean()) / spans[:, c].std() for c in (1, 2))
        days = calendar_features(panel.clock, np.arange(len(values)))
        past, ahead = slice(origin - 7, origin), slice(origin, origin + 4)
        gap = np.isnan(sales[past])
        filled = pd.Series(sales[past]).ffill().bfill()
        expected = np.column_stack([filled, price[past], days[past], rain[past], gap])
        np.testing.assert_allclose(batch.values[row], expected, atol=1e-5)
        future = np.column_stack([price[ahead], days[ahead]])
        np.testing.assert_allclose(batch.known[row], future, atol=1e-5)
        np.testing.assert_allclose(batch.targets[row, :, 0], sales[ahead], atol=1e-5)
    np.testing.assert_allclose(batch.static.ravel(), [1, -1])
    assert batch.lengths.tolist() == [7, 7]


def test_past_the_end_prices_are_known_and_sales_are_not(panel):
    encoded = SeriesEncoder(lookback=7).fit(panel, panel.lengths).encode(panel)
    batch = encoded.batch(np.array([0, 1]), panel.lengths, 3, targets=True)
    assert batch.targets.isnan().all()
    assert batch.known.isfinite().all()
    spans = np.concatenate([panel.series(number) for number in (0, 1)])[:, 2]
    price = panel.values[37:40, 2]
    np.testing.assert_allclose(
        batch.known[0, :, 0], (price - spans.mean()) / spans.std(), atol=1e-5
    )


@pytest.mark.parametrize(("log", "lag"), [(False, 0), (True, 0), (False, 3), (True, 2)])
def test_targets_are_put_back_into_the_units_of_the_data(log, lag, rng):
    panel = Panel.from_arrays([np.exp(rng.normal(size=40)), 5 + rng.random(size=25)])
    encoder = SeriesEncoder(lookback=4, log=log, lag=lag).fit(panel, panel.lengths)
    encoded = encoder.encode(panel)
    series = np.repeat([0, 1], [30, 15])
    origins = np.concatenate([np.arange(6, 36), np.arange(6, 21)])
    scaled = encoded.batch(series, origins, 5, targets=True).targets.numpy().astype(float)
    mean, _ = encoded.inverse(series, origins, scaled, np.zeros((*scaled.shape, 0)))
    np.testing.assert_allclose(mean, encoded.truth(series, origins, 5), rtol=1e-4)


def test_the_unit_is_the_deviation_of_the_lookback_and_a_little_of_the_series(panel):
    encoded = SeriesEncoder(lookback=7).fit(panel, panel.lengths).encode(panel)
    sales = panel.series(1)[:, 0]
    spread = np.nanstd(sales)
    found = encoded.unit(np.array([1, 1]), np.array([10, 30 - 4]))
    expected = [sales[3:10].std() + 0.05 * spread, sales[19:26].std() + 0.05 * spread]
    np.testing.assert_allclose(found[:, 0], expected)


def test_the_truth_and_what_was_before_are_the_values_themselves(panel):
    encoded = SeriesEncoder(lookback=7).fit(panel, panel.lengths).encode(panel)
    series, origins = np.array([0, 1]), np.array([30, 25])
    for row in (0, 1):
        sales = panel.series(row)[:, 0]
        origin = origins[row]
        truth = encoded.truth(series, origins, 9)[row, :, 0]
        expected = np.r_[sales[origin:], np.full(9, np.nan)][:9]
        np.testing.assert_array_equal(truth, expected)
        before = encoded.before(series, origins, 5)[row, :, 0]
        np.testing.assert_array_equal(before, sales[origin - 5 : origin])


def test_steps_with_a_target_are_known(panel):
    encoded = SeriesEncoder(lookback=7).fit(panel, panel.lengths).encode(panel)
    assert np.flatnonzero(~encoded.known()).tolist() == [11, 37, 38, 39, 51, 67, 68, 69]
    whole = Panel.from_arrays([np.arange(9.0)])
    assert SeriesEncoder(lookback=3).fit(whole, whole.lengths).encode(whole).known() is None

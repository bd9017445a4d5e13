"""Sizes: nothing with two horizons is refused, what is named stays, and the rest suits the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.data.series.panel import Panel
from tidegate.errors import InputError
from tidegate.tasks.forecast.settings import ForecasterSettings
from tidegate.tasks.forecast.sizes import suited


def sizes(values, **told) -> ForecasterSettings:
    series = [np.asarray(part, dtype=float) for part in values]
    panel = Panel.from_arrays(series)
    return suited(ForecasterSettings(**told), panel, panel.lengths)


def monthly(years: int, noise: float, rng) -> np.ndarray:
    return np.tile(rng.normal(size=12), years) + noise * rng.normal(size=12 * years)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 400), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_there_is_a_window_wherever_there_are_two_horizons(length, horizon, seed):
    values = np.random.default_rng(seed).normal(size=length)
    if length < 2 * horizon:
        with pytest.raises(InputError, match=f"at least 2 horizons = {2 * horizon} steps long"):
            sizes([values], horizon=horizon)
        return
    found = sizes([values], horizon=horizon)
    assert found.lookback >= 1
    assert found.lookback + horizon <= length
    assert 1 <= found.segment <= found.lookback
    assert 10 <= found.epochs <= 150
    assert found.season >= 1


def test_a_lookback_holds_three_seasons_or_one_that_is_long(rng):
    assert sizes([monthly(12, 0.2, rng)], horizon=12).lookback == 36
    long = np.tile(rng.normal(size=168), 10) + 0.2 * rng.normal(size=1680)
    found = sizes([long], horizon=24)
    assert (found.season, found.lookback) == (168, 192)


def test_what_has_no_season_is_read_as_far_as_its_length_allows(rng):
    walks = {n: rng.normal(size=n).cumsum() for n in (60, 200, 400, 2000)}
    found = [sizes([walk], horizon=4).lookback for walk in walks.values()]
    assert found == [12, 25, 50, 96]
    assert sizes([walks[2000]], horizon=100).lookback == 200
    many = sizes([rng.normal(size=60).cumsum() for _ in range(50)], horizon=4)
    assert many.lookback > 40  # there is much to learn from
    assert many.lookback + 4 <= 60


def test_what_is_named_stays(rng):
    told = {"lookback": 7, "segment": 2, "season": 5, "epochs": 3}
    found = sizes([monthly(12, 0.2, rng)], horizon=12, **told)
    assert {name: getattr(found, name) for name in told} == told


def test_the_epochs_make_about_as_many_steps(rng):
    short, long = (sizes([rng.normal(size=n).cumsum()], horizon=4) for n in (1_000, 20_000))
    for found, length in ((short, 1_000), (long, 20_000)):
        steps = -(-(length - found.lookback - 3) // found.batch_size) * found.epochs
        assert 1_000 < steps < 4_000
    assert long.epochs == 10
    few = sizes([rng.normal(size=20_000).cumsum()], horizon=4, max_windows=640)
    assert few.epochs == 150


def test_dates_tell_the_season_before_the_values_do(rng):
    dates = pd.date_range("2020-01-01", periods=90, freq="D")
    frame = pd.Series(np.tile([1.0, 2.0, 9.0], 30), index=dates)
    from tidegate.data.series.inputs import as_panel

    panel = as_panel(frame, owner="Test")
    assert suited(ForecasterSettings(horizon=4), panel, panel.lengths).season == 7
    assert sizes([frame.to_numpy()], horizon=4).season == 3


def test_too_short_a_series_is_told_how_much_is_missing():
    with pytest.raises(
        InputError, match=r"got 5 in the longest series\. Add 7 steps, or lower hor"
    ):
        sizes([np.arange(5), np.arange(3)], horizon=6)

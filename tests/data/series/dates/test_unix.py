"""Unix time: its units are told apart by their size, and nothing else is taken for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.dates.unix import read_unix


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("begin", ["1995-03-01", "2001-09-08", "2024-02-29", "2098-01-01"])
def test_every_unit_is_read(unit, begin):
    dates = pd.date_range(begin, periods=50, freq="h")
    numbers = np.asarray(dates.as_unit(unit).asi8)
    assert (read_unix(numbers).astype("datetime64[us]") == dates.to_numpy()).all()
    if unit != "ns":
        assert (read_unix(numbers.astype(float)) == read_unix(numbers)).all()


def test_fractions_of_a_second_are_kept():
    assert read_unix(np.array([1700000000.25])).tolist() == [1_700_000_000_250_000]


@pytest.mark.parametrize(
    "numbers", [[1, 2], [], [20240101], [1.7e9, 1.7e12], [5e9, 5e9 + 1], [-1.7e9], [2024010100e2]]
)
def test_other_numbers_are_none(numbers):
    assert read_unix(np.array(numbers)) is None

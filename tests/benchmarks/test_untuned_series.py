"""The series that the defaults are measured on: cut as they are told to be, and scored by hand."""

from __future__ import annotations

import io
import tarfile
from types import SimpleNamespace

import numpy as np
import pytest

# The archive of sources has the tests and not the benchmarks.
pytest.importorskip("benchmarks.untuned.series")
pytest.importorskip("statsmodels")

from benchmarks.untuned import series
from benchmarks.untuned.series import Series


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An archive of one series of 40 values."""
    monkeypatch.setattr(series, "SMALL", {"gasoline": ("toy", 1, "W", 1, 4)})
    text = "week,value\n" + "".join(f"{n},{n}\n" for n in range(40))
    with tarfile.open(tmp_path / "small_series.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("small_series/toy.csv")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text.encode()))
    return str(tmp_path)


def test_other_draws_end_before_what_is_reported_begins(folder):
    (reported,) = series.small(folder, 0)
    assert reported.values.tolist() == list(range(39, -1, -1))  # the newest stood first
    (other,) = series.small(folder, 1)
    np.testing.assert_array_equal(other.values, reported.values[:28])
    assert not list(series.small(folder, 2))  # too short for three origins


def test_pieces_of_other_draws_are_of_other_series(monkeypatch):
    made = SimpleNamespace(train=[np.arange(2_000.0) + 10_000 * row for row in range(150)])
    monkeypatch.setattr(series, "read", lambda frequency, folder: made)
    names = [{piece.name for piece in series.weekly(None, draw)} for draw in (0, 1)]
    assert len(names[0]) == 100
    assert not names[0] & names[1]
    assert all(60 <= len(piece.values) <= 200 for piece in series.weekly(None, 0))
    again = [piece.values[0] for piece in series.weekly(None, 0)]
    assert again == [piece.values[0] for piece in series.weekly(None, 0)]


def test_errors_are_over_those_of_the_naive_forecast():
    values = 50 + 10 * np.sin(np.arange(60) * np.pi / 6)
    found = series.compare(Series("wave", values, "MS", 12, 12))
    assert found["values"] == 60
    # The naive forecast with the right season is exact, but for rounding.
    assert found["defaults"] > 1e3
    found = series.compare(Series("wave", values, "MS", 1, 12))
    assert found["defaults"] < 0.2
    assert 0 <= found["in 80 %"] <= found["in 95 %"] <= 1


def test_theta_goes_on_with_half_a_trend():
    found = series.theta(np.arange(30.0), 1, 3)
    np.testing.assert_allclose(np.diff(found), 0.5, atol=1e-3)

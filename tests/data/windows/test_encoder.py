"""The encoder: fitted on the training span alone, and back from files."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.panel import Panel
from tidegate.data.series.table import read_series
from tidegate.data.windows.encoder import SCALES_FILE, SeriesEncoder
from tidegate.errors import InputError


def rich(rows: int = 60, seed: int = 0) -> Panel:
    """A panel with columns of every role."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2024-01-01", periods=rows, freq="h")
    parts = []
    for name, size in (("a", 3.0), ("b", 40.0)):
        parts.append(pd.DataFrame({
            "time": times, "id": name, "y": size * rng.normal(size=rows),
            "price": rng.random(rows), "rain": 5 + rng.random(rows),
            "kind": name.upper(), "area": size,
        }))  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    frame.loc[5, "y"] = np.nan
    return read_series(frame, time="time", target="y", id="id", known="price", past="rain",
                       static=["kind", "area"])  # fmt: skip


def fitted(panel: Panel, **options) -> SeriesEncoder:
    return SeriesEncoder(lookback=6, calendar=True, **options).fit(panel, np.array([40, 40]))


def test_the_columns_of_a_batch_are_in_their_order():
    panel = rich()
    encoder = fitted(panel)
    assert encoder.sizes == {"features": 1 + 1 + 6 + 1 + 1, "targets": 1, "known": 7, "static": 3}
    encoded = encoder.encode(panel)
    series, origins = np.array([1, 0]), np.array([20, 30])
    batch = encoded.batch(series, origins, 4, targets=True)
    assert batch.values.shape == (2, 6, 10)
    assert batch.known.shape == (2, 4, 7)
    assert batch.static.shape == (2, 3)
    price = panel.series(1)[:, 2]
    spans = np.concatenate([panel.series(0)[:40, 2], panel.series(1)[:40, 2]])
    scaled = (price - spans.mean()) / spans.std()
    np.testing.assert_allclose(batch.values[0, :, 1], scaled[14:20], rtol=1e-4)
    np.testing.assert_allclose(batch.known[0, :, 0], scaled[20:24], rtol=1e-4)
    rain = panel.series(0)[:, 1]
    spans = np.concatenate([panel.series(0)[:40, 1], panel.series(1)[:40, 1]])
    np.testing.assert_allclose(
        batch.values[1, :, 8], (rain[24:30] - spans.mean()) / spans.std(), rtol=1e-4
    )


def test_nothing_after_the_training_span_moves_what_is_learned(rng):
    panel, other = rich(), rich(seed=1)
    values = panel.values.copy()
    later = np.r_[40:60, 100:120]
    values[later] = rng.normal(1e6, 1e6, values[later].shape)
    leaky = Panel(values, *(getattr(panel, name) for name in (
        "offsets", "starts", "clock", "targets", "past", "known", "names", "ahead", "static",
    )))  # fmt: skip
    assert json.dumps(fitted(panel).to_files()) == json.dumps(fitted(leaky).to_files())
    assert json.dumps(fitted(panel).to_files()) != json.dumps(fitted(other).to_files())


def test_series_are_known_by_their_names():
    panel = rich()
    encoder = fitted(panel)
    assert encoder.numbers(panel.take([1])) == [1]
    np.testing.assert_array_equal(encoder.encode(panel.take([1])).scale[0], encoder.scale[1])
    stranger = Panel(**{**vars(panel.take([1])), "names": ("c",)})
    assert encoder.numbers(stranger) == [None]
    own = encoder.encode(stranger, np.array([30])).scale[0, 0]
    assert own == pytest.approx(np.nanstd(stranger.series(0)[:30, 0]))


def test_an_encoder_comes_back_from_its_files():
    panel = rich()
    encoder = fitted(panel, log=False, missing="interpolate")
    found = SeriesEncoder.from_files(json.loads(json.dumps(encoder.to_files())))
    assert json.dumps(found.to_files()) == json.dumps(encoder.to_files())
    chosen = np.array([0, 1]), np.array([50, 51])
    first, again = (e.encode(panel).batch(*chosen, 3, targets=True) for e in (encoder, found))
    assert (first.values == again.values).all()
    damaged = json.loads(json.dumps(encoder.to_files()))
    damaged[SCALES_FILE]["scale"] = [[1.0]]
    with pytest.raises(InputError, match=r"^scales\.json: `scale` must be numbers of shape"):
        SeriesEncoder.from_files(damaged)


# What models that were saved before hold: nobody may rename anything in it.
FILES = {
    "series.json": {
        "lookback": 2, "scaling": "standard", "lag": 0, "log": False, "calendar": False,
        "missing": "mask", "absent": 1,
        "clock": {"kind": "duration", "step": 86_400_000_000, "origin": 1_672_531_200_000_000,
                  "zone": None, "wall": False, "month_end": False},
        "targets": ["sales"], "past": ["visits"], "known": ["price"], "static": ["kind"],
        "categories": [["big", "small"]],
    },
    "scales.json": {
        "names": ["a", "b"], "shift": [[10.0], [20.0]], "scale": [[2.0], [4.0]],
        "spread": [[2.5], [4.5]], "offset": [0.0], "others": [[5.0, 0.5], [2.0, 0.25]],
        "statics": [[0.5, 0.5], [0.5, 0.5]],
    },
}  # fmt: skip


def test_the_files_of_older_models_mean_what_they_meant():
    encoder = SeriesEncoder.from_files(FILES)
    assert json.loads(json.dumps(encoder.to_files())) == FILES
    panel = Panel(
        np.array([[12.0, 7.0, 0.75], [16.0, 3.0, 0.25], [8.0, 5.0, 0.5]]), np.array([0, 3]),
        np.zeros(1, int), encoder.clock, ("sales",), ("visits",), ("price",), ("b",),
        static={"kind": ("small",)},
    )  # fmt: skip
    batch = encoder.encode(panel).batch(np.array([0]), np.array([2]), 1, targets=True)
    # Sales, price, visits and the mask, each from its centre in its own scale.
    assert batch.values.tolist() == [[[-2.0, 1.0, 1.0, 0.0], [-1.0, -1.0, -1.0, 0.0]]]
    assert batch.targets.tolist() == [[[-3.0]]]
    assert batch.known.tolist() == [[[0.0]]]
    assert batch.static.tolist() == [[-1.0, 1.0]]


def test_other_columns_or_another_frequency_are_refused():
    panel = rich()
    encoder = fitted(panel)
    plain = Panel.from_arrays([np.arange(20.0)])
    with pytest.raises(InputError, match="`targets` must be as in training, y; got value"):
        encoder.encode(plain)
    daily = pd.DataFrame({"time": pd.date_range("2024", periods=9), "value": range(9)})
    hourly = SeriesEncoder(lookback=2).fit(
        read_series(daily.assign(time=pd.date_range("2024", periods=9, freq="h")), time="time"),
        np.array([9]),
    )
    with pytest.raises(InputError, match="the frequency of training, 1 hour; got 1 day"):
        hourly.encode(read_series(daily, time="time"))


def test_a_series_that_never_changes_is_refused():
    for values, rule in (
        (np.full(30, 4.0), r"`target` must be something that changes; got 4 in every row"),
        (np.full(30, np.nan), r"known in some steps before the validation span; got only missing"),
    ):
        with pytest.raises(InputError, match=rule):
            SeriesEncoder(lookback=3).fit(Panel.from_arrays([values]), np.array([30]))
    alive = Panel.from_arrays([np.full(30, 4.0), np.arange(30.0)])
    assert SeriesEncoder(lookback=3).fit(alive, np.array([30, 30])).scale[0, 0] == 1


def test_series_without_names_are_those_of_training_by_their_position():
    panel = Panel.from_arrays([np.arange(20.0), 1e3 + np.arange(25.0)])
    encoder = fitted(panel)
    assert encoder.numbers(Panel.from_arrays([np.ones(9), np.ones(9)])) == [0, 1]
    assert encoder.numbers(Panel.from_arrays([np.ones(9)] * 3)) == [None] * 3

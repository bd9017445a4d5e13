"""Windows: cut as a plain loop would, without a copy of the series, in an order of their own."""

from __future__ import annotations

import tracemalloc

import numpy as np

from tidegate.data.series.panel import Panel
from tidegate.data.windows.encoder import SeriesEncoder
from tidegate.data.windows.windows import Windows


def windows(panel, lookback=4, horizon=2, first=None, last=None, **options):
    chosen = {name: options.pop(name) for name in ("lag", "log", "missing") if name in options}
    encoder = SeriesEncoder(lookback=lookback, **chosen).fit(panel, panel.lengths)
    begin = np.zeros(len(panel), int) if first is None else np.asarray(first)
    end = panel.lengths if last is None else np.asarray(last)
    sizes = {"batch_size": 3, "seed": 0} | options
    return Windows(encoder.encode(panel), begin, end, horizon, **sizes)


def test_windows_are_what_a_loop_finds(rng):
    panel = Panel.from_arrays([rng.normal(size=12), rng.normal(size=5), rng.normal(size=9)])
    found = windows(panel)
    expected = []
    for number in range(3):
        values = panel.series(number)[:, 0]
        scaled = (values - values.mean()) / values.std()
        expected += [(scaled[t - 4 : t], scaled[t : t + 2]) for t in range(4, len(values) - 1)]
    assert len(found) == len(expected) == 7 + 0 + 4
    batch = found.batch(np.arange(len(found)))
    for row, (past, ahead) in enumerate(expected):
        np.testing.assert_allclose(batch.values[row, :, 0], past, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(batch.targets[row, :, 0], ahead, rtol=1e-5, atol=1e-6)


def test_spans_and_strides_choose_the_origins():
    panel = Panel.from_arrays([np.arange(20.0), np.arange(30.0)])
    found = windows(panel, first=[10, 0], last=[16, 12], stride=2)
    series, origins = found.locate(np.arange(len(found)))
    assert list(zip(series.tolist(), origins.tolist(), strict=True)) == [
        (0, 10), (0, 12), (0, 14), (1, 4), (1, 6), (1, 8), (1, 10),
    ]  # fmt: skip


def test_an_epoch_has_each_window_once_in_its_own_order():
    found = windows(Panel.from_arrays([np.arange(40.0)]))
    first, second = (np.concatenate(found.epoch(number)) for number in (0, 1))
    assert sorted(first) == list(range(len(found)))
    assert first.tolist() != second.tolist()
    assert first.tolist() == np.concatenate(found.epoch(0)).tolist()


def test_a_sample_is_taken_of_too_many_windows():
    found = windows(Panel.from_arrays([np.arange(400.0)]), most=20)
    chosen = np.concatenate(found.epoch(0))
    assert len(set(chosen.tolist())) == 20
    ordered = np.concatenate(found.in_order())
    assert len(ordered) == 20
    assert (np.diff(ordered) > 15).all()


def test_windows_of_nothing_are_left_out(rng):
    values = rng.normal(size=30)
    values[8:20] = np.nan
    found = windows(Panel.from_arrays([values]))
    _, origins = found.locate(np.arange(len(found)))
    read = [np.isfinite(values[t - 4 : t]).any() for t in origins]
    learned = [np.isfinite(values[t : t + 2]).any() for t in origins]
    assert all(read)
    assert all(learned)
    assert 12 not in origins
    batch = found.batch(np.arange(len(found)))
    assert batch.values.isfinite().all()
    assert batch.values.shape[2] == 2  # the value and its mask
    row = origins.tolist().index(21)
    assert batch.values[row, :, 1].tolist() == [1, 1, 1, 0]


def test_the_window_at_the_end_has_no_targets():
    panel = Panel.from_arrays([np.arange(9.0), np.arange(20.0)])
    found = windows(panel, ahead=True)
    batch = found.batch(np.arange(2))
    assert batch.targets is None
    assert batch.future == 2
    last = batch.values[:, -1, 0].numpy() * found.encoded.scale[:, 0] + found.encoded.shift[:, 0]
    np.testing.assert_allclose(last, [8, 19], rtol=1e-6)


def test_a_million_steps_cost_their_own_size(rng):
    panel = Panel.from_arrays([rng.normal(size=1_000_000)])
    encoder = SeriesEncoder(lookback=500).fit(panel, panel.lengths)
    tracemalloc.start()
    try:
        found = Windows(encoder.encode(panel), np.zeros(1, int), panel.lengths, 100,
                        batch_size=64, seed=0, most=10_000)  # fmt: skip
        for rows in found.epoch(0)[:20]:
            found.batch(rows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24e6  # the series has 8 MB, all its windows would have 4,800


def test_the_fingerprint_knows_the_values_and_the_spans(rng):
    values = rng.normal(size=50)
    first = windows(Panel.from_arrays([values]))
    assert windows(Panel.from_arrays([values.copy()])).fingerprint() == first.fingerprint()
    other = values.copy()
    other[7] += 1e-9
    assert windows(Panel.from_arrays([other])).fingerprint() != first.fingerprint()
    assert windows(Panel.from_arrays([values]), last=[40]).fingerprint() != first.fingerprint()


def test_a_sample_of_few_windows_is_part_of_their_shuffled_order():
    panel = Panel.from_arrays([np.arange(40.0)])
    whole, part = windows(panel), windows(panel, most=7)
    assert np.concatenate(part.epoch(4)).tolist() == np.concatenate(whole.epoch(4))[:7].tolist()


def test_windows_may_reach_past_the_end_where_nothing_is_known():
    found = windows(Panel.from_arrays([np.arange(8.0)]), last=[10])
    batch = found.batch(np.arange(len(found)))
    assert len(found) == 5
    assert batch.targets[3:, :, 0].isnan().tolist() == [[False, True], [True, True]]


def test_the_latest_windows_are_those_of_the_latest_time():
    panel = Panel.from_arrays([np.arange(12.0), np.arange(9.0)])
    found = windows(panel)
    found.keep_latest(3)
    assert sorted(found.times(np.arange(3)).tolist()) == [8, 9, 10]

"""AnomalyEncoder: the steps that the net reads, their targets, and the windows it learns from."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from tests.tasks.series import hours, wave
from tidegate.data.scaling import LogScaling
from tidegate.data.series.panel import Panel
from tidegate.data.series.steps import as_steps
from tidegate.data.windows.windows import Windows
from tidegate.errors import ArtifactError, InputError
from tidegate.tasks.anomaly.encoder import AnomalyEncoder, EncodedSteps, check_learnable, seconds_of

NAN = float("nan")
OFFSETS = (1, 5, -3)


def panel_of(count: int) -> Panel:
    return as_steps(pd.DataFrame(wave(count, 2), index=hours(count)))


def encoded(panel: Panel, lookback: int = 16, offsets: tuple[int, ...] = OFFSETS) -> EncodedSteps:
    encoder = AnomalyEncoder.learn(panel.targets, panel.values, clocked=panel.dated)
    return encoder.encode(panel, offsets, lookback)


def windows(count: int, lead_in: int = 4, *, training: bool = True) -> Windows[EncodedSteps]:
    found = encoded(panel_of(count))
    stride = 1 if training else max(1, found.lookback - lead_in)
    last = np.array([count + stride - 1])
    return Windows(found, np.zeros(1, int), last, 0, batch_size=8, seed=0, stride=stride)


def test_targets_lie_ahead_and_behind():
    panel = panel_of(40)
    scaled = LogScaling.learn(panel.values).forward(panel.values)
    batch = windows(40).batch(np.array([0, 10]))
    assert batch.targets.shape == (2, 16, 6)
    for place, offset in enumerate(OFFSETS):
        for step in (3, 9):
            found = batch.targets[1, step, 2 * place : 2 * place + 2]
            np.testing.assert_allclose(found, scaled[10 + step + offset], rtol=1e-5)
    assert torch.isnan(batch.targets[0, :3, 4:]).all()
    np.testing.assert_allclose(batch.values[1, :, :2], scaled[10:26], rtol=1e-5)
    np.testing.assert_allclose(batch.values[1, :, 2:4], np.diff(scaled, axis=0)[9:25], atol=1e-5)
    # 02:30 is 37.5 degrees.
    third = 2 * np.pi * 12 / 24
    np.testing.assert_allclose(batch.values[1, 2, 4:], [np.sin(third), np.cos(third)], atol=1e-5)


@pytest.mark.parametrize("count", [5, 16, 17, 40, 53])
def test_windows_that_are_measured_count_each_step_once(count):
    rows = windows(count, training=False)
    seen = np.zeros(count)
    for numbers in rows.in_order():
        batch = rows.batch(numbers)
        _, ends = rows.locate(numbers)
        for end, length in zip(ends, batch.lengths.tolist(), strict=True):
            start = end - rows.encoded.lookback
            seen[start + (4 if start else 0) : start + length] += 1
        padding = torch.arange(batch.values.shape[1]) >= batch.lengths[:, None]
        assert (batch.values[padding] == 0).all()
    assert (seen == 1).all()


def test_an_epoch_has_all_windows_and_the_fingerprint_knows_the_values():
    rows = windows(60)
    assert sorted(np.concatenate(rows.epoch(3)).tolist()) == list(range(45))
    assert rows.fingerprint() == windows(60).fingerprint()
    assert rows.fingerprint() != windows(61).fingerprint()


def test_a_missing_value_is_read_as_the_one_before_and_is_no_target():
    found = encoded(as_steps([1.0, 2.0, NAN, 4.0, 5.0, 6.0]), 6, (1, 2, -1))
    batch = found.batch(np.zeros(1, int), np.array([6]), 0, targets=True)
    assert batch.values[0, 2, 0] == batch.values[0, 1, 0]
    assert torch.isnan(batch.targets[0, 1, 0])
    assert torch.isfinite(batch.values).all()
    assert found.batch(np.zeros(1, int), np.array([6]), 0, targets=False).targets is None


def test_a_variable_that_is_missing_everywhere_is_read_as_usual():
    panel = as_steps(wave(30, 2))
    encoder = AnomalyEncoder.learn(panel.targets, panel.values, clocked=False)
    gone = as_steps(np.where([True, False], wave(30, 2), NAN))
    assert (encoder.inputs(gone)[:, [1, 3]] == 0).all()


def test_seconds_are_those_of_the_series_own_clock():
    times = hours(3)
    for index in (times, times.tz_localize("Asia/Tokyo")):
        seconds = seconds_of(as_steps(pd.Series([1.0, 2.0, 3.0], index=index)))
        assert seconds.tolist() == [time.timestamp() for time in times]


def test_it_comes_back_from_the_file_that_older_models_have():
    panel = panel_of(40)
    encoder = AnomalyEncoder.learn(panel.targets, panel.values, clocked=True)
    files = json.loads(json.dumps(encoder.to_files()))
    (document,) = files.values()
    assert set(document) == {"center", "spread", "constant", "names", "clocked"}
    again = AnomalyEncoder.from_files(files)
    np.testing.assert_array_equal(again.inputs(panel), encoder.inputs(panel))
    assert (again.names, again.clocked, again.size) == (("0", "1"), True, 6)
    with pytest.raises(ArtifactError, match=r"^scale\.json: `center` must be numbers of shape"):
        AnomalyEncoder.from_files({"scale.json": document | {"center": [1.0]}})


def test_series_unlike_that_of_training_are_refused():
    panel = panel_of(40)
    encoder = AnomalyEncoder.learn(panel.targets, panel.values, clocked=True)
    encoder.check(panel, "test")
    with pytest.raises(InputError, match=r"with the columns of `fit`: 0, 1; got 1 columns"):
        as_steps([1.0], "test", learned=encoder.columns)
    with pytest.raises(InputError, match=r"`X` must be with times, as in `fit`; got values alone"):
        encoder.check(as_steps(wave(40, 2)), "test")


def test_series_that_nothing_can_be_learned_from_are_refused():
    check_learnable(panel_of(40), 40, "test")
    with pytest.raises(InputError, match=r"at least lookback \+ horizon = 41 values; got 40"):
        check_learnable(panel_of(40), 41, "test")
    gone = as_steps(pd.DataFrame({"heat": wave(40), "load": NAN}))
    with pytest.raises(InputError, match="got only missing ones of load"):
        check_learnable(gone, 40, "test")

"""AnomalyDetector: faults found in a file, what is saved, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import tidegate
from tests.tasks.series import QUICK, hours, wave
from tidegate import AnomalyDetector
from tidegate.errors import ArtifactError, InputError
from tidegate.tasks.core.examples import DataWarning

NAN = float("nan")


def broken(count: int = 1600) -> tuple[np.ndarray, np.ndarray]:
    """A wave with a spike, a stretch of noise and a stretch that stands still."""
    values, wrong = wave(count), np.zeros(count, bool)
    values[700] += 15
    values[1000:1040] += 4 * np.random.default_rng(1).normal(size=40)
    values[1350:1450] = values[1350]
    for begin, end in ((700, 701), (1000, 1040), (1350, 1450)):
        wrong[begin:end] = True
    return values, wrong


@pytest.fixture(scope="module")
def model() -> AnomalyDetector:
    return AnomalyDetector(**QUICK, silence=50).fit(wave(600))


def test_it_finds_what_is_broken_and_little_else():
    values, wrong = broken()
    found = AnomalyDetector(**QUICK, silence=50).fit(values[:600]).detect(values[600:])
    alarms = np.nonzero(found.alarm)[0] + 600
    for begin, end in ((700, 703), (1000, 1045), (1350, 1455)):
        assert ((alarms >= begin) & (alarms < end)).any(), (begin, alarms)
    assert (~wrong[alarms]).sum() <= 4


def test_a_file_at_once_is_the_stream_of_its_values(model):
    values = wave(700)[600:]
    stream = model.stream()
    found = model.detect(values)
    for step, value in enumerate(values.tolist()):
        assert stream.update(value) == found.step(step)
    np.testing.assert_array_equal(model.predict(values), found.alarm)
    np.testing.assert_array_equal(model.score_samples(values), found.score)


def test_fit_predict_judges_each_value_before_it_is_learned():
    values = wave(900)
    values[800] += 20
    model = AnomalyDetector(**QUICK)
    alarm = model.fit_predict(values)
    assert alarm[800]
    assert alarm.sum() <= 6
    assert len(model.detections_) == 900
    assert not model.detections_.columns["ready"][:99].any()


def test_evaluate_counts_runs_and_alarms(model):
    values, wrong = broken()
    found = model.evaluate(values[600:], wrong[600:])
    alarm, truth = model.predict(values[600:]), wrong[600:]
    assert found["alarms"] == alarm.sum()
    assert found["precision"] == (alarm & truth).sum() / alarm.sum()
    runs = [slice(100, 101), slice(400, 440), slice(750, 850)]
    assert found["recall"] == np.mean([alarm[run].any() for run in runs])
    assert found["f1"] == model.score(values[600:], wrong[600:])
    assert {"loss", "mae", "alarm_rate"} <= set(found)
    assert model.score(values[600:]) == -found["loss"]
    with pytest.raises(InputError, match=r"`X` must be at least one row; got none"):
        model.evaluate(np.zeros((0, 1)))


def test_the_rate_of_false_alarms_is_set_before_or_after_the_fit(model):
    quiet_noise = wave(6000)[600:]
    many = clone(model).set_params(false_alarm_rate=0.02, silence=0).fit(wave(600))
    often = many.predict(quiet_noise).mean()
    seldom = many.set_params(false_alarm_rate=1e-3).predict(quiet_noise).mean()
    assert 0.005 < often < 0.05
    assert seldom < 0.004


def test_the_time_of_day_is_learned_where_times_are_given():
    frame = pd.DataFrame({"load": wave(400)}, index=hours(400))
    model = AnomalyDetector(**QUICK).fit(frame)
    assert model.clocked_
    assert model.network_.recurrent.input_size == 4
    with pytest.raises(InputError, match=r"`X` must be with times, as in `fit`"):
        model.predict(wave(50))
    blind = AnomalyDetector(**QUICK).fit(wave(400))
    np.testing.assert_array_equal(blind.predict(frame), blind.predict(frame["load"].tolist()))


def test_a_saved_detector_goes_on_where_the_fitted_one_would(model, tmp_path):
    model.save(tmp_path / "model")
    again = tidegate.load(tmp_path / "model")
    values = wave(700)[600:]
    assert again.answer(values) == model.answer(values)
    assert again.facts() == model.facts()
    assert "false alarms" in model.facts()


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("calibration.json", {"steps": "x"}),
        ("calibration.json", {"evidence": []}),
        ("calibration.json", {"readout": {}}),
        ("scale.json", {"center": [1.0, 2.0]}),
        ("scale.json", {"names": ["a", "b", "c"]}),
    ],
)
def test_a_forged_file_is_refused_when_it_is_loaded(model, tmp_path, file, change):
    model.save(tmp_path / "model")
    path = tmp_path / "model" / file
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ArtifactError):
        tidegate.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("X", "told"),
    [
        (wave(87), r"`X` must be at least lookback \+ horizon = 88 values; got 87"),
        (np.full(200, NAN), r"`X` must be values of each variable; got only missing ones of value"),
        ([*wave(200).tolist(), float("inf")], r"got an infinity in row 201"),
        ([*wave(200).tolist(), "broken"], r"got 'broken' in row 201"),
    ],
)
def test_series_that_nothing_can_be_learned_from_are_refused(X, told):
    with pytest.raises(InputError, match=told):
        AnomalyDetector(**QUICK).fit(X)


def test_wrong_settings_and_arguments_are_refused(model):
    with pytest.raises(InputError, match="Did you mean 'false_alarm_rate'"):
        AnomalyDetector(false_alarms=1)
    with pytest.raises(InputError, match=r"`bidirectional` must be False; got True"):
        AnomalyDetector(bidirectional=True).fit(wave(200))
    with pytest.raises(InputError, match=r"`false_alarm_rate` must be a number >= .* <= 0.2"):
        AnomalyDetector(false_alarm_rate=2.0).fit(wave(200))
    with pytest.raises(InputError, match=r"`sample_weight` must be left out"):
        model.fit(wave(200), sample_weight=np.ones(200))
    with pytest.raises(
        InputError, match=r"must be with the columns of `fit`: value; got 2 columns"
    ):
        model.predict(wave(50, 2))


def test_a_constant_is_learned_with_a_warning_and_any_change_of_it_is_unusual():
    with pytest.warns(DataWarning, match="value never changes"):
        model = AnomalyDetector(**QUICK).fit(np.full(300, 7.0))
    assert not model.predict(np.full(500, 7.0)).any()
    assert model.predict(np.array([7.0] * 20 + [8.0] * 3)).any()


def test_missing_values_are_learned_around():
    values = wave(600)
    values[::7] = NAN
    model = AnomalyDetector(**QUICK).fit(values)
    found = model.detect(np.where(np.arange(200) % 5, wave(200, seed=1), NAN))
    assert np.isnan(found.score[::5]).all()
    assert np.isfinite(np.delete(found.score, np.s_[::5])).all()


def test_a_trace_holds_the_states_that_the_stream_goes_through(model):
    trace = model.trace(wave(30))
    assert trace.hidden.shape == (1, 1, 30, 6)
    assert set(trace.gates) == {"input", "forget", "candidate", "output"}
    stream = model.network_.recurrent.stream()
    scaled = model.encoder_.scaling.forward(wave(30)[:, None])
    inputs = np.concatenate([scaled, np.diff(scaled, axis=0, prepend=scaled[:1])], axis=1)
    for step, row in enumerate(inputs.astype(np.float32)):
        np.testing.assert_allclose(stream.step(row), trace.hidden[0, 0, step], atol=1e-5)


def test_the_doctor_reads_windows_of_a_series():
    model = AnomalyDetector(lookback=24, horizon=4, epochs=1, hidden_size=4, verbose=False)
    model.fit(np.sin(np.arange(600) / 4))
    told = model.doctor(np.sin(np.arange(600) / 4 + 1))
    assert "needs data" not in told.skipped.values()
    assert "padding that leaks" in {*told.passed, *told.skipped}
    (stuck,) = [f for f in model.doctor(np.zeros(600)).findings if f.name == "dead units"]
    assert stuck.evidence.startswith("4 of 4 units of layer 0 forward tell no two of")
    with pytest.raises(InputError, match="`X` must be at least one step; got none"):
        model.doctor([])

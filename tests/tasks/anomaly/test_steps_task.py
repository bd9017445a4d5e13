"""StepsTask: the variables of a detector are found by their names, in frames and in files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import tidegate
from tests.tasks.series import QUICK, hours, wave
from tidegate import AnomalyDetector
from tidegate.errors import InputError


def table(count: int) -> pd.DataFrame:
    frame = pd.DataFrame(wave(count, 2), columns=["load", "heat"], index=hours(count))
    return frame.assign(load=100 + frame["load"])


@pytest.fixture(scope="module")
def model() -> AnomalyDetector:
    return AnomalyDetector(**QUICK).fit(table(400))


def test_frames_answer_by_names_and_arrays_by_position(model, tmp_path):
    told = model.score_samples(table(60))
    other = table(60)[["heat", "load"]].assign(id=range(60), who="x")
    model.save(tmp_path / "model")
    for task in (model, tidegate.load(tmp_path / "model")):
        np.testing.assert_array_equal(task.score_samples(other), told)
    blind = AnomalyDetector(**QUICK).fit(table(400).to_numpy())
    given = table(60).rename(columns={"load": "x", "heat": "y"})
    np.testing.assert_array_equal(
        blind.score_samples(given), blind.score_samples(table(60).to_numpy())
    )
    stream = model.stream()
    found = [stream.update(row, time).score for time, row in other.iterrows()]
    np.testing.assert_array_equal(found, told)


def test_files_are_read_by_the_names_of_the_fit(model):
    told, _ = model.inputs(table(60).reset_index(names="time"), {"time": "time"})
    other = table(60)[["heat", "load"]].assign(id=1, anomaly=0).reset_index(names="time")
    found, _ = model.inputs(other, {"time": "time"})
    np.testing.assert_array_equal(found.values, told.values)
    renamed = other.rename(columns={"load": "power", "heat": "warm"})
    named, _ = model.inputs(renamed, {"time": "time", "value": "power, warm"})
    np.testing.assert_array_equal(model.score_samples(named), model.score_samples(told))
    with pytest.raises(InputError, match=r"`fit`: load, heat; got no 'load'. Known: .*power"):
        model.inputs(renamed, {"time": "time"})
    with pytest.raises(InputError, match=r"got no 'load'. Did you mean 'Load'"):
        model.predict(table(60).rename(columns={"load": "Load"}))
    half, _ = model.inputs(renamed.assign(heat=1.0), {"time": "time", "value": "heat,power"})
    with pytest.raises(InputError, match=r"got no 'load'"):
        model.predict(half)


def test_validation_has_the_variables_of_training_in_any_order():
    held = table(80)
    one, two = (
        AnomalyDetector(**QUICK).fit(table(400), validation=(X, None))
        for X in (held, held[["heat", "load"]])
    )
    assert one.metrics_ == two.metrics_


def test_a_variable_called_value_is_a_name_too(tmp_path):
    learned = table(200)["load"]
    AnomalyDetector(**QUICK).fit(learned.rename("value")).save(tmp_path / "model")
    model = tidegate.load(tmp_path / "model")
    assert len(model.predict(learned.rename(None))) == 200
    with pytest.raises(InputError, match=r"got no 'value'. Known: load"):
        model.predict(learned)


@pytest.mark.parametrize(("unit", "offset"), [(2.0**-40, 0), (1, 2.0**31)])
def test_scores_do_not_hang_on_unit_or_offset(model, unit, offset):
    moved = [np.round(64 * table(count).to_numpy()) * unit + offset for count in (400, 60)]
    plain = [np.round(64 * table(count).to_numpy()) for count in (400, 60)]
    one, two = (
        AnomalyDetector(**QUICK).fit(learned).score_samples(new) for learned, new in (plain, moved)
    )
    np.testing.assert_allclose(two, one, atol=1e-3)


def test_what_is_learned_from_and_measured_on_has_values():
    values = wave(200)
    late, ended = values.copy(), values.copy()
    late[:185], ended[175:] = np.nan, np.nan
    with pytest.raises(InputError, match="variable before the validation span; got only missing"):
        AnomalyDetector(**QUICK).fit(late)
    model = AnomalyDetector(**QUICK).fit(ended)
    whole = AnomalyDetector(**QUICK).fit(values[:175])
    assert model.metrics_["train"] == whole.metrics_["train"]  # what is held out ends alike
    nothing = np.full(50, np.nan)
    with pytest.raises(InputError, match="values to measure on; got only missing"):
        model.evaluate(nothing)
    with pytest.raises(InputError, match="values to validate on; got only missing"):
        model.fit(values, validation=(nothing, None))

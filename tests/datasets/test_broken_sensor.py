"""The broken sensor: its faults are where and what they are said to be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.datasets import make_broken_sensor
from tidegate.errors import InputError


def test_faults_differ_from_the_same_sensor_that_works():
    table = make_broken_sensor(30, seed=3)
    assert len(table) == 30 * 144
    assert (np.diff(table["time"]) == pd.Timedelta(minutes=10)).all()
    pd.testing.assert_frame_equal(table, make_broken_sensor(30, seed=3))
    assert not table["temperature"].equals(make_broken_sensor(30, seed=4)["temperature"])
    parts = {name: part["temperature"] for name, part in table.groupby("fault")}
    assert {name: len(part) for name, part in parts.items() if name} == {
        "spike": 1, "stuck": 90, "drift": 150, "noise": 60,
    }  # fmt: skip
    assert parts["stuck"].nunique() == 1
    step = int(parts["spike"].index[0])
    around = table["temperature"][[step - 1, step + 1]].mean()
    assert parts["spike"].iloc[0] - around > 10
    usual = table["temperature"].diff()[table["fault"] == ""].abs().median()
    assert parts["noise"].diff().abs().median() > 5 * usual
    assert not (table["fault"][: len(table) // 2] != "").any()


def test_working_days_are_warm():
    table = make_broken_sensor(28)
    healthy = table[table["fault"] == ""]
    noon = healthy[healthy["time"].dt.hour == 12]
    night = healthy[healthy["time"].dt.hour == 2]
    workday = noon["time"].dt.day_of_week < 5
    assert noon["temperature"][workday].mean() > night["temperature"].mean() + 5
    assert noon["temperature"][workday].mean() > noon["temperature"][~workday].mean() + 4


def test_too_few_days_are_refused():
    with pytest.raises(InputError, match="`days` must be at least 14"):
        make_broken_sensor(13)

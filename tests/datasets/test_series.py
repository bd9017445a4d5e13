"""The series that ship: whole, in order, and broken only where they say so."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pandas as pd
import pytest

from tidegate.data import read_series
from tidegate.datasets import load_airline_passengers, load_co2, make_broken_sensor
from tidegate.errors import InputError


def test_co2_is_weekly_with_its_gaps():
    table = load_co2()
    assert list(table.columns) == ["date", "co2"]
    assert len(table) == 2284
    assert (table["date"].diff().dropna() == pd.Timedelta(days=7)).all()
    assert table["co2"].isna().sum() == 59
    assert (table["co2"].min(), table["co2"].max()) == (313.0, 373.9)
    assert read_series(table, time="date").clock.season == 52


def test_airline_passengers_are_those_of_box_and_jenkins():
    table = load_airline_passengers()
    assert table["passengers"].iloc[:3].tolist() == [112, 118, 132]
    assert table["passengers"].iloc[-1] == 432
    assert str(table["month"].iloc[-1].date()) == "1960-12-01"
    assert read_series(table, time="month").clock.name == "1 month"


@pytest.mark.parametrize(
    ("name", "terms"), [("co2", "public domain"), ("airline_passengers", "apache license 2.0")]
)
def test_each_says_where_it_is_from_and_what_may_be_done_with_it(name, terms):
    folder = resources.files("tidegate.datasets") / "data"
    text = (folder / f"{name}.LICENSE.txt").read_text(encoding="utf-8")
    assert terms in " ".join(text.split()).lower()


def test_the_sensor_breaks_where_it_says():
    table = make_broken_sensor(30, seed=3)
    assert len(table) == 30 * 144
    assert table.equals(make_broken_sensor(30, seed=3))
    parts = dict(list(table.groupby("fault")["temperature"]))
    assert {name: len(part) for name, part in parts.items() if name} == {
        "spike": 1, "stuck": 90, "drift": 150, "noise": 60,
    }  # fmt: skip
    assert parts["stuck"].nunique() == 1
    steps = {name: np.abs(np.diff(part)).mean() for name, part in parts.items() if name != "spike"}
    assert steps["noise"] > 5 * steps[""]
    spike = table.index[table["fault"] == "spike"][0]
    assert table["temperature"][spike] - table["temperature"][spike - 1] > 10


def test_too_few_days_are_refused():
    with pytest.raises(InputError, match="`days` must be at least 14"):
        make_broken_sensor(13)

"""Steps: one series from every form it may come in, at any times, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.tasks.series import hours, wave
from tidegate.data.series.panel import Panel
from tidegate.data.series.steps import as_steps, read_steps
from tidegate.errors import InputError

NAN = float("nan")


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time": hours(4).astype(str),
            "heat": [1, 2, NAN, 4.0],
            "load": [1.0] * 4,
            "who": ["ab", "cd", "e", "f"],
        }
    )


def test_all_forms_hold_the_same():
    values = wave(30, 2)
    table = pd.DataFrame(values, columns=["heat", "load"], index=hours(30))
    found = as_steps(table)
    np.testing.assert_array_equal(found.values, as_steps(values.tolist()).values)
    assert found.targets == ("heat", "load")
    assert found.times(0, 0, 30).equals(hours(30))
    assert as_steps(found) is found
    assert as_steps(values).targets == ("value_1", "value_2")
    assert not as_steps(values).dated
    assert as_steps(table["heat"]).targets == ("heat",)
    zoned = as_steps(table.tz_localize("Europe/Berlin"))
    assert zoned.times(0, 0, 30).equals(hours(30))


def test_times_may_follow_no_clock_come_twice_and_stay_with_their_values_in_a_cut():
    times = pd.DatetimeIndex(["2024-01-01 10:00", "2024-01-01 10:07", "2024-01-01 10:07",
                              "2024-03-01 00:00"])  # fmt: skip
    found = as_steps(pd.Series([1.0, 2.0, 3.0, 4.0], index=times))
    part = found.cut(np.array([1]), np.array([3]))
    assert part.times(0, 0, 2).equals(times[1:3])
    assert part.values.ravel().tolist() == [2, 3]
    table = pd.DataFrame({"at": times.astype(str), "heat": [1.0, 2.0, 3.0, 4.0]})
    assert read_steps(table, time="at").times(0, 0, 4).equals(times)


def test_nothing_was_written_down_yet():
    assert as_steps(np.zeros((0, 2))).lengths.tolist() == [0]


def test_tables_give_the_columns_that_are_asked_for(frame):
    assert read_steps(frame, time="time").targets == ("heat", "load")
    assert read_steps(frame, others=["load"]).targets == ("heat",)
    found = read_steps(frame, value="load, heat", time="time")
    assert found.targets == ("load", "heat")
    np.testing.assert_array_equal(found.values[:, 1], frame["heat"])
    assert found.times(0, 0, 4).equals(hours(4))
    texts = frame.astype({"heat": str}).replace("nan", " ")
    np.testing.assert_array_equal(read_steps(texts, value="heat").values[:, 0], frame["heat"])
    numbered = read_steps(frame.assign(time=[3, 5, 6, 9]), time="time")
    assert not numbered.dated


def test_times_with_an_offset_are_read_by_their_own_clock(frame):
    zoned = frame.assign(time=[f"{time}+05:00" for time in frame["time"]])
    assert read_steps(zoned, time="time").times(0, 0, 4).equals(hours(4))


def test_wrong_tables_are_refused(frame):
    with pytest.raises(InputError, match="Did you mean 'heat'"):
        read_steps(frame, value="haet")
    with pytest.raises(InputError, match=r"`time` must be ascending; got 2024.* in row 3 after"):
        read_steps(frame.iloc[::-1], time="time")
    with pytest.raises(InputError, match=r"`value` must be a column of numbers; got none"):
        read_steps(frame[["who"]])
    with pytest.raises(InputError, match=r"`value` must be numbers in 'who'; got 'ab' in row 1"):
        read_steps(frame, value="who")
    with pytest.raises(InputError, match=r"`value` must be finite numbers; got an infinity in row"):
        read_steps(frame.assign(load=[1, float("inf"), 1, 1]))


def test_panels_of_more_than_one_series_are_refused():
    with pytest.raises(InputError, match=r"`X` must be one series of values alone; got 2 with 0"):
        as_steps(Panel.from_arrays([[1.0], [2.0]]))


def test_a_text_in_a_table_is_named_with_its_row_and_column():
    with pytest.raises(InputError, match=r"got 'broken' in row 2 of heat"):
        as_steps(pd.DataFrame({"heat": [1, "broken", 3]}))


@pytest.mark.parametrize("dtype", [object, "Int64", "int64[pyarrow]", "double[pyarrow]"])
def test_whole_numbers_with_an_empty_cell_are_numbers(dtype):
    column = pd.Series([1, None, 3], dtype=dtype)
    for form in (column, column.to_frame("a"), column.tolist()):
        np.testing.assert_array_equal(as_steps(form).values.ravel(), [1.0, NAN, 3.0])


def test_every_index_of_times_is_read():
    values = pd.Series([1.0, 2.0, 3.0])
    arrow = hours(3).astype("timestamp[ns][pyarrow]")
    for index in (pd.period_range("2024", periods=3, freq="h"), arrow, hours(3).astype(str)):
        assert as_steps(values.set_axis(index)).times(0, 0, 3).equals(hours(3))
    for index in ([5, 6, 9], pd.to_timedelta([0, 1, 2], unit="h")):
        assert not as_steps(values.set_axis(index)).dated


@pytest.mark.parametrize(
    ("index", "told"),
    [
        (["a", "b", "c"], "`time` must be a date or a whole number; got 'a' in row 1"),
        (hours(3)[::-1], r"`time` must be ascending; got 2024-01-01 01:00:00 in row 2"),
        (pd.MultiIndex.from_product([["a"], [1, 2, 3]]), "an index of times; got one of 2 levels"),
    ],
)
def test_an_index_that_tells_no_times_is_refused(index, told):
    with pytest.raises(InputError, match=told):
        as_steps(pd.Series([1.0, 2.0, 3.0], index=index))

"""Series out of tables: wide and long, gaps filled, every fault named by its row."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.table import GapWarning, read_series
from tidegate.errors import InputError


def table(rows: int = 12) -> pd.DataFrame:
    times = pd.date_range("2024-01-01", periods=rows, freq="h").strftime("%Y-%m-%d %H:%M")
    return pd.DataFrame({"time": times, "load": np.arange(rows) * 1.0, "heat": np.arange(rows) * 2})


def test_a_wide_table_has_a_column_a_target():
    panel = read_series(table(), time="time")
    assert panel.targets == ("load", "heat")
    assert panel.clock.name == "1 hour"
    assert panel.series(0)[3].tolist() == [3, 6]
    only = read_series(table(), time="time", target="heat", known="load")
    assert (only.targets, only.known) == (("heat",), ("load",))
    assert read_series(table(), time="time", target="load, heat").targets == ("load", "heat")


def test_a_single_clean_column_is_not_copied():
    frame = table()
    panel = read_series(frame, time="time", target="load")
    assert np.shares_memory(panel.values, frame["load"].to_numpy())


def test_a_long_table_names_the_series_of_each_row():
    parts = [table(5).assign(shop="b"), table(3).assign(shop="a")]
    frame = pd.concat(parts, ignore_index=True)
    panel = read_series(frame, time="time", target="load", id="shop")
    assert panel.names == ("b", "a")
    assert panel.lengths.tolist() == [5, 3]
    shuffled = frame.sort_values(["time", "shop"], kind="stable").reset_index(drop=True)
    again = read_series(shuffled, time="time", target="load", id="shop")
    order = [again.names.index(name) for name in panel.names]
    np.testing.assert_array_equal(again.take(order).values, panel.values)


def test_series_that_begin_later_have_another_start():
    late = table(8).iloc[3:].assign(shop="late")
    frame = pd.concat([table(8).assign(shop="early"), late], ignore_index=True)
    panel = read_series(frame, time="time", target="load", id="shop")
    assert panel.starts.tolist() == [0, 3]
    assert panel.times(1, 0, 1)[0] == pd.Timestamp("2024-01-01 03:00")


def test_gaps_are_filled_counted_and_told():
    frame = table().drop(index=[4, 5]).reset_index(drop=True)
    told = "2 of 12 steps are missing at a frequency of 1 hour, the first after row 4"
    with pytest.warns(GapWarning, match=told):
        panel = read_series(frame, time="time", target="load")
    assert np.flatnonzero(np.isnan(panel.values[:, 0])).tolist() == [4, 5]
    assert panel.values[6, 0] == 6
    assert np.isnan(panel.values[:, 0]).sum() == 2


def test_empty_cells_are_missing_values():
    frame = table().astype({"load": object})
    frame.loc[3, "load"] = " "
    frame.loc[4, "load"] = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel = read_series(frame, time="time", target="load")
    assert np.isnan(panel.values[:, 0]).sum() == 2


def test_rows_without_targets_are_the_future_where_something_is_known_of_it():
    frame = table()
    frame.loc[9:, "load"] = np.nan
    panel = read_series(frame, time="time", target="load", known="heat")
    assert panel.ahead.tolist() == [3]
    assert panel.lengths.tolist() == [9]
    assert not np.isnan(panel.series(0)[:, 0]).any()
    assert read_series(frame, time="time", target="load").lengths.tolist() == [12]


def test_static_columns_have_one_value_a_series():
    frame = pd.concat([table(4).assign(id="a", kind="x", size=3),
                       table(4).assign(id="b", kind="y", size=5)])  # fmt: skip
    roles = {"time": "time", "target": "load", "id": "id"}
    panel = read_series(frame, **roles, static=["kind", "size"])
    assert panel.static == {"kind": ("x", "y"), "size": (3, 5)}
    with pytest.raises(InputError, match="`static` must be the same in all rows of a series"):
        read_series(frame, **roles, static="heat")


def change(**cells) -> pd.DataFrame:
    frame = table().astype(object)
    for name, (row, value) in cells.items():
        frame.loc[row, name] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "rule"),
    [
        (change(load=(4, "many")), r"`target` must be numbers in 'load'; got 'many' in row 5"),
        (change(load=(4, np.inf)), r"`target` must be finite numbers; got an infinity in row 5"),
        (change(time=(4, "soon")), r"`time` must be a date or a whole number; got 'soon' in row 5"),
        (
            change(time=(4, "2023-12-31 00:00")),
            r"`time` must be ascending; got 2023-12-31 00:00 in row 5 after 2024-01-01 03:00\.",
        ),
        (
            change(time=(4, "2024-01-01 03:00")),
            r"`time` must be given once in a series; got 2024-01-01 03:00 in row 5 after",
        ),
        (
            change(time=(4, "2024-01-01 04:30")),
            r"`time` must be at one frequency, here 1 hour; got a time between steps in row 5",
        ),
        (table().assign(load=np.nan), r"`target` must be known in some rows; got none in 'load'"),
        (table(0), r"`X` must be a table of rows; got none"),
    ],
)
def test_faults_are_named_with_their_rows(frame, rule):
    with pytest.raises(InputError, match=f"^read_series: {rule}"):
        read_series(frame, time="time", target="load")


def test_rows_are_counted_as_the_file_has_them():
    frame = change(load=(8, "many")).iloc[5:]
    with pytest.raises(InputError, match="'many' in row 9"):
        read_series(frame, time="time", target="load")


def test_columns_that_are_not_there_or_serve_twice_are_refused():
    with pytest.raises(InputError, match=r"no column 'lode'\. Did you mean 'load'"):
        read_series(table(), time="time", target="lode")
    with pytest.raises(InputError, match="`target` must be a column of its own; got 'heat'"):
        read_series(table(), time="time", target="heat", known="heat")
    with pytest.raises(InputError, match=r"`time` must be named; got dates in 'time'. Name it"):
        read_series(table(), target="load")
    with pytest.raises(InputError, match="an empty cell in row 2"):
        read_series(table().assign(id=["a", None] + ["a"] * 10), time="time", id="id")


def test_a_clock_that_was_given_is_kept():
    clock = read_series(table(), time="time").clock
    later = table().assign(time=pd.date_range("2024-02-01", periods=12, freq="h"))
    assert read_series(later.iloc[:1], time="time", clock=clock).starts.tolist() == [31 * 24]
    with pytest.raises(InputError, match="as in training, dates"):
        read_series(table().assign(time=range(12)), time="time", clock=clock)


def test_a_static_value_may_be_missing_in_a_whole_series_but_not_in_a_part_of_it():
    table = pd.DataFrame({"id": ["a", "a", "b", "b"], "y": [1.0, 2.0, 3.0, 4.0]})
    table = table.assign(size=pd.array([5, 5, None, None], "Int64"), kind=["x", "x", None, None])
    panel = read_series(table, id="id", target="y", static="size,kind")
    assert panel.static == {"size": (5, None), "kind": ("x", None)}
    table.loc[1, "size"] = pd.NA
    with pytest.raises(InputError, match="same in all rows of a series; got <NA> in row 2"):
        read_series(table, id="id", target="y", static="size")


def test_a_clock_that_was_set_back_is_named_as_such():
    times = pd.date_range("2024-10-27", periods=16, freq="15min").append(
        pd.date_range("2024-10-27 03:00", periods=8, freq="15min")
    )
    frame = pd.DataFrame({"t": times.astype(str), "v": 1.0})
    with pytest.raises(InputError, match=r"Write their offset from UTC too if a clock was set"):
        read_series(frame, time="t")

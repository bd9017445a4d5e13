"""Tables become sequences: long ones by id and time, wide ones row by row; faults by their row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.data.sequences.table import SEQUENCE, TARGETS, gather_sequences
from tidegate.errors import InputError

LONG = pd.DataFrame(
    {
        "run": ["a", "b", "a", "b", "a"],
        "at": [3, 1, 1, 2, 2],
        "speed": [30.0, 1.0, 10.0, np.nan, 20.0],
        "load": [3, 10, 1, 20, 2],
        "kind": ["x", "y", "x", "y", "x"],
        "life": [0, 1, 2, 0, 1],
    }
)


def gather(frame=LONG, **options):
    return gather_sequences(frame, **{"id": "run", "source": "runs.csv", **options})


def shown(found):
    return [row.to_numpy().tolist() for row in found[SEQUENCE]]


def test_steps_are_sorted_by_time_within_each_sequence():
    found, dropped = gather(time="at", values="speed, load", target="kind")
    assert dropped == 0
    assert found["run"].tolist() == ["a", "b"]
    assert found["kind"].tolist() == ["x", "y"]
    assert found[SEQUENCE][0].columns.tolist() == ["speed", "load"]
    assert found[SEQUENCE][0].index.tolist() == [1, 2, 3]
    assert shown(found)[0] == [[10, 1], [20, 2], [30, 3]]
    assert np.isnan(found[SEQUENCE][1].iloc[1, 0])


def test_without_a_time_the_order_of_the_rows_stays():
    found, _ = gather(values=["load"])
    assert shown(found) == [[[3], [1], [2]], [[10], [20]]]
    assert found[SEQUENCE][0].index.tolist() == [0, 1, 2]


def test_all_other_columns_of_numbers_are_channels_unless_named():
    found, _ = gather(time="at", target="kind")
    assert found[SEQUENCE][0].columns.tolist() == ["speed", "load", "life"]
    assert "speed" not in found


@pytest.mark.parametrize("id", ["run", None])
def test_a_column_that_counts_the_rows_is_no_channel_unless_all_do(id):
    table = pd.DataFrame({"run": [5, 5, 9, 9], "no": [11, 12, 13, 14], "speed": [1, 2, 4, 8]})
    table = table if id else table.drop(columns="run")
    found, _ = gather(table, id=id)
    assert found[SEQUENCE][0].axes[-1].tolist() == ["speed"]
    only = pd.DataFrame({"a": [1, 2, 3], "b": [2, 3, 4], "c": [3, 4, 5]})
    assert shown(gather(only, id=None)[0]) == [[1, 2, 3], [2, 3, 4], [3, 4, 5]]


def test_a_message_shows_numbers_as_they_print():
    table = pd.DataFrame({"run": [5, 5], "speed": [1, 2], "kind": ["x", "y"]})
    with pytest.raises(InputError, match=r"of a sequence, such as 5; got 'x' in row 1 and 'y' in"):
        gather(table, target="kind")


def test_a_target_at_each_step_comes_as_an_array_in_the_order_of_time():
    found, _ = gather(time="at", values="load", target="life", steps=True)
    assert [row.tolist() for row in found[TARGETS]] == [[2, 1, 0], [1, 0]]
    assert found["life"].tolist() == [0, 0]


def test_dates_order_the_steps():
    frame = pd.DataFrame({"run": [1, 1], "at": ["2024-02-01", "2024-01-31"], "speed": [2, 1]})
    assert shown(gather(frame, time="at")[0]) == [[[1], [2]]]


def test_columns_that_differ_within_a_sequence_do_not_stay_but_the_programs_own_do():
    frame = LONG.assign(part=["train"] * 5, note=list("abcde"), **{"\0row": range(1, 6)})
    found, _ = gather(frame, time="at", values="speed")
    assert set(found.columns) == {"run", "kind", "part", "\0row", SEQUENCE}
    assert found["\0row"].tolist() == [1, 2]


def test_a_wide_table_has_a_sequence_in_each_row():
    frame = pd.DataFrame(
        {"label": [1, 2], "s1": [1.0, 4.0], "s2": [np.nan, 5.0], "s3": [3.0, np.nan]}
    )
    found, _ = gather(frame, id=None, target="label")
    assert found["label"].tolist() == [1, 2]
    first, second = found[SEQUENCE]
    np.testing.assert_array_equal(first, [1, np.nan, 3])
    np.testing.assert_array_equal(second, [4, 5])


def test_empty_cells_of_values_are_missing_values_even_among_texts():
    frame = pd.DataFrame({"run": ["a", "a"], "speed": ["1.5", " "]})
    values = gather(frame, values="speed")[0][SEQUENCE][0]["speed"]
    assert values[0] == 1.5
    assert np.isnan(values[1])


def test_incomplete_rows_are_left_out_when_asked():
    frame = LONG.assign(run=["a", None, "a", "b", "a"])
    with pytest.raises(InputError, match=r"runs.csv: `run` .* 1 empty cells, the first in row 2"):
        gather(frame)
    found, dropped = gather(frame, drop_missing=True, values="load")
    assert (dropped, shown(found)) == (1, [[[3], [1], [2]], [[20]]])
    with pytest.raises(InputError, match="one or more; got 5 incomplete"):
        gather(LONG.assign(run=None), drop_missing=True)


@pytest.mark.parametrize(
    ("change", "options", "what"),
    [
        ({}, {"id": "runs"}, r"no column 'runs'. Did you mean 'run'"),
        ({}, {"values": "sped"}, "Did you mean 'speed'"),
        ({}, {"values": "run"}, "`values` must be columns of their own; got 'run'"),
        ({"speed": ["1", "2", "x", "4", "5"]}, {"values": "speed"}, "`speed` .*'x' in row 3"),
        ({"speed": [1, 2, 3, np.inf, 5]}, {}, "`speed` must be finite; got inf in row 4"),
        ({"at": [1, 1, 2, 2, 1]}, {"time": "at"}, "given once in a sequence; got .* rows 1 and 5"),
        (
            {"at": ["1 May 2020"] + ["?"] * 4},
            {"time": "at"},
            "a date or a whole number; got '[?]' in row 2",
        ),
        (
            {"kind": list("xyxyz")},
            {"target": "kind"},
            "`kind` must be the same .* sequence, such as 'a'; got 'x' in row 1 and 'z' in row 5",
        ),
    ],
)
def test_faults_name_the_file_the_column_and_the_row(change, options, what):
    with pytest.raises(InputError, match=what) as told:
        gather(LONG.assign(**change), **options)
    assert str(told.value).startswith("runs.csv")


def test_rows_keep_their_numbers_after_some_were_left_out():
    frame = LONG.assign(run=[None, "b", "a", "b", "a"], speed=[1, 2, 3, np.inf, 5])
    with pytest.raises(InputError, match="inf in row 4"):
        gather(frame, drop_missing=True)


def test_a_table_with_no_numbers_is_refused():
    with pytest.raises(InputError, match="`values` must be columns of numbers; got none"):
        gather(pd.DataFrame({"run": ["a"], "word": ["x"]}))

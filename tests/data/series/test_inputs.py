"""Series from whatever they are in."""

from __future__ import annotations

import types

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from tidegate.data.series.inputs import as_panel
from tidegate.data.series.table import GapWarning
from tidegate.errors import InputError

DAYS = pd.date_range("2024-01-01", periods=5)


@pytest.mark.parametrize(
    ("given", "lengths", "targets"),
    [
        (np.arange(5.0), [5], ("value",)),
        ([1, 2, 3], [3], ("value",)),
        (np.zeros((5, 2)), [5], ("value_1", "value_2")),
        (np.zeros((3, 5, 2)), [5, 5, 5], ("value_1", "value_2")),
        ([np.arange(4), [1.0, 2.0]], [4, 2], ("value",)),
        (pd.Series(range(5), index=DAYS, name="sales"), [5], ("sales",)),
        (pd.DataFrame({"a": range(5), "b": range(5)}, index=DAYS), [5], ("a", "b")),
        (pd.DataFrame({"a": range(5)}), [5], ("a",)),
        ({"x": [1, 2], "y": [3, 4, 5]}, [2, 3], ("value",)),
    ],
)
def test_series_are_read_from(given, lengths, targets):
    panel = as_panel(given)
    assert panel.lengths.tolist() == lengths
    assert panel.targets == targets
    assert as_panel(panel) is panel


def test_series_with_times_share_a_clock():
    early = pd.Series(np.arange(5.0), index=DAYS)
    late = pd.Series(np.arange(3.0), index=DAYS[2:] + pd.Timedelta("10D"))
    panel = as_panel({"early": early, "late": late})
    assert panel.starts.tolist() == [0, 12]
    assert panel.times(1, 0, 1)[0] == late.index[0]
    assert panel.names == ("early", "late")


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("energy.csv", "a table, an array, a list of them or a dictionary of them; got str"),
        ([], "one series or more; got none"),
        (pd.DataFrame({"a": ["x"] * 5}), "numbers with the times as index; got text in column 'a'"),
        ([pd.DataFrame({"a": [1, 2], "b": [1, 2]}), pd.DataFrame({"a": [1, 2]})],
         "with the columns of the first series: a, b; got no 'b'"),
    ],
)  # fmt: skip
def test_other_things_are_refused(given, rule):
    with pytest.raises(InputError, match=rule):
        as_panel(given)


@pytest.mark.parametrize("dtype", [object, "Int64", "int64[pyarrow]", "double[pyarrow]"])
def test_whole_numbers_with_an_empty_cell_are_numbers(dtype):
    column = pd.Series([1, None, 3], dtype=dtype)
    for form in (column, column.to_frame("a"), {"a": column}, [column.tolist()]):
        np.testing.assert_array_equal(as_panel(form).values.ravel(), [1.0, np.nan, 3.0])


@pytest.mark.parametrize("kind", ["arrow", "records", "structured", "to_pandas"])
def test_tables_of_other_libraries_are_read_as_tables(kind):
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [3.0, 5.0, 7.0]})
    given = {
        "arrow": pa.Table.from_pandas(frame),
        "records": frame.to_dict("records"),
        "structured": frame.to_records(index=False),
        "to_pandas": types.SimpleNamespace(to_pandas=lambda: frame),
    }[kind]
    panel = as_panel(given)
    assert panel.targets == ("a", "b")
    assert panel.values.tolist() == frame.to_numpy().tolist()


def test_a_column_of_dates_is_no_target():
    days = pd.date_range("2024", periods=3)
    table = pa.table({"day": days.to_pydatetime(), "sales": [1.0, 2.0, 4.0]})
    with pytest.raises(InputError, match="dates in column 'day'"):
        as_panel(table)


@pytest.mark.parametrize("shape", [(6,), (6, 2), (3, 6, 2)])
@pytest.mark.parametrize("learned", [False, True])
def test_tensors_are_read_as_arrays_of_their_shape(shape, learned):
    values = torch.rand(shape, dtype=torch.float64)
    panel = as_panel(values.requires_grad_(learned))
    expected = as_panel(values.detach().numpy())
    assert panel.offsets.tolist() == expected.offsets.tolist()
    np.testing.assert_array_equal(panel.values, expected.values)


def test_masked_values_are_missing():
    values = np.ma.masked_array([1, 999, 3], mask=[False, True, False])
    np.testing.assert_array_equal(as_panel(values).values.ravel(), [1.0, np.nan, 3.0])


def test_an_index_of_several_levels_is_refused():
    index = pd.MultiIndex.from_product([["a", "b"], DAYS])
    with pytest.raises(InputError, match=r"index is its times; got 2 levels.*read_series with id"):
        as_panel(pd.Series(range(10), index=index))


@pytest.mark.parametrize("table", [pa.Table.from_pandas, lambda frame: frame.to_records(False)])
def test_tables_of_other_libraries_keep_their_names_in_a_list(table):
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
    panel = as_panel([table(frame), table(frame[["b", "a"]])])
    assert panel.targets == ("a", "b")
    assert panel.values.tolist() == 2 * frame.to_numpy().tolist()


def trade(days: int, *, saturdays: bool = False) -> pd.Series:
    hours = pd.date_range("2024-01-01", periods=24 * days, freq="h")
    hours = hours[(hours.hour >= 9) & (hours.hour < 17) & (hours.day_of_week < 5 + saturdays)]
    return pd.Series(np.arange(len(hours), dtype=float), index=hours)


def test_a_panel_with_a_clock_of_its_own_is_put_on_that_of_the_fit():
    whole = as_panel(trade(28))
    with pytest.warns(GapWarning):  # two days tell nothing of the hours of trade
        part = as_panel(trade(28)[-16:])
    found = as_panel(part, clock=whole.clock)
    assert found.values.ravel().tolist() == whole.values.ravel().tolist()[-16:]
    assert found.times(0, 0, 16).equals(trade(28).index[-16:])
    zoned = trade(28).tz_localize("Asia/Tokyo")
    fit = as_panel(zoned).clock
    assert (
        as_panel(as_panel(zoned.tz_convert("UTC")), clock=fit)
        .times(0, 0, 5)
        .equals(zoned.index[:5])
    )
    with pytest.raises(InputError, match="as in training, dates in Asia/Tokyo"):
        as_panel(whole, clock=fit)


def test_series_with_other_gaps_than_the_first_share_a_clock_without_a_pattern():
    with pytest.warns(GapWarning):
        panel = as_panel({"week": trade(28), "more": trade(28, saturdays=True)})
    assert panel.clock.slots == ()
    assert np.nansum(panel.series(1)) == trade(28, saturdays=True).sum()

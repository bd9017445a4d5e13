"""Names: columns are found by what they are called, and by position where nothing is."""

from __future__ import annotations

import pandas as pd
import pytest

from tidegate.data.names import (
    ColumnNames,
    check_characters,
    check_there,
    named,
    numbers_of,
    places,
    usual_names,
)
from tidegate.errors import InputError

LEARNED = ColumnNames(("load", "heat"))


@pytest.mark.parametrize(
    ("given", "learned", "found"),
    [
        (ColumnNames(("heat", "load")), LEARNED, [1, 0]),
        (ColumnNames(("id", "heat", "load", "more")), LEARNED, [2, 1]),
        (ColumnNames.usual(2), LEARNED, [0, 1]),
        (ColumnNames.of([0, 1]), LEARNED, [0, 1]),
        (ColumnNames(("speed", "power")), ColumnNames.usual(2), [0, 1]),
        (ColumnNames(("value_2", "value_1")), ColumnNames.usual(2), [1, 0]),
        (ColumnNames(("load", "load")), ColumnNames(("load", "load")), [0, 1]),
    ],
)
def test_columns_are_found_by_name_and_else_by_position(given, learned, found):
    assert places(given, learned, "test") == found


@pytest.mark.parametrize(
    ("given", "learned", "told"),
    [
        (("Load", "heat"), LEARNED, "columns of `fit`: load, heat; got no 'load'. Did you mean 'L"),
        (("power", "heat"), LEARNED, "got no 'load'. Known: power"),
        (("heat",), LEARNED, "got no 'load'. Add it"),
        (("load", "heat", "load"), LEARNED, "got 'load' twice"),
        (("a", "b", "c"), ColumnNames.usual(2), "fit`: value_1, value_2; got 3 columns"),
        (("reading",), ColumnNames(("value",)), "got no 'value'. Known: reading"),
    ],
)
def test_what_is_missing_or_renamed_is_refused_with_its_name(given, learned, told):
    with pytest.raises(InputError, match=told):
        places(ColumnNames(given), learned, "test")


def test_an_array_of_another_width_is_refused():
    with pytest.raises(InputError, match="got 3 columns in row 4"):
        places(ColumnNames.usual(3), LEARNED, "test", where=" in row 4")


def test_whether_names_are_the_datas_own_is_kept_where_they_do_not_tell():
    for columns in (ColumnNames.usual(1), ColumnNames.of([0, 1]), LEARNED):
        assert columns.to_json() == {}
        assert named(columns.names, None) == columns.named
    own = ColumnNames(usual_names(1))
    assert named(own.names, own.to_json()["named"])
    with pytest.raises(InputError, match="`named` must be true or false; got 1"):
        named(("a",), 1)


def test_labels_that_are_no_names():
    assert ColumnNames.of([None]) == ColumnNames.usual(1)
    assert ColumnNames.of([0, 1]) == ColumnNames(("0", "1"), named=False)
    assert ColumnNames.of([1, 0]).named


def test_columns_that_were_added_while_reading_are_nobodys():
    frame = pd.DataFrame({"Load": [1.0], "\0row": [1]})
    with pytest.raises(InputError, match="Did you mean 'Load'"):
        check_there(frame, ["load"], "test")
    with pytest.raises(InputError, match="Add it"):
        check_there(frame, ["Load", "heat"], "test")
    check_there(frame, ["Load"], "test")


def test_identifiers_are_matched_and_a_float_that_is_whole_is_that_number():
    assert numbers_of(["b", "c", "a"], ["a", "b"]) == [1, None, 0]
    assert numbers_of(["1", "2.0", "3.5"], ["2", "1.0"]) == [1, 0, None]
    assert numbers_of(["1.0", "1"], ["1", "1.0"]) == [1, 0]


def test_half_a_character_in_a_name_is_named():
    check_characters(["load", 3, None], "columns")
    told = r"`names` must be valid Unicode; got the lone surrogate U\+D83D at character 2 of 'a"
    for names in (["fine", "a\ud83d"], ["a\ud83d"]):
        with pytest.raises(InputError, match=f"columns: {told}"):
            ColumnNames.of(names)
        with pytest.raises(InputError, match=f"series: {told}"):
            check_characters(names, "series")

"""Panels: laid out from arrays, cut, taken, and back from files."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tidegate.data.series.clock import Clock
from tidegate.data.series.panel import Panel
from tidegate.errors import ArtifactError, InputError


def panel() -> Panel:
    return Panel.from_arrays([np.arange(5.0), [10.0, np.nan, 12.0]], names=["a", "b"])


def test_series_lie_one_after_the_other():
    found = panel()
    assert found.values.ravel()[[0, 4, 5, 7]].tolist() == [0, 4, 10, 12]
    assert found.lengths.tolist() == [5, 3]
    assert found.ends.tolist() == [5, 3]
    assert np.isnan(found.values).sum() == 1
    assert found.series(1)[2, 0] == 12
    assert found.times(0, 3, 4).tolist() == [3, 4, 5, 6]


def test_a_single_array_is_not_copied():
    values = np.arange(9.0)
    assert np.shares_memory(Panel.from_arrays([values]).values, values)


def test_series_are_taken_and_cut():
    taken = panel().take([1, 0])
    assert taken.names == ("b", "a")
    assert taken.series(1).ravel().tolist() == [0, 1, 2, 3, 4]
    cut = panel().cut(np.array([2, 0]), np.array([4, 2]))
    assert cut.series(0).ravel().tolist() == [2, 3]
    assert cut.starts.tolist() == [2, 0]
    assert cut.times(0, 0, 1).tolist() == [2]


def test_a_panel_comes_back_from_json():
    found = Panel.from_json(json.loads(json.dumps(panel().to_json())), Clock())
    np.testing.assert_array_equal(found.values, panel().values)
    assert found.names == ("a", "b")
    for key, wrong in (("offsets", [0, 5, 9]), ("names", ["a"]), ("ahead", [9, 0])):
        with pytest.raises(ArtifactError, match=r"^recent\.json: `.*` must be"):
            Panel.from_json(panel().to_json() | {key: wrong}, Clock())


@pytest.mark.parametrize(
    ("series", "rule"),
    [
        ([], "one series or more; got none"),
        ([[1.0, 2.0], []], "with a step or more; got none in series 2"),
        ([["x"]], "made of numbers, .*; got 'x' in step 1 of series 1"),
        ([[1.0], [[1.0, 2.0]]], r"the same number of columns; got \[1, 2\]"),
        ([[1.0, np.inf]], "finite numbers; got an infinity in step 2 of series 1"),
    ],
)
def test_what_is_no_series_is_refused(series, rule):
    with pytest.raises(InputError, match=rule):
        Panel.from_arrays(series)


def test_it_is_printed_in_a_line():
    panel = Panel.from_arrays([[1.0, np.nan, 3.0], [5.0, 6.0]])
    assert repr(panel) == "Panel(2 series; 5 steps of 1 step; targets value; 1 values missing)"


@pytest.mark.parametrize(
    "parts",
    [{"targets": ("a\ud83d",)}, {"names": ("a\ud83d",)}, {"static": {"kind": ("a\ud83d",)}}],
)
def test_half_a_character_in_a_name_or_a_text_is_refused(parts):
    panel = Panel.from_arrays([[1.0, 2.0]])
    with pytest.raises(InputError, match="must be valid Unicode; got the lone surrogate"):
        replace(panel, **parts)

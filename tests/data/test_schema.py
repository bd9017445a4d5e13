"""Schemas: what arrays, objects and lists may be, and every part of them that may not."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.codec import Field
from tidegate.data.schema import Each, Labels, Numbers, Record, array
from tidegate.errors import ArtifactError

POINT = Record({"x": Field(float), "y": Field(float)})
FITS = [
    (Numbers(), [[], [1, 2.5], [-1e150]], [1, "1", [None], [[1]], ["1"], [True], [1e151], None]),
    (Numbers(2), [[], [[]], [[1], [2]]], [[1], [[1], [2, 3]], [[1], 2], [[1], [None]], {"a": 1}]),
    (Numbers(1, int, minimum=0), [[0, 2**62]], [[-1], [0.5], [2**63], [False]]),
    (Numbers(1, bool, maximum=None), [[True, False]], [[0], ["true"], True]),
    (Numbers(1, missing=True), [[None, 1.0]], [None, [float("nan")], ["x"]]),
    (POINT, [{"x": 1, "y": 2}], [{"x": 1}, {"x": 1, "y": 2, "z": 3}, {"x": 1, "y": "2"}, [], None]),
    (Record({"x": Field(int)}, ("x",)), [{}, {"x": 1}], [{"y": 1}, {"x": None}]),
    (Each(POINT), [[], [{"x": 1, "y": 2}]], [{}, [{"x": 1}], [None], "x", None]),
    (Each(Field(int), by_name=True), [{}, {"a": 1}], [[1], {"a": "1"}, None]),
    (Labels(), [[], ["a", 1, 2.5, True]], [None, "a", [None], [["a"]], ["\ud800"], [10**400]]),
    (Labels(optional=True), [None, ["a"]], [3, {}]),
]


@pytest.mark.parametrize(("rule", "right", "wrong"), FITS)
def test_what_fits(rule, right, wrong):
    for value in right:
        assert rule.fault(value) is None, value
    for value in wrong:
        assert rule.fault(value) is not None, value


def test_a_fault_names_the_part_and_its_rule():
    assert Each(POINT).fault([{"x": 1, "y": "2"}]) == ("a finite number in `y`", "2")
    assert Numbers(2, int, minimum=1).fault([[3, 0]]) == ("a list of lists of integers >= 1", 0)
    assert Numbers(1, maximum=5).fault([6]) == ("a list of finite numbers <= 5", 6)


def test_arrays_have_the_shape_that_is_asked_for():
    found = array([[1, None], [2.5, 10**30]], (2, 2), "a.json", "sizes")
    np.testing.assert_array_equal(found, [[1, np.nan], [2.5, 1e30]])
    assert array([], (0, 3), "a.json", "sizes").shape == (0, 3)
    assert array([[], []], (2, 0), "a.json", "sizes").shape == (2, 0)
    for wrong in ([[1, 2]], [1, 2], [], 3):
        with pytest.raises(ArtifactError, match=r"^a\.json: `sizes` must be numbers of shape"):
            array(wrong, (2, 2), "a.json", "sizes")

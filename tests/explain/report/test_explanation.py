"""An explanation: what it reads off its parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.explain.reports import report
from tidegate.explain import Excerpt, Explanation
from tidegate.nn import recurrent_layer


def test_a_report_is_one_with_the_same_parts():
    found = report()
    assert isinstance(found, Explanation)
    assert found.tokens == ("so", "good", ",", "is", "it", "?")
    assert found.excerpt == Excerpt()


def test_the_target_is_that_of_the_first_attribution_by_its_name_or_number():
    found = report()
    assert found.target == "yes"
    first = replace(found.attributions[0], names=None)
    assert replace(found, attributions=(first, found.attributions[1])).target == "1"


@pytest.mark.parametrize(
    ("options", "row"),
    [
        ({}, "layer 0 forward"),
        ({"num_layers": 3}, "layer 2 forward"),
        ({"num_layers": 2, "bidirectional": True}, "layer 1 forward"),
    ],
)
def test_the_top_row_goes_forward(options, row):
    assert report(layer=recurrent_layer("lstm", 2, 4, **options)).top_row == row


def test_the_top_row_goes_backward_where_nothing_else_was_kept():
    found = report()
    kept = replace(found, trace=found.trace.select(directions="backward"))
    assert kept.top_row == "layer 0 backward"

"""Pictures of detections: what is drawn where, read back from the figure."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tasks.series import hours
from tidegate.tasks.anomaly.plots import draw_detections

STEPS = 40


@pytest.fixture
def columns() -> dict[str, np.ndarray]:
    alarm = np.zeros(STEPS, bool)
    alarm[[20, 30]] = True
    return {
        "score": np.where(np.arange(STEPS) == 5, np.nan, alarm * 5.0),
        "alarm": alarm,
        "variable": np.where(np.arange(STEPS) < 25, "heat", "load").astype(object),
        "kind": np.full(STEPS, "still", object),
        "expected": np.arange(STEPS) + 0.5,
        "ready": np.arange(STEPS) >= 10,
    }


def lines(axes) -> dict[str, list[list[float]]]:
    return {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}


def test_one_variable_has_its_values_what_was_expected_and_its_alarms(columns):
    values = np.arange(float(STEPS))[:, None]
    columns["variable"][:] = "heat"
    series, score = draw_detections(values, ["heat"], columns).axes
    drawn = lines(series)
    assert drawn["heat"] == [[step, step] for step in range(STEPS)]
    assert drawn["expected"] == [[step, step + 0.5] for step in range(10, STEPS)]
    assert drawn["alarm"] == [[20, 20], [30, 30]]
    assert [text.get_text() for text in series.texts] == ["still", "still"]
    assert series.get_title(loc="right") == "2 alarms in 40 values"
    assert score.get_ylabel() == "score"
    assert score.get_xlabel() == "step"
    assert score.get_lines()[0].get_xydata().tolist() == [[20, 5], [30, 5]]
    # The steps of learning are shaded.
    assert (score.patches[0].get_x(), score.patches[0].get_width()) == (0, 9)


def test_of_several_each_has_the_alarms_that_name_it_and_no_expectation(columns):
    values = np.arange(2.0 * STEPS).reshape(STEPS, 2)
    heat, load, _ = draw_detections(values, ["heat", "load"], columns).axes
    assert lines(heat)["alarm"] == [[20, 40]]
    assert lines(load)["alarm"] == [[30, 61]]
    assert "expected" not in lines(heat)


def test_times_stand_below_where_they_are_known(columns):
    figure = draw_detections(np.ones((STEPS, 1)), ["heat"], columns, hours(STEPS))
    figure.draw_without_rendering()
    score = figure.axes[-1]
    assert score.get_xlabel() == "time"
    assert any("Jan" in label.get_text() for label in score.get_xticklabels())


def test_many_alarms_are_marked_but_not_all_written_out(columns):
    columns["alarm"][:] = True
    columns["variable"][:] = "heat"
    series, _ = draw_detections(np.ones((STEPS, 1)), ["heat"], columns).axes
    assert len(lines(series)["alarm"]) == STEPS
    assert len(series.texts) == 12

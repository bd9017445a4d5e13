"""Detections: a column a field, a table, a picture, and their agreement with what is known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from tests.tasks.series import hours
from tidegate.data.series.panel import Panel
from tidegate.data.series.steps import as_steps
from tidegate.errors import InputError
from tidegate.tasks.anomaly.detections import Detections, agreement, read_labels, watch
from tidegate.tasks.anomaly.streaming.stream import Detection


class Echo:
    """Stands for a stream: it says what it was given."""

    def take(self, value: list[float], time: float | None = None) -> Detection:
        score = math.nan if math.isnan(value[0]) else value[0]
        return Detection(score, score > 2, "heat", "high", value[0], 1.0, time or 0.0, value[0] > 0)


def detected(panel: Panel, *, clocked: bool = False) -> Detections:
    return watch(Echo(), panel, clocked=clocked)  # type: ignore[arg-type]


def test_each_step_is_what_the_stream_said():
    values = [0.5, 3.0, math.nan, 4.0]
    found = detected(as_steps(values))
    assert len(found) == 4
    assert found.alarm.tolist() == [False, True, False, True]
    for number in (0, 1, 3):
        assert found.step(number) == Echo().take([values[number]])
    assert math.isnan(found.score[2])
    assert found.columns["alarm"].dtype == bool


def test_times_reach_the_stream_where_it_reads_them_and_the_table():
    frame = pd.Series([1.0, 2.0, 3.0], index=hours(3), name="heat")
    found = detected(as_steps(frame), clocked=True)
    assert found.columns["deviations"].tolist() == [time.timestamp() for time in hours(3)]
    assert detected(as_steps(frame)).columns["deviations"].tolist() == [0, 0, 0]
    table = found.to_frame()
    assert [*table.columns, "time"] == list(Detection._fields)
    assert (table.index == hours(3)).all()
    assert detected(as_steps([1.0])).to_frame().index.tolist() == [0]


def test_it_shows_itself_in_a_notebook():
    assert repr(detected(as_steps([1.0, 3.0]))) == "Detections(value: 1 alarm in 2 steps)"
    shown = detected(as_steps([1.0, 3.0]))._repr_html_()
    assert "data:image/png;base64," in shown
    assert "unexpected" in shown or "deviations" in shown
    assert detected(as_steps([1.0, 3.0]))._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "y",
    [
        [0, 1, True],
        [0.0, 1.0, 1],
        np.array([False, True, True]),
        ["no", "Yes", "Y"],
        ["False", "true", " TRUE "],
        ["", "1", "1.0"],
        [None, "t", 1],
        [pd.NA, 1, "y"],
        pd.array([None, True, True], "boolean"),
    ],
    ids=repr,
)
def test_marks_are_read_however_people_write_them(y):
    assert read_labels(y, 3, "test").tolist() == [False, True, True]


@pytest.mark.parametrize("y", [None, ["", None, " "], [float("nan")] * 3])
def test_where_nobody_marked_anything_there_are_no_marks(y):
    assert read_labels(y, 3, "test") is None


@pytest.mark.parametrize(
    ("y", "told"),
    [
        ([0, 2, 0], "yes or no, or empty in each row; got 2 in row 2"),
        (["ok", "1", ""], "got 'ok' in row 1"),
        ([0, 1], "True or False for each of 3 steps; got shape"),
        ([[0, 1, 0]], "True or False for each of 3 steps; got shape"),
    ],
)
def test_other_labels_are_refused(y, told):
    with pytest.raises(InputError, match=f"`y` must be .*{told}"):
        read_labels(y, 3, "test")


def test_precision_counts_alarms_and_recall_counts_runs():
    #                     run 1        run 2  run 3
    anomalous = np.array([1, 1, 0, 0, 0, 1, 0, 1, 1], bool)
    alarm = np.array(    [1, 1, 0, 1, 0, 0, 0, 0, 1], bool)  # fmt: skip
    found = agreement(alarm, anomalous)
    assert found == pytest.approx({"precision": 3 / 4, "recall": 2 / 3, "f1": 12 / 17})
    assert agreement(alarm & False, anomalous) == {"precision": 0, "recall": 0, "f1": 0}
    assert agreement(alarm, anomalous & False) == {"precision": 0, "recall": 0, "f1": 0}

"""Detections: what an anomaly detector says of a whole series, beside what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from tidegate.data.batching import Array
from tidegate.data.series.panel import Panel
from tidegate.errors import InputError, message
from tidegate.tasks.anomaly.encoder import seconds_of
from tidegate.tasks.anomaly.streaming.stream import AnomalyStream, Detection
from tidegate.terminal import cell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# 1 or True where a step is known to be anomalous, `[T]`; None where nobody knows.
Labels: TypeAlias = npt.ArrayLike | None

# The panel knows the times.
_COLUMNS = [name for name in Detection._fields if name != "time"]
# How people write that a step is anomalous, and that it is not.
_MARKED = ("1", "true", "yes", "y", "t")
_UNMARKED = ("", "0", "false", "no", "n", "f")

_DTYPES = {"alarm": bool, "ready": bool, "variable": object, "kind": object}


@dataclass(frozen=True, eq=False, repr=False)
class Detections:
    """The detections of each step of a series, as columns; see `Detection` for what they say.

    Attributes:
        panel: The series.
        columns: `score`, `alarm`, `variable`, `kind`, `value`, `expected`, `deviations` and
            `ready`, `[T]` each.
    """

    panel: Panel
    columns: Mapping[str, Array]

    def __len__(self) -> int:
        """Number of steps T."""
        return len(self.panel.values)

    def __repr__(self) -> str:
        """Say how many alarms there are; everything is in `to_frame()`."""
        names = cell(", ".join(self.panel.targets))
        count = int(self.alarm.sum())
        alarms = f"{count:,} alarm{'' if count == 1 else 's'}"
        return f"Detections({names}: {alarms} in {len(self):,} steps)"

    @property
    def score(self) -> Array:
        """The scores, `[T]`."""
        return self.columns["score"]

    @property
    def alarm(self) -> Array:
        """Where an alarm is raised, `[T]` bool."""
        return self.columns["alarm"]

    def step(self, number: int) -> Detection:
        """Return what was said of one step."""
        told = {name: column[[number]].tolist()[0] for name, column in self.columns.items()}
        time = seconds_of(self.panel)[number].item() if self.panel.dated else None
        return Detection(**told, time=time)

    def times(self) -> pd.DatetimeIndex | None:
        """Return the time of each step, without a zone; None without times."""
        if not self.panel.dated:
            return None
        microseconds = np.round(seconds_of(self.panel) * 1e6).astype("datetime64[us]")
        times: pd.DatetimeIndex = pd.DatetimeIndex(microseconds, name="time")
        return times

    def to_frame(self) -> pd.DataFrame:
        """Return the columns as a table, the times as its index where there are times."""
        table: pd.DataFrame = pd.DataFrame(dict(self.columns), index=self.times())
        return table

    def plot(self) -> Figure:
        """Draw the series, what was expected, the score and the alarms."""
        from tidegate.tasks.anomaly.plots import draw_detections  # matplotlib: only when drawn

        return draw_detections(self.panel.values, self.panel.targets, self.columns, self.times())

    def _repr_png_(self) -> bytes:
        """Draw the picture for what shows no HTML."""
        from tidegate.explain.figures import png

        return png(self.plot())

    def _repr_html_(self) -> str:
        """Show the picture in a notebook, and the first alarms under it."""
        from tidegate.explain.figures import shown

        return shown(repr(self), self.plot(), self.to_frame()[self.alarm])


def watch(stream: AnomalyStream, panel: Panel, *, clocked: bool) -> Detections:
    """Let a stream take a series step by step.

    Args:
        stream: The stream; it goes on from where it is.
        panel: The series.
        clocked: Whether the stream reads times.

    Returns:
        The detections.
    """
    steps = len(panel.values)
    columns = {name: np.empty(steps, _DTYPES.get(name, float)) for name in _COLUMNS}
    times = seconds_of(panel).tolist() if clocked else [None] * steps
    for step, (values, time) in enumerate(zip(panel.values.tolist(), times, strict=True)):
        found = stream.take(values, time)
        for column, entry in zip(columns.values(), found, strict=False):  # the time comes last
            column[step] = entry
    return Detections(panel, columns)


def read_labels(y: Labels, steps: int, owner: str) -> Array | None:
    """Check labels.

    Args:
        y: `[T]`: True or False, 1 or 0, or these in words; what is empty is no mark. Or None.
        steps: T.
        owner: Who complains.

    Returns:
        `[T]` bool, or None where nobody has marked anything.

    Raises:
        InputError: If they are something else, or not one a step.
    """
    if y is None:
        return None
    labels = np.asarray(y, dtype=object)
    if labels.shape != (steps,):
        rule = f"True or False for each of {steps} steps"
        raise InputError(message(owner, "y", rule, f"shape {list(labels.shape)}"))
    marks = [_mark(label) for label in labels]
    if None in marks:
        row = marks.index(None)
        rule = "True or False, 1 or 0, yes or no, or empty in each row"
        raise InputError(message(owner, "y", rule, f"{labels[row]!r:.40} in row {row + 1}"))
    if steps and not any(filter(None, map(_text, labels))):
        return None
    return np.array(marks, dtype=bool)


def _text(label: object) -> str:
    """A mark in lower case, a whole number by its digits; nothing for what is missing."""
    if pd.isna(label):  # type: ignore[call-overload]  # anything may stand in a column
        return ""
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return str(label).strip().lower().removesuffix(".0")


def _mark(label: object) -> bool | None:
    """Read a mark; None if it is none."""
    text = _text(label)
    return True if text in _MARKED else False if text in _UNMARKED else None


def agreement(alarm: Array, anomalous: Array) -> dict[str, float]:
    """Say how well alarms agree with runs of anomalous steps.

    Args:
        alarm: Where an alarm was raised, `[T]` bool.
        anomalous: Where something was wrong, `[T]` bool.

    Returns:
        `precision`, the share of the alarms at anomalous steps; `recall`, the share of the runs of
        such steps that have an alarm; and `f1`.

    Example:
        >>> agreement(np.array([True, False, True]), np.array([True, True, False]))["precision"]
        0.5
    """
    begins = anomalous & ~np.concatenate(([False], anomalous[:-1]))
    runs = np.where(anomalous, np.cumsum(begins), 0)
    found = len(set(runs[alarm & anomalous].tolist()))
    precision = float((alarm & anomalous).sum() / max(1, alarm.sum()))
    recall = found / max(1, int(begins.sum()))
    f1 = 2 * precision * recall / (precision + recall) if found else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}

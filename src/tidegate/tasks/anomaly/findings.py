"""Findings: what an anomaly detector says of a whole series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tidegate.tasks.anomaly.readings import Readings
from tidegate.tasks.anomaly.stream import AnomalyStream, Finding
from tidegate.tasks.core.rows import Array

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Findings:
    """The findings of each step of a series, as columns; see `Finding` for what they say.

    Attributes:
        readings: The series.
        columns: `score`, `alarm`, `variable`, `kind`, `value`, `expected`, `deviations` and
            `ready`, `[T]` each.
    """

    readings: Readings
    columns: dict[str, Array]

    def __len__(self) -> int:
        """Number of steps T."""
        return len(self.readings)

    @property
    def score(self) -> Array:
        """The scores, `[T]`."""
        return self.columns["score"]

    @property
    def alarm(self) -> Array:
        """Where an alarm is raised, `[T]` bool."""
        return self.columns["alarm"]

    def finding(self, step: int) -> Finding:
        """Return the finding of one step."""
        return Finding(*(column[[step]].tolist()[0] for column in self.columns.values()))

    def to_frame(self) -> pd.DataFrame:
        """Return the columns as a table, the times as its index where there are times."""
        import pandas as pd

        index = None
        if self.readings.seconds is not None:
            index = pd.DatetimeIndex(pd.to_datetime(self.readings.seconds, unit="s"), name="time")
        table: pd.DataFrame = pd.DataFrame(dict(self.columns), index=index)
        return table

    def plot(self) -> Figure:
        """Draw the series, what was expected, the score and the alarms."""
        from tidegate.tasks.anomaly.plots import draw

        return draw(self)

    def _repr_png_(self) -> bytes:
        from tidegate.explain.figures import png

        return png(self.plot())


def run(stream: AnomalyStream, readings: Readings) -> Findings:
    """Let a stream take a series step by step.

    Args:
        stream: The stream; it goes on from where it is.
        readings: The series.

    Returns:
        The findings.
    """
    count = len(readings)
    dtypes: dict[str, Any] = {"alarm": bool, "ready": bool, "variable": object, "kind": object}
    columns = {name: np.empty(count, dtypes.get(name, float)) for name in Finding._fields}
    seconds = readings.seconds
    for step, values in enumerate(readings.values.tolist()):
        found = stream.update(values, None if seconds is None else float(seconds[step]))
        for column, entry in zip(columns.values(), found, strict=True):
            column[step] = entry
    return Findings(readings, columns)

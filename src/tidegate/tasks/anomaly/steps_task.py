"""StepsTask: what every task that judges the steps of a series shares: tables and examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tidegate.data.batching import Array
from tidegate.data.names import check_there
from tidegate.data.series.panel import Panel
from tidegate.data.series.steps import StepsLike, as_steps, read_steps
from tidegate.errors import InputError, message
from tidegate.tasks.anomaly.detections import Labels, read_labels
from tidegate.tasks.anomaly.encoder import AnomalyEncoder
from tidegate.tasks.core.examples import Examples
from tidegate.tasks.core.task import Task

if TYPE_CHECKING:
    import pandas as pd


class StepsTask(Task):
    """Base of the tasks that read one series, a step a row.

    Attributes:
        encoder_: The fitted `AnomalyEncoder`.
    """

    encoder_: AnomalyEncoder

    def inputs(self, frame: pd.DataFrame, columns: Mapping[str, str]) -> tuple[Panel, Array | None]:
        """Read values, times and known anomalies out of a table.

        A role that is not named takes its own name's column.
        """
        own = frame[[name for name in frame.columns if not str(name).startswith("\0")]]
        time, anomaly = (
            columns.get(role, role if role in own.columns else None) for role in ("time", "anomaly")
        )
        others = [] if anomaly is None else [anomaly]
        panel = self._read(own, columns.get("value"), time, others)
        return panel, None if anomaly is None else own[anomaly].to_numpy()

    def _read(
        self, own: pd.DataFrame, value: str | None, time: str | None, others: list[str]
    ) -> Panel:
        """Read the variables of the fit by their names; others only where they are asked for."""
        owner = type(self).__name__
        fitted = hasattr(self, "network_") and self.encoder_.named
        wanted: str | Sequence[str] | None = value
        if fitted and value == self.columns_.get("value"):
            check_there(own, self.encoder_.names, owner)
            wanted = self.encoder_.names
        panel = read_steps(
            own,
            value=wanted,
            time=time,
            others=others,
            clock=self.encoder_.clock if hasattr(self, "network_") else None,
            dayfirst=self.dayfirst or None,
            owner=owner,
        )
        # Whoever names other columns than the fit had says which take their places.
        renamed = fitted and set(self.encoder_.names).isdisjoint(panel.targets)
        return replace(panel, named=False) if renamed else panel

    def read_columns(
        self, columns: Mapping[str, str]
    ) -> tuple[Sequence[str] | None, Sequence[str]]:
        """Read all columns: which of them are needed, only the table can tell; times stay text."""
        return None, [columns.get("time", "time")]

    def check_table(
        self, frame: pd.DataFrame, columns: Mapping[str, str], *, drop_missing: bool, source: str
    ) -> tuple[pd.DataFrame, int]:
        """Leave rows as they are: a missing value is a step of its series."""
        return frame, 0

    def _examples(self, X: StepsLike, y: Labels = None, sample_weight: object = None) -> Examples:
        owner = type(self).__name__
        if sample_weight is not None:
            got = type(sample_weight).__name__
            raise InputError(message(owner, "sample_weight", "left out", got))
        fitted = hasattr(self, "network_")
        if not fitted:
            panel = as_steps(X, owner)
        else:
            encoder = self.encoder_
            panel = as_steps(X, owner, learned=encoder.columns, clock=encoder.clock)
            encoder.check(panel, owner)
        return Examples([panel], read_labels(y, len(panel.values), owner))

    @staticmethod
    def _panel(examples: Examples) -> Panel:
        (panel,) = examples.inputs
        assert isinstance(panel, Panel)
        return panel

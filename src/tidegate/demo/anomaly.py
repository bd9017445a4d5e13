"""The anomaly demo: a sensor that breaks four times, and the alarms of a detector."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd

from tidegate.artifact import check_replaceable
from tidegate.data import write_table
from tidegate.datasets import make_broken_sensor
from tidegate.demo.outcome import Outcome, check_folder
from tidegate.tasks.anomaly.detections import Detections
from tidegate.tasks.anomaly.detector import AnomalyDetector

# An alarm belongs to a fault if it comes before so many steps after its end: half a day.
_LATE = 72


def watch_thermometer(out: Path, verbose: bool) -> Outcome:
    """Learn the healthy half of a sensor's readings, and watch the rest of them.

    Args:
        out: The folder to write to: `model/`, `learned.csv`, `live.csv` and `alarms.png`.
        verbose: Whether to show progress.

    Returns:
        The outcome.

    Raises:
        InputError: If `out` cannot be written, or `out/model` is something else than a model.
    """
    folder = out / "model"
    check_folder(out)
    check_replaceable(folder)
    began = time.monotonic()
    table = make_broken_sensor()
    table["anomaly"] = (table["fault"] != "").astype(int)
    half = len(table) // 2
    learned, live = table.iloc[:half], table.iloc[half:]
    model = AnomalyDetector(verbose=verbose).fit(learned.set_index("time")["temperature"])
    model.columns_ = {"value": "temperature", "time": "time"}
    model.save(folder)
    found = model.detect(live.set_index("time")["temperature"])
    found.plot().savefig(out / "alarms.png", dpi=110)
    for name, part in {"learned": learned, "live": live}.items():
        write_table(part, out / f"{name}.csv")
    took = f"learned and watched {len(table):,} values in {time.monotonic() - began:.0f} s"
    return Outcome(
        summary=f"{took} · model in {folder}/, picture in {out / 'alarms.png'}",
        figures=_figures(found, live.reset_index(drop=True)),
        verdict=_verdict(found, live["fault"].to_numpy()),
        commands=(
            ("watch", f"{folder}/", f"{out / 'live.csv'}", "--alarms"),
            ("evaluate", f"{folder}/", f"{out / 'live.csv'}"),
            ("predict", f"{folder}/", f"{out / 'live.csv'}", "--out", f"{out / 'scores.csv'}"),
        ),
    )


def _figures(found: Detections, live: pd.DataFrame) -> list[dict[str, str]]:
    """A row for each fault: when the alarm came and what it said."""
    rows = []
    for fault in [name for name in live["fault"].unique() if name]:
        steps = np.nonzero((live["fault"] == fault).to_numpy())[0]
        alarms = np.nonzero(found.alarm)[0]
        near = alarms[(alarms >= steps[0]) & (alarms <= steps[-1] + _LATE)]
        told = {"fault": fault, "alarm": "none", "kind": "", "value": "", "expected": ""}
        if len(near):
            first = found.step(int(near[0]))
            told["alarm"] = f"{int(near[0] - steps[0]) * 10} minutes later"
            told["kind"] = first.kind
            told |= {"value": f"{first.value:.1f}", "expected": f"{first.expected:.1f}"}
        rows.append(told)
    return rows


def _verdict(found: Detections, faults: np.ndarray) -> str:
    near = np.convolve(faults != "", np.ones(_LATE + 1))[: len(faults)] > 0
    false, rest = int((found.alarm & ~near).sum()), int((~near).sum())
    return f"Alarms where nothing was wrong: {false} in {rest:,} values."

"""The anomaly demo: what it writes is what it promises."""

from __future__ import annotations

import functools

import pandas as pd
import pytest

import tidegate
from tidegate.datasets import make_broken_sensor
from tidegate.demo import anomaly


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer days, and a net that learns in a second."""
    monkeypatch.setattr(anomaly, "make_broken_sensor", lambda: make_broken_sensor(24))
    small = functools.partial(tidegate.AnomalyDetector, epochs=2, hidden_size=6)
    monkeypatch.setattr(anomaly, "AnomalyDetector", small)


def test_it_writes_model_picture_and_tables_and_tells_of_each_fault(quick, tmp_path):
    outcome = anomaly.watch_thermometer(tmp_path / "out", False)
    out = tmp_path / "out"
    assert (out / "alarms.png").read_bytes().startswith(b"\x89PNG")
    model = tidegate.load(out / "model")
    live = pd.read_csv(out / "live.csv", keep_default_na=False)
    learned = pd.read_csv(out / "learned.csv", keep_default_na=False)
    assert len(learned) == len(live) == 12 * 144
    assert set(learned["fault"]) == {""}
    values = live.assign(time=pd.to_datetime(live["time"])).set_index("time")["temperature"]
    found = model.detect(values)
    assert [row["fault"] for row in outcome.figures] == ["spike", "stuck", "drift", "noise"]
    for row in outcome.figures:
        steps = live.index[live["fault"] == row["fault"]]
        if row["alarm"] != "none":
            step = steps[0] + int(row["alarm"].split()[0]) // 10
            assert found.alarm[step]
            assert row["kind"] == found.step(step).kind
            assert float(row["value"]) == pytest.approx(live["temperature"][step], abs=0.05)
    spike = outcome.figures[0]
    assert spike["alarm"] == "0 minutes later"
    assert str(out / "model") in outcome.summary
    # The faults last 301 steps, and an alarm counts as theirs for 72 more each.
    assert f"in {len(live) - 301 - 4 * 72:,} values" in outcome.verdict
    assert model.evaluate(values, live["anomaly"])["recall"] >= 0.5

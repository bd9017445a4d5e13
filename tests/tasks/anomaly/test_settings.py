"""AnomalyDetectorSettings: what is refused, and what follows from the sizes."""

from __future__ import annotations

import pytest

from tidegate.errors import InputError
from tidegate.tasks.anomaly.settings import AnomalyDetectorSettings


@pytest.mark.parametrize(
    ("horizon", "offsets"), [(24, (1, 6, 24, -12)), (3, (1, 2, 3, -1)), (5, (1, 2, 5, -2))]
)
def test_one_step_a_quarter_and_all_of_the_horizon_are_forecast_and_half_of_it_read_back(
    horizon, offsets
):
    assert AnomalyDetectorSettings(horizon=horizon).offsets == offsets


def test_a_quarter_of_a_window_leads_up():
    assert AnomalyDetectorSettings(lookback=64).lead_in == 16
    assert AnomalyDetectorSettings(lookback=11).lead_in == 2


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"bidirectional": True},
            "`bidirectional` must be False; got True. A stream",
        ),
        ({"false_alarm_rate": 0.0}, "`false_alarm_rate` must be a number >= 1e-08"),
        ({"horizon": 2}, "`horizon` must be an integer >= 3"),
        ({"lookback": 7}, "`lookback` must be an integer >= 8"),
        ({"warmup": 19}, "`warmup` must be an integer >= 20"),
        ({"silence": -1}, "`silence` must be an integer >= 0"),
    ],
)
def test_what_cannot_be_is_refused(settings, told):
    with pytest.raises(InputError, match=f"AnomalyDetector: {told}"):
        AnomalyDetectorSettings(**settings)

"""Settings that do not go together are refused before anything is read."""

from __future__ import annotations

import pytest

from tidegate.errors import InputError
from tidegate.tasks.forecast.settings import ForecasterSettings


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"levels": (0.95, 0.8)}, "`levels` must be made of numbers between 0 and 1, ascending"),
        ({"quantiles": (0.1, 1.0)}, "`quantiles` must be made of numbers between 0 and 1"),
        ({"lookback": 0}, "`lookback` must be"),
        ({"strategy": "segments"}, "`strategy` must be one of 'segment'"),
        (
            {"output": "negative-binomial", "differencing": 1},
            "`differencing` must be left out with output='negative-binomial'",
        ),
        (
            {"output": "quantile", "quantiles": (0.1, 0.5, 0.9)},
            "`levels` must be at most 0.8, what lies between the outermost quantiles",
        ),
    ],
)
def test_wrong_settings_are_one_line(options, rule):
    with pytest.raises(InputError, match=f"^Forecaster: {rule}"):
        ForecasterSettings(**options)


def test_settings_come_back_from_json():
    settings = ForecasterSettings(levels=(0.5,), season=12, max_windows=None)
    assert ForecasterSettings.from_dict(settings.to_json()) == settings

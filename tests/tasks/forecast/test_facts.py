"""What a forecaster tells of the series it was fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from tidegate.data.series.panel import Panel
from tidegate.data.windows.encoder import SeriesEncoder
from tidegate.errors import InputError
from tidegate.tasks.forecast.facts import read_share, series_facts


def test_season_lookback_and_network_are_told():
    panel = Panel.from_arrays([np.arange(9.0), np.arange(7.0)])
    encoder = SeriesEncoder(lookback=5).fit(panel, panel.lengths)
    told = series_facts(encoder, 4, 0.25)
    assert told["series"] == "2"
    assert told["season"] == "4 steps"
    assert told["lookback"] == "5 steps"
    assert told["network"] == "25% of what it adds to the line"
    assert series_facts(encoder, 1, 0.0)["season"] == "none"
    assert series_facts(encoder, 1, 0.0)["network"] == "stands back"


def test_an_older_model_kept_all():
    assert read_share({}) == 1.0
    assert read_share({"share": 0}) == 0.0
    with pytest.raises(InputError, match="`share` must be a number from 0 to 1; got -1"):
        read_share({"share": -1})

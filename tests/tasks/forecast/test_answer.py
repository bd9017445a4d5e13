"""ForecastAnswer: the rows that are written are those of the forecast's table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tidegate.data.series.panel import Panel
from tidegate.errors import InputError
from tidegate.tasks.forecast.answer import PREDICT_OPTIONS, ForecastAnswer, check_plot
from tidegate.tasks.forecast.forecast import Forecast


@pytest.fixture
def forecast() -> Forecast:
    mean = np.arange(3.0).reshape(1, 3, 1)
    panel = Panel.from_arrays([np.arange(9.0)])
    return Forecast(mean, mean[..., None] - 1, mean[..., None] + 1, (0.8,), panel, {})


def test_a_file_holds_the_table_of_the_forecast(forecast, tmp_path):
    answer = ForecastAnswer(forecast)
    answer.save(tmp_path / "next.csv")
    found = pd.read_csv(tmp_path / "next.csv")
    pd.testing.assert_frame_equal(found, forecast.to_frame())
    assert answer.rows == 3


def test_a_picture_needs_a_folder(tmp_path):
    check_plot(None)
    check_plot(str(tmp_path / "next.png"))
    with pytest.raises(InputError, match="`--plot` must be a file in a folder that exists"):
        check_plot(str(tmp_path / "nowhere" / "next.png"))


def test_what_can_be_said_besides_is_checked():
    horizon = PREDICT_OPTIONS["horizon"]
    assert horizon.check(3, "predict") == 3
    with pytest.raises(InputError, match="`horizon` must be an integer >= 1"):
        horizon.check(0, "predict")

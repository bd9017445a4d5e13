"""ForecastAnswer: a forecast as a table, and as a picture if that is asked for."""

from __future__ import annotations

from pathlib import Path

from tidegate.errors import InputError, message
from tidegate.tasks.core.files.answer import TableAnswer
from tidegate.tasks.core.settings.option import Option
from tidegate.tasks.forecast.forecast import Forecast

# What can be said to `tidegate predict` with a forecaster besides.
PREDICT_OPTIONS = {
    "horizon": Option.told(
        "horizon", int, help="Steps to forecast, in place of those of training.", minimum=1
    ),
    "plot": Option.told("plot", str, help="Draw the forecast into this file: .png .svg .pdf."),
}


class ForecastAnswer(TableAnswer):
    """A row for each series, time and target.

    Args:
        forecast: The forecast.
    """

    def __init__(self, forecast: Forecast) -> None:
        super().__init__(iter([forecast.to_frame()]))


def check_plot(plot: str | None) -> None:
    """Refuse a place for the picture where none can be.

    Raises:
        InputError: If its folder does not exist.
    """
    if plot is not None and not Path(plot).absolute().parent.is_dir():
        rule = "a file in a folder that exists"
        raise InputError(message("predict", "--plot", rule, plot))

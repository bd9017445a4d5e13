"""`tidegate predict` with a forecaster: what comes after the end of a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.cli.tables import fitted_columns, read_part
from tidegate.errors import InputError, message

if TYPE_CHECKING:
    import pandas as pd

    from tidegate.tasks.core.task import Task


def forecast(
    task: Task,
    path: Path | None,
    columns: Mapping[str, str | None],
    horizon: int | None,
    plot: Path | None,
) -> pd.DataFrame:
    """Forecast what comes after a table, or after the data of training.

    Args:
        task: A fitted task that forecasts.
        path: The table; None goes on after training.
        columns: Columns by role, None where the user named none.
        horizon: Steps ahead; None for those of training.
        plot: Where to draw the forecast, or None.

    Returns:
        A row for each series, time and target.

    Raises:
        InputError: If something is wrong with the table, the horizon or the picture's place.
    """
    forecaster: Any = task
    if plot is not None and not plot.absolute().parent.is_dir():
        rule = "a file in a folder that exists"
        raise InputError(message("predict", "--plot", rule, str(plot)))
    if path is None:
        found = forecaster.predict(horizon=horizon)
    else:
        part = read_part(task, path, fitted_columns(task, columns), False)
        with part.naming(task):
            found = forecaster.predict(part.rows(task)[0], horizon=horizon)
    if plot is not None:
        found.save_plot(plot)
    table: pd.DataFrame = found.to_frame()
    return table


def refuse_forecast_options(task: Task, horizon: int | None, plot: Path | None) -> None:
    """Refuse the options of a forecast for a task that answers rows.

    Raises:
        InputError: If one was given.
    """
    for name, given in (("--horizon", horizon), ("--plot", plot)):
        if given is not None:
            raise InputError(message("predict", name, f"left out for a {task.task_name()}", given))

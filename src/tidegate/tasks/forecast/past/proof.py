"""What past forecasts prove: a backtest, the share of the network, margins where they are few."""

from __future__ import annotations

from copy import copy

import numpy as np

from tidegate.data.windows.encoded import ForecastWindows
from tidegate.tasks.core.ensemble import members
from tidegate.tasks.forecast.intervals import Margins
from tidegate.tasks.forecast.line.baselines import forecast_all
from tidegate.tasks.forecast.line.lean import share_worth, spans
from tidegate.tasks.forecast.line.linear import LinearBaseline
from tidegate.tasks.forecast.line.skip import LinearSkip
from tidegate.tasks.forecast.past.backtest import Backtest
from tidegate.tasks.forecast.past.metrics import naive_error
from tidegate.tasks.forecast.window_forecasts import WindowForecasts
from tidegate.training.network import Network

# Windows that are looked at closely, evenly over the held span: some thousands, but no more numbers
# than this, and some hundreds of long ones in any case.
_FEWEST, _MOST, _NUMBERS = 200, 2_000, 4_000_000


def few(windows: ForecastWindows, numbers: int) -> ForecastWindows:
    """Return windows, no more of them than intervals and baselines can be computed for.

    Args:
        windows: The windows.
        numbers: How many are computed for each step of each.
    """
    some = copy(windows)
    some.most = min(_MOST, max(_FEWEST, _NUMBERS // (windows.horizon * numbers)))
    return some


def backtested(
    found: WindowForecasts,
    start: Margins | None,
    *,
    levels: tuple[float, ...],
    season: int,
    linear: LinearBaseline,
    conformal: bool,
) -> Backtest:
    """Put forecasts beside the truth and the baselines.

    Args:
        found: The forecasts.
        start: The margins as long as too few of them are known; None leaves those ends NaN.
        levels: Those of the intervals that there are, the first of those of `found`.
        season: Steps of a season; 1 for none.
        linear: The line.
        conformal: Whether the intervals are calibrated.
    """
    windows, encoded = found.windows, found.windows.encoded
    lower, upper = found.rolled(start) if conformal else found.widened(None)
    count, panel = len(levels), encoded.panel
    width = len(panel.targets)
    units = [
        naive_error(panel.series(number)[: int(windows.first[number]), :width], season)
        for number in range(len(panel))
    ]
    return Backtest(
        panel=panel,
        series=found.series,
        origins=found.origins,
        truth=found.truth,
        mean=found.mean,
        lower=lower[..., :count],
        upper=upper[..., :count],
        levels=levels,
        unit=np.array(units)[found.series],
        baselines=forecast_all(
            encoded, found.series, found.origins, windows.horizon, season, linear
        ),
    )


def skips(network: Network) -> list[LinearSkip]:
    """Return the members of a network that stand on a line."""
    return [member for member in members(network) if isinstance(member, LinearSkip)]


def proved_share(found: WindowForecasts, linear: LinearBaseline) -> float:
    """Say how much of what a network adds to the line its forecasts prove a gain.

    Args:
        found: Forecasts of windows that nothing was learned from.
        linear: The line.
    """
    encoded, horizon = found.windows.encoded, found.windows.horizon
    line = forecast_all(encoded, found.series, found.origins, horizon, 1, linear)["linear"]
    span = spans(found.series, found.origins, horizon)
    return share_worth(found.truth, line, found.mean, encoded.spread[found.series], span)


def line_margins(found: WindowForecasts, linear: LinearBaseline) -> Margins:
    """Find margins from forecasts by the line of windows that it was solved for.

    Args:
        found: These forecasts.
        linear: The line.
    """
    span = spans(found.series, found.origins, found.windows.horizon)
    return found.calibrated().for_few(int(span.max(initial=-1)) + 1, linear.optimism)

"""Sizes: the lookback, the segment, the season and the epochs that suit series nobody tuned for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tidegate.data.batching import Array
from tidegate.data.series.panel import Panel
from tidegate.data.series.season import find_season, has_season, long_season
from tidegate.errors import InputError, message
from tidegate.tasks.forecast.settings import ForecasterSettings

# The lookback: at least so many steps and horizons, or a part of what there is to learn from up to
# so much; of a season so many, unless they are long, up to a share of the length. Chosen on pieces
# of series that no benchmark reports.
_LEAST, _HORIZONS, _PART, _LONG = 12, 2, 8, 96
_SEASONS, _LONG_SEASONS, _MOST = 3, 110, 0.4
# A window is cut into so many segments; a training has about so many steps, within these bounds.
_SEGMENTS, _UPDATES, _EPOCHS = 8, 1_500, (10, 150)
# Of series of unequal length, so small a share may be too short for a lookback that suits the rest.
_SHORT = 0.1


def suited(settings: ForecasterSettings, panel: Panel, until: Array) -> ForecasterSettings:
    """Fill in what was left to the data.

    Args:
        settings: Those that were asked for; what is None is chosen.
        panel: The series.
        until: Steps of each that may be looked at, `[S]`.

    Returns:
        The settings with a lookback, a segment, a season and a number of epochs.

    Raises:
        InputError: If no series has two horizons.
    """
    horizon = settings.horizon
    lengths = until[until >= 2 * horizon]
    if not len(lengths):
        rule = f"at least 2 horizons = {2 * horizon} steps long"
        got = f"{int(until.max(initial=0))} in the longest series"
        remedy = f"Add {2 * horizon - int(until.max(initial=0))} steps, or lower horizon"
        raise InputError(message(settings.owner, "X", rule, got, remedy))
    targets = [
        panel.series(number)[:end, column]
        for number, end in enumerate(until)
        for column in range(len(panel.targets))
    ]
    usual = panel.clock.season
    season = settings.season or (usual if usual > 1 else find_season(targets))
    # What differences take is needed before the lookback.
    length = int(np.quantile(lengths, _SHORT)) - settings.differencing
    lookback = settings.lookback or _lookback(targets, length, season, horizon)
    segment = settings.segment or max(1, round(lookback / _SEGMENTS))
    windows = int((lengths - lookback - settings.differencing - horizon + 1).clip(min=1).sum())
    steps = -(-min(windows, settings.max_windows or windows) // settings.batch_size)
    epochs = settings.epochs or int(np.clip(round(_UPDATES / steps), *_EPOCHS))
    return replace(settings, lookback=lookback, segment=segment, season=season, epochs=epochs)


def _lookback(targets: list[Array], length: int, season: int, horizon: int) -> int:
    """The lookback for series of a length."""
    wanted = max(_LEAST, _HORIZONS * horizon, min(sum(map(len, targets)) // _PART, _LONG))
    if has_season(targets, season):
        seasons = min(_SEASONS * season, max(season + horizon, _LONG_SEASONS))
        if (longer := long_season(targets, season)) > season:
            seasons = longer + horizon
        wanted = max(wanted, min(seasons, int(_MOST * length)))
    # Some windows must remain, or a single one if it takes a season.
    most = max(length - horizon - max(2, horizon // 2), min(season, length - horizon))
    return max(1, min(wanted, most))

"""What a fitted forecaster is worth telling about, in words."""

from __future__ import annotations

from tidegate.data.windows.encoder import SeriesEncoder
from tidegate.errors import InputError, message
from tidegate.files import FoundJson

NOT_HELD = "Nothing was held out, so nothing was judged."
ALONE = (
    "The network stands back, for it did not surely do better than the line: smoothing and ridge "
    "regression answer alone."
)


def series_facts(encoder: SeriesEncoder, season: int, share: float) -> dict[str, str]:
    """Return what was found of the series, by name.

    Args:
        encoder: That of the series.
        season: Steps of a season; 1 for none.
        share: How much of what the network adds to the line is kept.
    """
    told = {"frequency": encoder.clock.name, "targets": ", ".join(encoder.targets)}
    told["series"] = f"{len(encoder.shift):,}"
    told["season"] = f"{season} steps" if season > 1 else "none"
    told["lookback"] = f"{encoder.lookback} steps"
    told["network"] = f"{share:.0%} of what it adds to the line" if share else "stands back"
    if encoder.absent:
        how = "marked by a mask" if encoder.masked else "interpolated"
        told["missing values"] = f"{encoder.absent:,} in training, {how}"
    return told


def read_share(state: FoundJson) -> float:
    """Read how much of the network a saved model kept; older ones kept all.

    Raises:
        InputError: If it is no share.
    """
    share = state.get("share", 1.0)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise InputError(message("load", "share", "a number from 0 to 1", repr(share)))
    return float(share)

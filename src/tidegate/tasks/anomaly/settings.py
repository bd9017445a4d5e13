"""What an AnomalyDetector can be told."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.errors import InputError, message
from tidegate.tasks.core.settings.option import changed, setting
from tidegate.tasks.core.settings.settings import Settings


@dataclass(frozen=True, kw_only=True)
class AnomalyDetectorSettings(Settings):
    """The settings of an AnomalyDetector."""

    hidden_size: int = changed(Settings, "hidden_size", 24)
    epochs: int = changed(Settings, "epochs", 12)
    learning_rate: float = changed(Settings, "learning_rate", 5e-3)
    patience: int | None = changed(Settings, "patience", 4)
    false_alarm_rate: float = setting(
        1e-3,
        help="Expected share of normal values that raise an alarm: 0.001 is one in a thousand.",
        minimum=1e-8,
        maximum=0.2,
        group="Alarms",
    )
    silence: int = setting(
        120,
        help="Values after an alarm during which there is no other.",
        minimum=0,
        group="Alarms",
    )
    tolerance: float = setting(
        0.02,
        help="Errors below this share of the usual spread of the values are taken for none.",
        minimum=0,
        maximum=10,
        group="Alarms",
    )
    dayfirst: bool = setting(
        False,
        help="Read 01/02/2015 as the first of February; by default what leaves fewer gaps.",
        group="Alarms",
    )
    lookback: int = setting(
        64, help="Values of a stretch that the net is trained on.", minimum=8, maximum=100_000
    )
    horizon: int = setting(
        24,
        help="Values ahead of the longest forecast; 1 and a quarter of it are forecast besides, "
        "and what was half of it back is reconstructed.",
        minimum=3,
        maximum=10_000,
        structural=True,
    )
    warmup: int = setting(
        200,
        help="Values from which the scale is learned, for a stream that begins without a fit.",
        minimum=20,
        group="Run",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bidirectional:
            remedy = "A stream does not know what comes"
            raise InputError(message(self.owner, "bidirectional", "False", True, remedy))

    @property
    def lead_in(self) -> int:
        """Values at the start of a window that only fill the state."""
        return self.lookback // 4

    @property
    def offsets(self) -> tuple[int, ...]:
        """How far ahead the net forecasts, and how far back it reconstructs."""
        return 1, max(2, self.horizon // 4), self.horizon, -max(1, self.horizon // 2)

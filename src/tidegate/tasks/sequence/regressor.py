"""SequenceRegressor: a number for each sequence of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tidegate.data.sequences.encoder import SequenceEncoder
from tidegate.heads import RegressHead
from tidegate.tasks.core.regressor import Regressor, RegressorSettings
from tidegate.tasks.core.settings.option import changed
from tidegate.tasks.sequence.sequence_task import SequenceSettings, SequenceTask


@dataclass(frozen=True, kw_only=True)
class SequenceRegressorSettings(SequenceSettings, RegressorSettings):
    """The settings of a SequenceRegressor."""

    dropout: float = changed(SequenceSettings, "dropout", 0.2)


class SequenceRegressor(SequenceTask, Regressor):
    """Answers sequences of numbers with a number: remaining life, a dose, a quality.

    It is a scikit-learn estimator. The constructor takes every setting of
    `SequenceRegressorSettings` as a keyword argument and only stores it.

    X is an array `[N, T, C]`, or `[N, T]` for one channel, or a list of `[T, C]` arrays or
    DataFrames of any lengths; NaN is a missing value. y is a number for each of them, or with a
    window a number for each of its steps.

    Attributes:
        encoder_: The fitted `SequenceEncoder`.
        channels_: Names of the channels, or None.

    Raises:
        InputError: If a setting is unknown.

    Example:
        >>> import numpy as np
        >>> rows = [np.full((n, 1), float(n)) for n in (2, 3, 4, 5, 6, 7)]
        >>> model = SequenceRegressor(epochs=2, hidden_size=4, verbose=False)
        >>> model.fit(rows, [2, 3, 4, 5, 6, 7], validation=None).predict(rows[:2]).shape
        (2,)
    """

    settings_class = SequenceRegressorSettings
    roles: ClassVar[Mapping[str, str]] = {
        "id": "Column that says which sequence a row belongs to; without it each row is one.",
        "time": "Column that orders the steps of a sequence; else the order of the rows.",
        "values": "Columns of the channels, with commas between; else all other numbers.",
        "target": "Column of the numbers to answer.",
    }
    input_role = "values"
    target_role = "target"

    settings_: SequenceRegressorSettings
    encoder_: SequenceEncoder

    def _make_head(self, features: int) -> RegressHead:
        return RegressHead(features, self.settings_.loss)

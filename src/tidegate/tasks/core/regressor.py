"""Regressor: what every task that answers with one number a row shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from sklearn.base import RegressorMixin
from torch import Tensor

from tidegate.data.rows import Rows
from tidegate.errors import InputError, message
from tidegate.heads import RegressHead
from tidegate.heads.regress import LOSSES
from tidegate.tasks.core.ensemble import members
from tidegate.tasks.core.examples import Array, Examples
from tidegate.tasks.core.files.columns import checked_numbers
from tidegate.tasks.core.settings.option import setting
from tidegate.tasks.core.settings.settings import Settings
from tidegate.tasks.core.task import Task
from tidegate.training.measure import Loader, answers
from tidegate.training.network import Network


@dataclass(frozen=True, kw_only=True)
class RegressorSettings(Settings):
    """The settings of every regressor."""

    loss: str = setting(
        "mse",
        help="What is minimised: squared error, absolute error, or Huber's, squared up to one "
        "deviation of the targets and absolute beyond.",
        choices=LOSSES,
        structural=True,
        group="Training",
    )
    cap: float | None = setting(
        None,
        help="Largest target; greater ones count as this, in training and in scores, as is usual "
        "for remaining life.",
        group="Training",
    )


class Regressor(RegressorMixin, Task):
    """Base of the regressors: targets, prediction, scores.

    A subclass writes what `Task` asks for besides, and builds a network whose `head` is a
    `RegressHead`.
    """

    settings_: RegressorSettings

    def predict(self, X: object) -> Array:
        """Answer the number of each row.

        Args:
            X: The inputs, one a row.

        Returns:
            `[rows]` float64, in the units of the targets.

        Raises:
            InputError: If the input is wrong.
            NotFittedError: If the task was not fitted.
        """
        self._check_fitted()
        loader = self._loader(self._examples(X, None, None), training=False)
        result = np.empty(len(loader))
        for rows, _, outputs in answers(self.network_, loader, shown=self.settings_.verbose):
            result[rows] = self._line(self.network_).answer(outputs).cpu().numpy()
        return result

    def score(self, X: object, y: object = None, sample_weight: object = None) -> float:
        """Return minus the mean squared error on rows with known targets."""
        return -float(self.evaluate(X, y, sample_weight=sample_weight)["mse"])

    def answer(self, X: object) -> dict[str, Sequence[object]]:
        """Answer rows as the column `prediction`."""
        return {"prediction": self.predict(X).tolist()}

    def facts(self) -> dict[str, str]:
        """Return mean and deviation of the training targets besides."""
        line = self._line(self.network_)
        told = f"mean {float(line.centre):.6g}, deviation {float(line.scale):.6g}"
        return super().facts() | {"training targets": told}

    def _line(self, network: Network) -> RegressHead:
        return cast(RegressHead, network.head)

    def _answers(self, outputs: Tensor) -> Tensor:
        return self._line(self.network_).answer(outputs)[:, None]

    def _column(self, y: object) -> Array:
        """Check targets, one a row, and cap them."""
        targets = checked_numbers(y, type(self).__name__)
        cap: float | None = self.get_params(deep=False)["cap"]
        return targets if cap is None else np.minimum(targets, cap)

    def _learn(self, examples: Examples) -> None:
        """Check that there are targets; a subclass learns its encoder besides."""
        if examples.targets is None:
            raise InputError(message(self.settings_.owner, "y", "given: one number a row", None))

    def _begin(
        self, network: Network, examples: Examples, loader: Loader, *, going_on: bool
    ) -> None:
        """Tell the head the size of the training targets."""
        super()._begin(network, examples, loader, going_on=going_on)
        if not going_on:
            assert isinstance(loader, Rows)
            for member in members(network):
                self._line(member).measure(torch.as_tensor(loader.targets))

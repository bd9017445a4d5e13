"""Regress: one number for each row."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.data.scaling import Scaling
from tidegate.errors import InputError, message, suggest

LOSSES = ("mse", "mae", "huber")


class RegressHead(nn.Module):
    """A line on the features, in units of the training targets.

    Axis letters: B rows, F features.

    y = c + s (w . x + b) with the mean c and the deviation s of the training targets. The loss of
    a row is that of e = (y - target) / s: e^2, |e|, or Huber's, e^2 / 2 up to |e| = 1 and
    |e| - 1/2 beyond (Huber 1964).

    Args:
        features: F.
        loss: One of `LOSSES`.

    Attributes:
        centre: c, a scalar; 0 before `measure`.
        scale: s, a scalar; 1 before `measure`.

    Raises:
        InputError: If the loss is unknown.

    Example:
        >>> head = RegressHead(4)
        >>> head.measure(torch.tensor([10.0, 30.0]))
        >>> head.answer(head(torch.zeros(2, 4))).shape, float(head.scale)
        (torch.Size([2]), 10.0)
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, features: int, loss: str = "mse") -> None:
        super().__init__()
        if loss not in LOSSES:
            rule = "one of " + ", ".join(repr(name) for name in LOSSES)
            raise InputError(
                message("RegressHead", "loss", rule, repr(loss), suggest(loss, LOSSES, listed=True))
            )
        self.kind = loss
        self.linear = nn.Linear(features, 1)
        self.register_buffer("centre", torch.zeros((), dtype=torch.float64))
        self.register_buffer("scale", torch.ones((), dtype=torch.float64))

    def measure(self, targets: Tensor) -> None:
        """Take mean and deviation from the training targets, `[rows]`."""
        found = Scaling.fit(targets.double().cpu().numpy()[:, None], "standard").usable()
        self.centre.fill_(float(found.centre[0]))
        self.scale.fill_(float(found.scale[0]))

    def forward(self, features: Tensor) -> Tensor:
        """Return answers in units of the targets' deviation, from their mean.

        Args:
            features: `[B, F]`.

        Returns:
            `[B, 1]`.
        """
        outputs: Tensor = self.linear(features)
        return outputs

    def losses(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the loss of each row, `[B]`, without weights.

        Args:
            outputs: `[B, 1]`.
            batch: With `targets` `[B]` in their own units.
        """
        assert batch.targets is not None
        scaled = ((batch.targets - self.centre) / self.scale).to(outputs.dtype)
        functions = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.smooth_l1_loss}
        losses: Tensor = functions[self.kind](outputs[:, 0], scaled, reduction="none")
        return losses

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the mean over rows of weight times loss, a scalar.

        Args:
            outputs: `[B, 1]`.
            batch: With `targets` `[B]`, and `weights` `[B]` or None.
        """
        losses = self.losses(outputs, batch)
        if batch.weights is not None:
            losses = losses * batch.weights
        return losses.mean()

    def answer(self, outputs: Tensor) -> Tensor:
        """Return outputs `[B, 1]` in the units of the targets, `[B]` float64."""
        return outputs[:, 0].double() * self.scale + self.centre

    def meter(self) -> RegressMeter:
        """Return a new meter."""
        return RegressMeter(self)


class RegressMeter:
    """Adds up loss and errors over batches.

    Args:
        head: Whose outputs they are.

    Example:
        >>> meter = RegressMeter(RegressHead(2))
        >>> targets = torch.tensor([1.0, 3.0])
        >>> meter.update(torch.zeros(2, 1), Batch(torch.zeros(2, 1), torch.ones(2), targets))
        >>> meter.result()["mse"]
        5.0
    """

    def __init__(self, head: RegressHead) -> None:
        self._head = head
        # Weight, loss, |e|, e^2, y, y^2, each summed over rows with their weight.
        self._sums = torch.zeros(6, dtype=torch.float64)

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Add a batch.

        Args:
            outputs: `[B, 1]`.
            batch: With `targets`, and `weights` or None.
        """
        assert batch.targets is not None
        targets = batch.targets.double()
        weights = torch.ones_like(targets) if batch.weights is None else batch.weights.double()
        losses = self._head.losses(outputs, batch).double()
        errors = self._head.answer(outputs) - targets
        # From the mean of the training targets: squares of large numbers would cancel badly.
        centred = targets - self._head.centre
        parts = (torch.ones_like(targets), losses, errors.abs(), errors**2, centred, centred**2)
        self._sums += torch.stack([(weights * part).sum() for part in parts]).cpu()

    def result(self) -> dict[str, float]:
        """Return `loss` without weights, `mse`, `rmse`, `mae` and `r2` over everything added.

        r2 = 1 - mse / variance of the targets; as in scikit-learn it is 0 where they do not vary,
        or 1 if the answers are right.
        """
        loss, mae, mse, mean, square = (self._sums[1:] / self._sums[0]).tolist()
        variance = max(0.0, square - mean**2)
        explained = 1 - mse / variance if variance else float(mse == 0)
        return {"loss": loss, "mse": mse, "rmse": mse**0.5, "mae": mae, "r2": explained}

    def state(self) -> dict[str, Tensor]:
        """Return the sums, for a checkpoint."""
        return {"sums": self._sums.clone()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take back the sums that `state` returned."""
        self._sums = state["sums"].cpu()

"""Forecast: what comes next, as a number or as a distribution, for each step and target."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.heads.distributions import Distribution
from tidegate.nn.blocks.dropout import Dropout
from tidegate.nn.blocks.instance_norm import InstanceNorm, Level


class ForecastHead(nn.Module):
    """Linear parameters of a distribution for several steps and targets at once.

    Axis letters: B windows, F future steps, C targets, N inner features, P parameters.

    The network works in the normal units of each window; `inverse` puts parameters back into the
    units of the data. The loss of a value is divided by its window's unit (squared for squares), so
    that small series count as much as large ones.

    Args:
        features: N.
        steps: Steps that one vector of features answers.
        targets: C.
        distribution: What the parameters mean.
        norm: How windows are normalised.
        width: Targets that one vector of features answers; default all C.
        dropout: Share of the features dropped in training; default 0.

    Example:
        >>> from tidegate.heads.distributions import Normal
        >>> head = ForecastHead(8, 3, 1, Normal(), InstanceNorm("last"))
        >>> head(torch.zeros(2, 8)).shape
        torch.Size([2, 3, 1, 2])
    """

    def __init__(
        self,
        features: int,
        steps: int,
        targets: int,
        distribution: Distribution,
        norm: InstanceNorm,
        *,
        width: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.targets, self.distribution, self.norm = targets, distribution, norm
        self.width = targets if width is None else width
        self.shape = (steps, self.width, distribution.parameters)
        self.dropout = Dropout(dropout)
        self.linear = nn.Linear(features, math.prod(self.shape))

    def forward(self, features: Tensor) -> Tensor:
        """Turn features `[..., N]` into parameters `[..., steps, width, P]`, in normal units."""
        raw: Tensor = self.linear(self.dropout(features))
        return self.distribution.constrain(raw.unflatten(-1, self.shape))

    def level(self, batch: Batch) -> Level:
        """Find what the targets of each window are measured from and in, `[B, 1, C]` each."""
        return self.norm.measure(batch.values[..., : self.targets], batch.lengths)

    def inverse(self, parameters: Tensor, level: Level) -> Tensor:
        """Put parameters `[B, F, C, P]` back into the units of the data."""
        return self.distribution.move(parameters, *level)

    def losses(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss of each value, 0 where the truth is unknown, and where it is known.

        Args:
            outputs: Parameters in the units of the data, `[B, F, C, P]`.
            batch: With `targets` `[B, F, C]`, NaN where unknown.

        Returns:
            `[B, F, C]` float and bool.
        """
        assert batch.targets is not None
        known = ~batch.targets.isnan()
        # Unknown values are replaced before the loss: NaN times 0 has a gradient of NaN.
        targets = torch.where(known, batch.targets, self.distribution.mean(outputs.detach()))
        losses = self.distribution.losses(outputs, targets)
        losses = losses / self.level(batch).scale ** self.distribution.degree
        return torch.where(known, losses, 0.0), known

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the mean loss over the known values, each times the weight of its window.

        Args:
            outputs: Parameters in the units of the data, `[B, F, C, P]`.
            batch: With `targets` `[B, F, C]`, and `weights` `[B]` or None.

        Returns:
            A scalar.
        """
        losses, known = self.losses(outputs, batch)
        if batch.weights is not None:
            losses = losses * batch.weights[:, None, None]
        return losses.sum() / known.sum().clamp(min=1)

    def answer(self, outputs: Tensor, quantiles: Sequence[float] = ()) -> dict[str, Tensor]:
        """Say what the parameters mean.

        Args:
            outputs: Parameters in the units of the data, `[B, F, C, P]`.
            quantiles: Levels between 0 and 1; none leaves the quantiles out.

        Returns:
            "mean" `[B, F, C]` (of quantiles: the median), and perhaps "quantiles"
            `[B, F, C, levels]`.

        Raises:
            InputError: If the distribution knows nothing of a level.
        """
        answers = {"mean": self.distribution.mean(outputs)}
        if quantiles:
            answers["quantiles"] = self.distribution.quantiles(outputs, quantiles)
        return answers

    def meter(self) -> ForecastMeter:
        """Return a new meter."""
        return ForecastMeter(self)


class ForecastMeter:
    """Adds up the loss and the errors of the mean over batches.

    Args:
        head: What knows the loss.

    Example:
        >>> from tidegate.heads.distributions import Point
        >>> head = ForecastHead(1, 1, 1, Point("mae"), InstanceNorm("none"))
        >>> meter = ForecastMeter(head)
        >>> batch = Batch(torch.zeros(1, 1, 1), torch.ones(1), torch.full((1, 1, 1), 3.0))
        >>> meter.update(torch.ones(1, 1, 1, 1), batch)
        >>> meter.result()
        {'loss': 2.0, 'mse': 4.0, 'mae': 2.0}
    """

    def __init__(self, head: ForecastHead) -> None:
        self.head = head
        self.sums = torch.zeros(4, dtype=torch.float64)

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Add a batch.

        Args:
            outputs: Parameters in the units of the data, `[B, F, C, P]`.
            batch: With `targets`, and `weights` or None.
        """
        assert batch.targets is not None
        losses, known = self.head.losses(outputs, batch)
        error = torch.where(known, batch.targets - self.head.distribution.mean(outputs), 0.0)
        terms = torch.stack([losses, error**2, error.abs(), known.to(losses.dtype)])
        by_window = terms.sum((2, 3), dtype=torch.float64)
        if batch.weights is not None:
            by_window = by_window * batch.weights
        self.sums += by_window.sum(1).cpu()

    def result(self) -> dict[str, float]:
        """Return `loss`, `mse` and `mae` over everything added; NaN where nothing was."""
        loss, square, distance = (self.sums[:3] / self.sums[3]).tolist()
        return {"loss": loss, "mse": square, "mae": distance}

    def state(self) -> dict[str, Tensor]:
        """Return the sums, for a checkpoint."""
        return {"sums": self.sums.clone()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take back the sums that `state` returned."""
        self.sums = state["sums"].cpu()

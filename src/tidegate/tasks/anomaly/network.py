"""AnomalyNetwork: a recurrent net that says what comes and what was, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.training.network import Metrics, Network

if TYPE_CHECKING:
    from tidegate.nn import Recurrent

# Degrees of freedom: an outlier among the training values must not rule the fit.
_FREEDOM = 4.0
# Logarithms of the scale are kept in these bounds; nothing is surer or less sure.
_SURE, _UNSURE = -5.0, 3.0


class AnomalyNetwork(Network):
    """Says D variables at K offsets from every step, ahead or back, as Student t distributions.

    Args:
        recurrent: The stack, over `[B, T, inputs]`.
        targets: K D.
        skip: Steps at the start of each row that only fill the state.
    """

    head: AnomalyHead
    recurrent: Recurrent

    def __init__(self, recurrent: Recurrent, targets: int, skip: int) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.head = AnomalyHead(recurrent.output_size, targets, skip)

    def forward(self, batch: Batch) -> Tensor:
        """Return means and logarithms of scales, `[B, T, K D, 2]`."""
        output, _ = self.recurrent(self.embed(batch), lengths=batch.lengths)
        found: Tensor = self.head(output)
        return found

    def embed(self, batch: Batch) -> Tensor:
        """Return what the stack reads, `[B, T, inputs]`."""
        return batch.values


class AnomalyHead(nn.Linear):
    """Student t distributions of K D values at every step.

    loss = mean over the known targets of log s + (v + 1) / 2 log(1 + ((y - m) / s)^2 / v), v = 4,
    up to a constant.

    Args:
        features: F.
        targets: K D.
        skip: Steps at the start of each row that do not count.
    """

    def __init__(self, features: int, targets: int, skip: int) -> None:
        super().__init__(features, 2 * targets)
        self.skip = skip

    def forward(self, features: Tensor) -> Tensor:
        """Return means and logarithms of scales, `[B, T, F]` to `[B, T, K D, 2]`."""
        found: Tensor = super().forward(features).unflatten(-1, (-1, 2))
        return found

    def answer(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return means and logarithms of scales apart, `[B, T, K D]`, the latter in bounds."""
        return outputs[..., 0], outputs[..., 1].clamp(_SURE, _UNSURE)

    def errors(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return error and logarithm of the scale where the target is known, and which that is."""
        assert batch.targets is not None
        known = batch.mask[:, :, None] & torch.isfinite(batch.targets)
        known[:, : self.skip] = False
        target = torch.where(known, batch.targets, 0.0)
        mean, scale = self.answer(outputs)
        return target - mean, scale, known

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the mean negative log likelihood of the known targets, up to a constant."""
        error, scale, known = self.errors(outputs, batch)
        terms = scale + (_FREEDOM + 1) / 2 * torch.log1p((error / scale.exp()).square() / _FREEDOM)
        return torch.where(known, terms, 0.0).sum() / known.sum().clamp(min=1)

    def meter(self) -> AnomalyMeter:
        """Return a new, empty meter."""
        return AnomalyMeter(self)


class AnomalyMeter:
    """Sums up the loss, and the mean absolute error, in scaled units.

    Args:
        head: Whose errors these are.
    """

    def __init__(self, head: AnomalyHead) -> None:
        self.head = head
        self.sums = torch.zeros(3, dtype=torch.float64)

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Add one batch."""
        with torch.no_grad():
            error, _, known = self.head.errors(outputs, batch)
            count = known.sum()
            loss = self.head.loss(outputs, batch) * count
            absolute = torch.where(known, error.abs(), 0.0).sum()
        self.sums += torch.stack([loss, absolute, count]).double().cpu()

    def result(self) -> Metrics:
        """Return `loss` and `mae`."""
        loss, absolute, count = self.sums.tolist()
        return {"loss": loss / max(1, count), "mae": absolute / max(1, count)}

    def state(self) -> dict[str, Tensor]:
        """Return the sums."""
        return {"sums": self.sums.clone()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take back the sums."""
        self.sums = state["sums"].cpu()

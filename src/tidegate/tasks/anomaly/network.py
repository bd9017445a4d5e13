"""AnomalyNetwork: a recurrent net that says what comes and what was, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.training.measure import Metrics, Network

if TYPE_CHECKING:
    from tidegate.nn import Recurrent

# Degrees of freedom: an outlier among the training values must not rule the fit.
_FREEDOM = 4.0
# Logarithms of the scale are kept in these bounds; nothing is surer or less sure.
_SURE, _UNSURE = -5.0, 3.0


class AnomalyNetwork(Network):
    """Says D variables at K offsets from every step, ahead or back, as Student t distributions.

    loss = mean over the known targets of log s + (v + 1) / 2 log(1 + ((y - m) / s)^2 / v), v = 4,
    up to a constant.

    Args:
        recurrent: The stack, over `[B, T, inputs]`.
        targets: K D.
        skip: Steps at the start of each row that only fill the state.
    """

    def __init__(self, recurrent: Recurrent, targets: int, skip: int) -> None:
        super().__init__()
        self.recurrent, self.skip = recurrent, skip
        self.head = nn.Linear(recurrent.output_size, 2 * targets)

    def forward(self, batch: Batch) -> Tensor:
        """Return means and logarithms of scales, `[B, T, K D, 2]`."""
        output, _ = self.recurrent(self.embed(batch), lengths=batch.lengths)
        found: Tensor = self.head(output).unflatten(-1, (-1, 2))
        return found

    def embed(self, batch: Batch) -> Tensor:
        """Return what the stack reads, `[B, T, inputs]`."""
        return batch.values

    def errors(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return error and logarithm of the scale where the target is known, and which that is."""
        assert batch.targets is not None
        known = batch.mask[:, :, None] & torch.isfinite(batch.targets)
        known[:, : self.skip] = False
        target = torch.where(known, batch.targets, 0.0)
        return target - outputs[..., 0], outputs[..., 1].clamp(_SURE, _UNSURE), known

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
        network: Whose errors these are.
    """

    def __init__(self, network: AnomalyNetwork) -> None:
        self.network = network
        self.sums = torch.zeros(3, dtype=torch.float64)

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Add one batch."""
        with torch.no_grad():
            error, _, known = self.network.errors(outputs, batch)
            count = known.sum()
            loss = self.network.loss(outputs, batch) * count
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

"""LinearSkip: a straight line beside the network, so that the network learns what bends."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.data.batching import Array
from tidegate.heads.forecast import ForecastHead
from tidegate.nn import Recurrent
from tidegate.tasks.forecast.network import ForecastNetwork
from tidegate.training.network import InspectableNetwork, StackInput


class LinearSkip(InspectableNetwork):
    """Adds a network's forecasts to those of a fixed line over the lookback.

    The line is solved for, not trained (see `baselines.LinearBaseline`), and the network starts
    with an answer of 0: training begins where the linear baseline ends. Short or smooth series,
    of which a network alone learns too little, are forecast as well as by the line, and better
    where there is more to learn.

    Axis letters: B windows, T steps of the past, F steps ahead, C targets, P parameters.

    Args:
        network: What is added; its output must be one that can be shifted.
        lookback: T.
        horizon: F of the line; further steps are forecast from its own answers.
    """

    weights: Tensor

    def __init__(self, network: ForecastNetwork, lookback: int, horizon: int) -> None:
        super().__init__()
        self.network = network
        # A buffer: saved with the weights, never trained.
        self.register_buffer("weights", torch.zeros(lookback + 1, horizon))
        nn.init.zeros_(network.head.linear.weight)
        nn.init.zeros_(network.head.linear.bias)

    @property
    def head(self) -> ForecastHead:
        """The network's head."""
        return self.network.head

    @property
    def recurrent(self) -> Recurrent:
        """The network's recurrent stack."""
        return self.network.recurrent

    def recurrent_stacks(self) -> dict[str, Recurrent]:
        """Return the network's recurrent stacks."""
        return self.network.recurrent_stacks()

    def stack_inputs(self, batch: Batch) -> dict[str, StackInput]:
        """Return what the network's stacks read."""
        return self.network.stack_inputs(batch)

    def set_line(self, weights: Array) -> None:
        """Take the line's weights, `[T + 1, F]`, the constants last."""
        self.weights.copy_(torch.from_numpy(weights))

    @torch.no_grad()
    def lean(self, share: float) -> None:
        """Keep a share of what the network adds to the line; it must be a point forecast.

        Args:
            share: From 0, the line alone, to 1.
        """
        parts = [self.head.linear.weight, self.head.linear.bias]
        if self.network.reversion is not None:
            parts.append(self.network.reversion.share)
        for part in parts:
            part.mul_(share)

    def forward(self, batch: Batch) -> Tensor:
        """Forecast: parameters in the units of the batch, `[B, F, C, P]`."""
        return self._beside(self.network(batch), batch)

    def embed(self, batch: Batch) -> Tensor:
        """Return what the recurrent stack reads."""
        return self.network.embed(batch)

    def lengths(self, batch: Batch) -> Tensor:
        """Return how many steps of `embed` are valid."""
        return self.network.lengths(batch)

    def decide(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Forecast, like `forward`, from what the stack reads."""
        return self._beside(self.network.decide(vectors, batch), batch)

    def direct(self, batch: Batch) -> None:
        """Leave out the line: it is the same for every answer of the stack."""

    def _beside(self, parameters: Tensor, batch: Batch) -> Tensor:
        """Shift the network's answers by the line, less the level that they already have."""
        level = self.head.level(batch).location
        shift = self._line(batch.values[..., : self.head.targets], parameters.shape[1]) - level
        return self.head.distribution.move(parameters, shift, torch.ones_like(shift))

    def _line(self, past: Tensor, steps: int) -> Tensor:
        """The line's forecasts, `[B, steps, C]`, for windows `[B, T, C]`."""
        found: list[Tensor] = []
        while sum(part.shape[1] for part in found) < steps:
            last = past[:, -1:]
            ahead = torch.einsum("btc,tf->bfc", past - last, self.weights[:-1])
            found.append(ahead + self.weights[-1][:, None] + last)
            past = torch.cat([past, found[-1]], 1)[:, -past.shape[1] :]
        return torch.cat(found, 1)[:, :steps]

"""Ensemble: several networks trained side by side, whose answers are averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.nn import Recurrent
from tidegate.tasks.core.settings.option import setting
from tidegate.tasks.core.settings.settings import Settings
from tidegate.training.network import Head, InspectableNetwork, Network, StackInput


@dataclass(frozen=True, kw_only=True)
class EnsembleSettings(Settings):
    """The settings of a task that may train several networks."""

    members: int = setting(
        1,
        help="Networks trained side by side from different random weights, whose answers are "
        "averaged.",
        minimum=1,
        maximum=100,
        structural=True,
    )


class Ensemble(InspectableNetwork):
    """Networks that start apart, each with a loss of its own, and answer together.

    Nets that start from other weights, and drop other features, err in other places: the mean of
    their outputs is nearer to the truth than each of them (Lakshminarayanan et al. 2017, section
    2.4). They read the same batches, for the order of the rows matters least (section 3.2).

    What looks inside (`recurrent`, `embed`, `decide`, `direct`) sees the first of them.

    Args:
        networks: At least two, of one shape.

    Example:
        >>> from tidegate.heads import RegressHead
        >>> from tidegate.nn import recurrent_layer
        >>> from tidegate.nn.blocks.pooling import Pooling
        >>> from tidegate.tasks.sequence.network import SequenceNetwork
        >>> def make():
        ...     layer = recurrent_layer("gru", 2, 3, batch_first=True)
        ...     return SequenceNetwork(None, layer, Pooling("mean", 3), RegressHead(3))
        >>> Ensemble([make(), make()])(Batch(torch.zeros(1, 4, 2), torch.tensor([4]))).shape
        torch.Size([1, 1])
    """

    def __init__(self, networks: Sequence[InspectableNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    @property
    def first(self) -> InspectableNetwork:
        """The first network."""
        return cast(InspectableNetwork, self.networks[0])  # torch knows them as modules

    @property
    def head(self) -> Head:
        """The first network's head, which knows what outputs mean."""
        return self.first.head

    @property
    def recurrent(self) -> Recurrent:
        """The first network's recurrent stack."""
        return self.first.recurrent

    def recurrent_stacks(self) -> dict[str, Recurrent]:
        """Return the first network's recurrent stacks."""
        return self.first.recurrent_stacks()

    def stack_inputs(self, batch: Batch) -> dict[str, StackInput]:
        """Return what the first network's stacks read."""
        return self.first.stack_inputs(batch)

    def forward(self, batch: Batch) -> Tensor:
        """Return the mean of the outputs."""
        return torch.stack([network(batch) for network in self.networks]).mean(0)

    def embed(self, batch: Batch) -> Tensor:
        """Return what the first network's stack reads."""
        return self.first.embed(batch)

    def decide(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Return what the first network makes of what its stack reads."""
        return self.first.decide(vectors, batch)

    def direct(self, batch: Batch) -> Tensor | None:
        """Return what each step adds to the first network's outputs past its stack."""
        return self.first.direct(batch)

    def learn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Add up each network's own loss: one of the mean would let them err together."""
        losses, outputs = zip(*(network.learn(batch) for network in members(self)), strict=True)
        return torch.stack(losses).sum(), torch.stack(outputs).mean(0)


def joined(make: Callable[[], InspectableNetwork], count: int) -> Network:
    """Make one network, or an ensemble of several.

    Args:
        make: Makes one, from random weights.
        count: How many.
    """
    return make() if count == 1 else Ensemble([make() for _ in range(count)])


def members(network: Network) -> list[Network]:
    """List the networks of an ensemble, or the one there is."""
    return [*map(_as_network, network.networks)] if isinstance(network, Ensemble) else [network]


def _as_network(module: nn.Module) -> Network:
    assert isinstance(module, Network)
    return module

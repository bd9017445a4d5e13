"""Measuring: the contracts of networks, loaders and meters, and running one over the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.waiting import waiting

Metrics = dict[str, float]


class Meter(Protocol):
    """Sums up batches to a loss and scores."""

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Add one batch."""

    def result(self) -> Metrics:
        """Return `loss` and the scores over everything added."""

    def state(self) -> dict[str, Tensor]:
        """Return the sums, for a checkpoint."""

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take back the sums."""


class Network(nn.Module):
    """What the loop trains: a module that maps a Batch to outputs and knows its loss.

    Subclasses write `forward(batch) -> Tensor`, `loss` and `meter`.
    """

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the scalar to minimise, a mean over rows."""
        raise NotImplementedError

    def learn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the loss of a batch and the outputs, for a training step."""
        outputs = self(batch)
        return self.loss(outputs, batch), outputs

    def meter(self) -> Meter:
        """Return a new, empty meter."""
        raise NotImplementedError

    def begin_pass(self) -> None:
        """Forget what was kept of earlier batches: a pass over the rows begins or has ended."""

    def carried(self) -> dict[str, Tensor]:
        """Return what is kept of earlier batches for the next one, for a checkpoint."""
        return {}

    def take_carried(self, carried: Mapping[str, Tensor]) -> None:
        """Take back what `carried` returned."""

    def groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
        """Sort the trained parameters for AdamW into embeddings, weight matrices and the rest.

        Only matrices decay: an embedding would shrink in all the steps its word is not in. And
        embeddings stay out of the gradient's norm (`clip`), which they would rule.

        Args:
            learning_rate: The step size of all groups.
            weight_decay: Decay of the matrices.

        Returns:
            Groups as torch.optim takes them; `clip` says whether gradient clipping sees a group.
        """
        tables = {id(layer.weight) for layer in self.modules() if isinstance(layer, nn.Embedding)}
        groups: dict[tuple[float, bool], list[Tensor]] = {}
        for parameter in self.parameters():
            if parameter.requires_grad:
                embedding = id(parameter) in tables
                decay = weight_decay if parameter.ndim > 1 and not embedding else 0.0
                groups.setdefault((decay, not embedding), []).append(parameter)
        return [
            {"params": found, "lr": learning_rate, "weight_decay": decay, "clip": clip}
            for (decay, clip), found in groups.items()
        ]


class Loader(Protocol):
    """Encoded rows, served as batches."""

    def __len__(self) -> int:
        """Number of rows."""

    def epoch(self, epoch: int) -> Sequence[np.ndarray]:
        """Return the row indices of each training batch; a function of `epoch` (from 0) alone."""

    def in_order(self) -> Sequence[np.ndarray]:
        """Return the row indices of batches that are good for prediction, each row once."""

    def batch(self, rows: np.ndarray) -> Batch:
        """Build one batch."""

    def fingerprint(self) -> str:
        """Return a text that differs when the data differs."""


def measure(network: Network, loader: Loader, *, shown: bool = False) -> Meter:
    """Run all rows through the network in evaluation mode.

    Args:
        network: The network; its mode is put back afterwards.
        loader: Rows with targets.
        shown: Whether a bar may appear when it takes long.

    Returns:
        The filled meter.
    """
    meter = network.meter()
    for _, batch, outputs in answers(network, loader, shown=shown):
        meter.update(outputs, batch)
    return meter


def answers(
    network: Network, loader: Loader, *, shown: bool = False
) -> Iterator[tuple[np.ndarray, Batch, Tensor]]:
    """Yield, batch by batch, the rows' indices, the batch and the network's outputs.

    Args:
        network: The network; it runs in evaluation mode, which is put back afterwards.
        loader: The rows, with or without targets.
        shown: Whether a bar may appear when it takes long.
    """
    training, device = network.training, next(network.parameters()).device
    network.eval()
    network.begin_pass()
    try:
        for rows in waiting(loader.in_order(), "reading", shown=shown):
            batch = loader.batch(rows).to(device)
            with torch.inference_mode():
                outputs = network(batch)
            yield rows, batch, outputs
    finally:
        network.begin_pass()
        network.train(training)

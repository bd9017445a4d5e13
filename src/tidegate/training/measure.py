"""Measuring: the contract of loaders, and running a network over one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from tidegate.batch import Batch
from tidegate.device import single
from tidegate.training.network import Meter, Network
from tidegate.waiting import waiting


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
            with single(), torch.inference_mode():
                batch = loader.batch(rows).to(device)
                outputs = network(batch)
            yield rows, batch, outputs
    finally:
        network.begin_pass()
        network.train(training)

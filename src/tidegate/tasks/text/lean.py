"""How much of a network is worth adding to its line, told by texts that neither learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor

from tidegate.tasks.text.network import TextNetwork
from tidegate.training.measure import Loader, answers

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
"""How much of a network may count; the first of them unless more is surely a gain."""
# A gain must be greater than nothing with this probability, one-sided.
_CERTAIN = 0.8
_FEWEST = 3


@dataclass(frozen=True)
class Lean:
    """What held-out texts said of a line and of the network beside it.

    Attributes:
        rows: Texts.
        line: Share of them that the line alone puts into their class.
        commonest: Share of them that are of their commonest class.
    """

    rows: int
    line: float
    commonest: float


def settle(network: TextNetwork, held: Loader) -> Lean:
    """Give the network the share that held-out texts prove a gain.

    Args:
        network: A network with a line; its `share` is set.
        held: The texts, with their classes.
    """
    line, targets = _scores(network, held, 0.0)
    full, _ = _scores(network, held, 1.0)
    network.share.fill_(share_worth(line, full, targets))
    right = (line.argmax(1) == targets).double().mean()
    counts = torch.bincount(targets).max() / len(targets)
    return Lean(len(targets), float(right), float(counts))


def share_worth(line: Tensor, network: Tensor, targets: Tensor) -> float:
    """Say how much a network should count beside a line.

    Args:
        line: The line's scores before the softmax, `[rows, C]`.
        network: The network's.
        targets: The true classes, `[rows]` int64.

    Returns:
        One of `SHARES`, that whose gain in log-likelihood over the first is the greatest at least.

    Example:
        >>> line, network = torch.zeros(9, 2), torch.tensor([[0.0, 4.0]]).repeat(9, 1)
        >>> share_worth(line, network, torch.ones(9, dtype=torch.int64))
        1.0
    """
    if len(targets) < _FEWEST:
        return SHARES[0]

    def likelihood(share: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        logs = torch.lerp(line.double(), network.double(), share).log_softmax(1)
        found: np.ndarray[tuple[int], np.dtype[np.float64]]
        found = logs.gather(1, targets[:, None])[:, 0].numpy()
        return found

    first, sure = likelihood(SHARES[0]), student.ppf(_CERTAIN, len(targets) - 1)
    best, share = 0.0, SHARES[0]
    for tried in SHARES[1:]:
        gain = likelihood(tried) - first
        least = gain.mean() - sure * gain.std(ddof=1) / np.sqrt(len(gain))
        if least > best:
            best, share = float(least), tried
    return share


def _scores(network: TextNetwork, held: Loader, share: float) -> tuple[Tensor, Tensor]:
    """The scores of all texts with this share, and their classes, both in one order."""
    network.share.fill_(share)
    scores, targets = [], []
    for _, batch, outputs in answers(network, held):
        assert batch.targets is not None
        scores.append(outputs.cpu())
        targets.append(batch.targets.cpu())
    return torch.cat(scores), torch.cat(targets)

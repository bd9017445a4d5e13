"""Optimizers: what turns gradients into steps, and averages of the weights they lead to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

OPTIMIZERS = ("adamw", "sgd")

# AdamW's memory of squared gradients is 100 steps long, not 1000: trainings here are short, and
# rare words must not wait that long for steps of the right size.
_BETAS = (0.9, 0.99)


def make_optimizer(
    name: str, groups: list[dict[str, Any]], device: torch.device
) -> torch.optim.Optimizer:
    """Make an optimizer.

    Args:
        name: "adamw" (Loshchilov & Hutter 2019), or "sgd": plain steps down the gradient, to
            which the decay is added.
        groups: Groups of parameters with `lr` and `weight_decay`.
        device: Where the parameters are.

    Returns:
        The optimizer.

    Example:
        >>> groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": 0.1}]
        >>> type(make_optimizer("sgd", groups, torch.device("cpu"))).__name__
        'SGD'
    """
    # One fused pass over the parameters: with large embeddings the update is memory-bound.
    fused = device.type in ("cpu", "cuda")
    if name == "sgd":
        return torch.optim.SGD(groups, fused=fused)
    return torch.optim.AdamW(groups, betas=_BETAS, fused=fused)


# How soon an average of few values forgets the first ones.
_FORGET = 3


class Average:
    """A running average of weights.

    Args:
        decay: How slowly it forgets, from 0 to 1: each new value counts 1 - `decay`, at first
            more: the n-th (1 + 3) / (n + 3), an average mostly of the last quarter (Shamir & Zhang
            2013, "polynomial decay"), so that a short training is not held back by its beginning.
            With 1 it is the plain mean.

    Attributes:
        tensors: The averages by name; empty before the first update.
        updates: How many values are in them.

    Example:
        >>> average = Average(1.0)
        >>> for value in (1.0, 2.0, 6.0):
        ...     average.update({"w": torch.tensor([value])})
        >>> average.tensors
        {'w': tensor([3.])}
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.tensors: dict[str, Tensor] = {}
        self.updates = 0

    @torch.no_grad()
    def update(self, current: Mapping[str, Tensor]) -> None:
        """Take in the weights of the present.

        Args:
            current: The weights by name, always the same names.
        """
        if not self.tensors:
            self.tensors = {name: tensor.detach().clone() for name, tensor in current.items()}
        self.updates += 1
        forget = _FORGET if self.decay < 1 else 0
        share = max(1 - self.decay, (1 + forget) / (self.updates + forget))
        averages = [self.tensors[name] for name in current]
        torch._foreach_lerp_(averages, [tensor.detach() for tensor in current.values()], share)

    @contextlib.contextmanager
    def within(self, network: nn.Module) -> Iterator[None]:
        """Run a block in which a network has the averages for weights, if there are any yet.

        Args:
            network: Whose weights `update` took in.
        """
        present = network.state_dict()
        trained = {name: present[name].clone() for name in self.tensors}
        network.load_state_dict(self.tensors, strict=False)
        try:
            yield
        finally:
            network.load_state_dict(trained, strict=False)


def copied(network: nn.Module, before: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy the state of a network; of what has not changed the copy made before is enough.

    Args:
        network: Any.
        before: An earlier copy, or nothing.

    Returns:
        Tensors by name, as `state_dict` names them.

    Example:
        >>> layer = nn.Linear(2, 1)
        >>> first = copied(layer, {})
        >>> _ = layer.bias.data.add_(1)
        >>> second = copied(layer, first)
        >>> second["weight"] is first["weight"], second["bias"] is first["bias"]
        (True, False)
    """
    copies = {}
    for name, tensor in network.state_dict().items():
        kept = before.get(name)
        copies[name] = tensor.clone() if kept is None or not torch.equal(kept, tensor) else kept
    return copies


def has_stalled(losses: Sequence[float], epochs: int) -> bool:
    """Say whether training has come to where plain steps gain no more, at some time.

    That is the non-monotone trigger of Merity et al. 2017, algorithm 1: an epoch is worse than
    the best of all but the last `epochs` before it.

    Args:
        losses: The validation loss of each epoch.
        epochs: How many of the last epochs may be better without counting.

    Returns:
        Whether any epoch was.

    Example:
        >>> has_stalled([3, 2, 2.5, 2.4], 2), has_stalled([3, 2, 2.5, 2.4, 2.1], 2)
        (False, True)
    """
    return any(
        loss > min(losses[: epoch - epochs]) for epoch, loss in enumerate(losses) if epoch > epochs
    )

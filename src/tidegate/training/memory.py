"""Memory: what a training will take, known and told before it begins."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Protocol

import torch
from torch import Tensor

from tidegate.errors import InputError, message
from tidegate.free_memory import free_memory
from tidegate.training.network import Network

_MOMENTS = {"adamw": 2, "sgd": 0}
_MUCH = 2**30  # bytes, below which nobody is warned


class Copies(Protocol):
    """The settings that say how often weights are kept; see `TrainingPlan`."""

    @property
    def optimizer(self) -> str:
        """Which optimizer."""

    @property
    def weight_averaging(self) -> float:
        """Decay of the average of the weights, 0 for none."""

    @property
    def average_after(self) -> int | None:
        """When a plain average begins, None for never."""


def training_bytes(trained: int, fixed: int, plan: Copies) -> int:
    """Say what a training keeps besides the network itself.

    That are, of each trained number, the gradient, the moments of the optimizer and the copy of
    a new best epoch beside that of the best one before; with an average, it and a copy besides.

    Args:
        trained: Bytes of the weights that are trained.
        fixed: Bytes of the network that are not.
        plan: The settings.

    Example:
        >>> from tidegate.training.loop import TrainingPlan
        >>> training_bytes(100, 10, TrainingPlan())
        510
    """
    averages = 2 if plan.weight_averaging or plan.average_after is not None else 0
    return trained * (3 + _MOMENTS[plan.optimizer] + averages) + fixed


def check_network(network: Network, plan: Copies, device: torch.device, owner: str) -> None:
    """Refuse to train a network for whose gradients, moments and copies memory does not suffice.

    Args:
        network: The network, made already.
        plan: The settings.
        device: Where it is.
        owner: Who complains.

    Raises:
        InputError: If they take more than is free.
    """
    parameters = list(network.parameters())
    trained = _bytes(parameters)
    needed = training_bytes(trained, _bytes(network.buffers()), plan)
    count = sum(parameter.numel() for parameter in parameters)
    got = f"{count:,} trained numbers, with gradients, moments and copies about {{}}"
    remedy = "Lower hidden_size, num_layers, or how many words, n-grams or symbols there are"
    check_room(owner, "network", got, needed, device, remedy)


def check_pairs(owner: str, noun: str, count: int, tables: int) -> None:
    """Refuse more classes or tags than memory has room for: each pair has numbers of its own.

    Args:
        owner: Who complains.
        noun: What they are called.
        count: How many there are.
        tables: Numbers of each pair, float64.

    Raises:
        InputError: If they take more memory than is free.
    """
    got = f"{count:,} {noun}, whose pairs take about {{}}"
    needed = 8 * tables * count**2
    check_room(owner, "y", got, needed, torch.device("cpu"), f"Put rare {noun} together")


def check_room(
    owner: str, argument: str, got: str, needed: int, device: torch.device, remedy: str
) -> None:
    """Refuse what memory does not suffice for; warn of what takes more than half of it.

    Args:
        owner: Who complains.
        argument: The setting, or part of the network, that needs it.
        got: How large that is; {} stands for the bytes.
        needed: Bytes, about.
        device: Where.
        remedy: What to do about it, without the full stop.

    Raises:
        InputError: If it takes more than is free.
    """
    there = free_memory(device)
    if there is None or needed <= max(there / 2, min(there, _MUCH)):
        return
    told = got.format(f"{needed / 2**30:,.1f} GiB")
    if needed > there:
        rule = f"small enough for {there / 2**30:,.1f} GiB of free memory"
        raise InputError(message(owner, argument, rule, told, remedy))
    free = f"{there / 2**30:,.1f} GiB of memory are free"
    what = f"{owner}: `{argument}` has {told}; {free}. {remedy} if that is too much."
    warnings.warn(what, UserWarning, stacklevel=4)


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

"""Inspectable: what explanations need of a network, and how they run it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.data.text.encoded import UNKNOWN
from tidegate.errors import InputError, message
from tidegate.nn import Recurrent
from tidegate.training.network import Network, StackInput

_STEPS = 32_768  # rows times steps of one batch: some 100 MB for a layer of 128 units


@runtime_checkable
class Inspectable(Protocol):
    """A network that says what its recurrent stack reads and how an answer comes from it.

    Axis letters: B rows, T steps, D features that the stack reads, C outputs.

    `decide(embed(batch), batch)` equals `network(batch)` in evaluation mode.

    Attributes:
        recurrent: The stack.

    Example:
        >>> from tidegate.nn import recurrent_layer
        >>> from tidegate.nn.blocks.embedding import Embedding
        >>> from tidegate.tasks.text.network import TextNetwork
        >>> layer = recurrent_layer("gru", 4, 3, batch_first=True)
        >>> isinstance(TextNetwork(Embedding(9, 4), layer, "mean", 2), Inspectable)
        True
    """

    recurrent: Recurrent

    def embed(self, batch: Batch) -> Tensor:
        """Return what the stack reads, `[B, T, D]`."""

    def decide(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Return the outputs `[B, C]` for what the stack reads, `[B, T, D]`."""

    def direct(self, batch: Batch) -> Tensor | None:
        """Return what each step adds to the outputs past the stack, `[B, T, C]`; None if nothing.

        It is exact: without these shares the outputs depend on the steps through `embed` alone.
        """


@contextmanager
def still(network: Inspectable) -> Iterator[torch.device]:
    """Hold a network still: evaluation mode, and no gradients for its weights.

    Args:
        network: The network; its mode and its weights' `requires_grad` are put back afterwards.

    Yields:
        The device of its weights.

    Raises:
        InputError: If the network is not inspectable.
    """
    if not (isinstance(network, nn.Module) and isinstance(network, Inspectable)):
        rule = "a module with `recurrent`, `embed`, `decide` and `direct`"
        raise InputError(message("explain", "network", rule, type(network).__name__))
    with resting(network) as device:
        yield device


@contextmanager
def resting(network: nn.Module) -> Iterator[torch.device]:
    """Put any module in evaluation mode, without gradients for its weights, and back.

    Args:
        network: The module.

    Yields:
        The device of its weights.
    """
    training = network.training
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    device = next(network.parameters()).device
    try:
        network.eval().requires_grad_(False)
        yield device
    finally:
        network.train(training)
        for weight in learned:
            weight.requires_grad_()


def stack_of(network: nn.Module, name: str | None = None) -> Recurrent | None:
    """Find a recurrent stack of a network.

    Args:
        network: Any module.
        name: Its name where the network has several; None for the first.

    Returns:
        The stack, or None if the network shows none.
    """
    found = getattr(network, "recurrent", None)
    if isinstance(network, Network):
        stacks = network.recurrent_stacks()
        found = stacks[name or next(iter(stacks))] if stacks else None
    return found if isinstance(found, Recurrent) else None


def shows_inputs(network: nn.Module) -> bool:
    """Say whether a network shows what its stack reads of a batch."""
    told = isinstance(network, Network) and type(network).stack_inputs is not Network.stack_inputs
    return told or hasattr(network, "embed")


def shows_input(network: Network, batch: Batch, name: str) -> bool:
    """Say whether a network shows what one of its stacks reads of a batch."""
    with torch.inference_mode():
        place = next(network.parameters()).device
        return name in network.stack_inputs(batch.to(place))


def input_of(network: nn.Module, batch: Batch, name: str | None = None) -> StackInput:
    """Return what a stack of a network reads of a batch; see `shows_inputs`.

    Args:
        network: The network, in evaluation mode.
        batch: The rows.
        name: The name of the stack; None for the first.
    """
    with torch.inference_mode():
        if not isinstance(network, Network):
            return StackInput(network.embed(batch), batch.lengths)  # type: ignore[operator]
        found = network.stack_inputs(batch)
        return found[name or next(iter(found))]


def state_rows(
    state: Tensor | tuple[Tensor, ...] | None, rows: Tensor
) -> Tensor | tuple[Tensor, ...] | None:
    """Return the state, `[N, B, H]` or several of them, of these rows; None for none."""
    if state is None or isinstance(state, Tensor):
        return None if state is None else state[:, rows]
    return tuple(part[:, rows] for part in state)


def take_rows(batch: Batch, rows: Tensor) -> Batch:
    """Return the rows of these indices, in their order; one may come many times."""
    return Batch(batch.values[rows], batch.lengths[rows])


def portions(rows: int, steps: int) -> Iterator[slice]:
    """Cut many rows of `steps` steps into batches that fit into memory."""
    size = max(1, _STEPS // max(1, steps))
    return (slice(start, start + size) for start in range(0, rows, size))


def silent(batch: Batch, steps: Tensor | None = None) -> Batch:
    """Take what steps say out of a batch, and leave the steps there.

    A word becomes the unknown word, which in training stood for any, and the n-grams that span it
    are none; a feature becomes 0, the mean of a standardised series.

    Args:
        batch: The rows; their values stay as they are.
        steps: Which steps, `[B, T]` bool; None for all. Padding is never touched.

    Returns:
        A batch of the same lengths.

    Example:
        >>> batch = Batch(torch.tensor([[5, 2, 0]]), torch.tensor([2]))
        >>> silent(batch).values.tolist()
        [[1, 1, 0]]
    """
    values, mask = batch.values, batch.mask
    gone = mask if steps is None else mask & steps
    if values.is_floating_point():
        return replace(batch, values=values.masked_fill(gone[..., None], 0.0))
    if values.ndim == 2:
        return replace(batch, values=values.masked_fill(gone, UNKNOWN))
    values = values.clone()
    values[..., 0].masked_fill_(gone, UNKNOWN)
    spanned = gone
    for order in range(1, values.shape[-1]):
        # An n-gram stands where it ends: one word more reaches one step further back.
        spanned = spanned | nn.functional.pad(gone, (order, 0))[:, : gone.shape[1]]
        values[..., order].masked_fill_(spanned, 0)
    return replace(batch, values=values)

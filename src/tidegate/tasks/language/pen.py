"""Pen: a language model's network one symbol at a time, from NumPy to NumPy."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tidegate.heads import LanguageHead, SymbolHead
from tidegate.nn import Recurrent
from tidegate.tasks.language.network import LanguageNetwork, State

Array = npt.NDArray[Any]

# Steps of a long text that are read at once; the state is carried from part to part.
STEPS = 512


class Pen:
    """Writes B texts at once, on the CPU, with a copy of the weights of a network's stacks.

    A symbol is one step of each stack's stream. A vocabulary smaller than the vectors of its
    symbols, such as one of characters, goes into the first layer one-hot: the products of the
    vectors and the layer's input weights are made once, not at each step.

    Axis letters: B texts, T steps, V symbols, F features.

    Args:
        network: The network; it must not change meanwhile.
        rows: B.
        banned: Ids that are never written: their score is -inf.

    Example:
        >>> pen = Pen(model.network_, 1)  # doctest: +SKIP
        >>> scores = pen.read([model.encoder_.ids("To be")])  # doctest: +SKIP
        >>> scores = pen.step(scores.argmax(-1))  # doctest: +SKIP
    """

    def __init__(self, network: LanguageNetwork, rows: int, banned: Sequence[int] = ()) -> None:
        self._network, self._rows = network, rows
        first, *others = network.layers
        vectors = _vectors(network)
        symbols = torch.eye(len(vectors), dtype=vectors.dtype)
        few = len(vectors) <= vectors.shape[1]
        stacks = [_copy(first, vectors if few else None), *map(_copy, others)]
        self._table = (symbols if few else vectors).numpy()
        self._streams = [stack.stream(rows) for stack in stacks]
        self._score = _scorer(network.head, list(banned))

    def read(self, texts: Sequence[Sequence[int]]) -> Array:
        """Read what stands before the texts, from a state of zero.

        Args:
            texts: Ids of each row, at least one.

        Returns:
            Scores of the next symbol, `[B, V]`, or `[V]` if B is 1: log-probabilities but for a
            constant in each row.
        """
        last: Tensor | None = None
        after: State = ()
        for features, state, valid in read_parts(self._network, texts):
            found = features[torch.arange(len(features)), (valid - 1).clamp_min(0)]
            last = found if last is None else torch.where(valid[:, None] > 0, found, last)
            after = state
        assert last is not None
        for stream, own in zip(self._streams, after, strict=True):
            parts = own if isinstance(own, tuple) else (own,)
            stream.state = tuple(part.cpu().numpy().astype(self._table.dtype) for part in parts)
        return self._score(last.numpy() if self._rows > 1 else last[0].numpy())

    def step(self, ids: Array) -> Array:
        """Write a symbol in each row.

        Args:
            ids: `[B]` int64, or a number if B is 1.

        Returns:
            Scores of the next one, as `read` returns them.
        """
        features = self._table[ids]
        for stream in self._streams:
            features = stream.step(features)
        return self._score(features)

    def take(self, rows: Array) -> None:
        """Let each row go on from the state of another one, or its own.

        Args:
            rows: Which one, `[B]` int64.
        """
        for stream, stack in zip(self._streams, self._network.layers, strict=True):
            axis = 0 if stack.options.state_batch_first else 1
            states = stream.state if isinstance(stream.state, tuple) else (stream.state,)
            stream.state = tuple(np.take(state, rows, axis) for state in states)


def read_parts(
    network: LanguageNetwork, texts: Sequence[Sequence[int]]
) -> Iterator[tuple[Tensor, State, Tensor]]:
    """Read texts part by part, so that memory does not grow with their length.

    Args:
        network: The network; it runs in evaluation mode, without gradients.
        texts: Ids of each row.

    Yields:
        Of each part the features `[B, T, F]` on the CPU, the state after it, and the valid steps
        of each row `[B]`.
    """
    lengths = torch.tensor([len(text) for text in texts])
    state: State | None = None
    for start in range(0, int(lengths.max()), STEPS):
        valid = (lengths - start).clamp(0, STEPS)
        ids = torch.zeros(len(texts), int(valid.max()), dtype=torch.int64)
        for row, text in enumerate(texts):
            part = text[start : start + STEPS]
            ids[row, : len(part)] = torch.tensor(part, dtype=torch.int64)
        with _evaluating(network) as device:
            features, state = network.read(ids.to(device), state, lengths=valid.to(device))
        yield features.cpu(), state, valid


@contextmanager
def _evaluating(network: LanguageNetwork) -> Iterator[torch.device]:
    """Evaluation without gradients; yields the device of the weights."""
    training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            yield next(network.parameters()).device
    finally:
        network.train(training)


def _vectors(network: LanguageNetwork) -> Tensor:
    """The vectors of all symbols, `[V, E]`, on the CPU."""
    with _evaluating(network) as device:
        ids = torch.arange(network.embedding.num_embeddings, device=device)
        found: Tensor = network.embedding(ids).cpu()
    return found


def _copy(stack: Recurrent, vectors: Tensor | None = None) -> Recurrent:
    """A copy of a stack that can be streamed; with vectors `[V, D]` it takes `[V]`, not `[D]`."""
    copied = copy.deepcopy(stack).cpu()
    if vectors is not None:
        # The input products of all symbols, rounded once.
        products = copied.weights(0)["weight_ih"].detach().double() @ vectors.double().T
        copied.input_size = len(vectors)
        copied.weight_ih_l0 = nn.Parameter(products.to(vectors.dtype))
    return copied


def _scorer(head: SymbolHead, banned: list[int]) -> Callable[[Array], Array]:
    """What gives the scores `[..., V]` of features `[..., F]`."""
    if type(head) is LanguageHead:
        weight = head.table.detach().cpu().numpy().T
        bias = head.bias.detach().cpu().numpy().copy()
        bias[banned] = -np.inf

        def scores(features: Array) -> Array:
            found: Array = features @ weight + bias
            return found

        return scores

    def log_probabilities(features: Array) -> Array:
        rows = torch.from_numpy(np.atleast_2d(features))
        with torch.inference_mode():
            found = head.answer(rows.to(next(head.parameters()).device)).cpu().numpy()
        found[:, banned] = -np.inf
        logs: Array = found.reshape(*features.shape[:-1], -1)
        return logs

    return log_probabilities

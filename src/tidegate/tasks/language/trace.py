"""The trace of a language model: all of its stacks as one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from tidegate.errors import InputError, message
from tidegate.nn.trace.selection import Names, Numbers, pick
from tidegate.nn.trace.trace import Trace
from tidegate.tasks.language.network import LanguageNetwork

_OWNER = "trace"


def trace_texts(
    network: LanguageNetwork,
    texts: Sequence[Sequence[int]],
    *,
    layers: Numbers = None,
    units: Numbers = None,
    gates: Names = None,
) -> Trace:
    """Trace the stacks of a network while they read texts, layers counted through all stacks.

    Args:
        network: The network.
        texts: Ids of each row; each begins at a state of zero.
        layers: Numbers of the layers to keep, from 0; None for all.
        units: Numbers of the units to keep, from 0; None for all.
        gates: Names of the gates to keep; None for all.

    Returns:
        One trace, without labels.

    Raises:
        InputError: If there is no such layer, unit or gate, or the layers differ in size.

    Example:
        >>> from torch import nn
        >>> from tidegate.heads import LanguageHead
        >>> from tidegate.nn import LSTM
        >>> stacks = [LSTM(4, 3, batch_first=True), LSTM(3, 3, batch_first=True)]
        >>> network = LanguageNetwork(nn.Embedding(9, 4), stacks, LanguageHead(3, 9))
        >>> trace_texts(network, [[5, 2], [7]]).rows
        ('layer 0 forward', 'layer 1 forward')
    """
    counts = [stack.num_layers for stack in network.layers]
    wanted = set(pick(_OWNER, "layers", layers, range(sum(counts))))
    sizes = [stack.hidden_size for stack in network.layers for _ in range(stack.num_layers)]
    if len({sizes[layer] for layer in wanted}) > 1:
        told = ", ".join(f"{layer}: {sizes[layer]} units" for layer in sorted(wanted))
        raise InputError(message(_OWNER, "layers", "layers of one size", told, "Choose among them"))
    traces, first = [], 0
    features, lengths = _begin(network, texts)
    training = network.training
    network.eval()
    try:
        for stack, count in zip(network.layers, counts, strict=True):
            own = [layer - first for layer in sorted(wanted) if first <= layer < first + count]
            if own:
                part = stack.trace(features, lengths=lengths, layers=own, units=units, gates=gates)
                traces.append(_renumbered(part, first))
            first += count
            if first <= max(wanted):
                with torch.no_grad():
                    features, _ = stack(features, lengths=lengths)
    finally:
        network.train(training)
    return _stacked(traces)


def _begin(network: LanguageNetwork, texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """The vectors of the symbols `[B, T, E]`, and the lengths `[B]`."""
    device = network.embedding.weight.device
    lengths = torch.tensor([len(text) for text in texts])
    ids = torch.zeros(len(texts), int(lengths.max()), dtype=torch.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text, dtype=torch.int64)
    with torch.no_grad():
        vectors: Tensor = network.embedding(ids.to(device))
    return vectors, lengths.to(device)


def _renumbered(trace: Trace, first: int) -> Trace:
    """A trace whose layers are counted from another number on."""
    rows = (name.split() for name in trace.rows)
    named = tuple(f"layer {first + int(number)} {way}" for _, number, way in rows)
    return dataclasses.replace(trace, rows=named)


def _stacked(traces: Sequence[Trace]) -> Trace:
    """Traces of stacks over the same rows as one."""
    if len(traces) == 1:
        return traces[0]
    first = traces[0]
    return dataclasses.replace(
        first,
        gates={name: torch.cat([trace.gates[name] for trace in traces]) for name in first.gates},
        hidden=torch.cat([trace.hidden for trace in traces]),
        cell=None
        if first.cell is None
        else torch.cat([t.cell for t in traces if t.cell is not None]),
        rows=tuple(name for trace in traces for name in trace.rows),
    )

"""Initial weights of recurrent layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn

from tidegate.cells import Cell
from tidegate.cells.base import Weights
from tidegate.device import generator
from tidegate.nn.options import StackOptions

_skipped = ContextVar("skipped", default=False)


@contextmanager
def skipped() -> Iterator[None]:
    """Leave the weights of layers that are made in a block as the memory was that they got.

    For weights that are read from a file at once: drawing orthogonal ones takes longer than all
    the rest of loading a model.
    """
    token = _skipped.set(True)
    try:
        yield
    finally:
        _skipped.reset(token)


@torch.no_grad()
def initialise(cell: Cell, weights: Weights, options: StackOptions) -> None:
    """Fill the weights of one layer and direction in place.

    "torch" draws everything from U(-1/√H, 1/√H) in torch.nn's order, so that the same seed gives
    the same values. "orthogonal" makes each H rows of the recurrent matrix orthogonal, the input
    matrix Glorot-uniform and the biases zero. "chrono" is "torch" with the biases of the gates
    spread over time scales up to `max_lag` (Tallec & Ollivier 2018, equation 16): b_f = ln U(1,
    max_lag - 1), b_i = -b_f; for a GRU the update gate takes the place of the forget gate.

    Args:
        cell: The cell the weights belong to.
        weights: Its weights by name.
        options: `init`, `max_lag` and `forget_bias`.
    """
    if _skipped.get():
        return
    bound = 1 / math.sqrt(cell.hidden_size)
    for name, weight in weights.items():
        if name.startswith("norm"):
            nn.init.zeros_(weight) if name.endswith("bias") else nn.init.ones_(weight)
        else:
            nn.init.uniform_(weight, -bound, bound, generator(weight.device))
    if options.init == "orthogonal":
        _orthogonal(cell, weights)
    if options.init == "chrono":
        assert options.max_lag is not None
        # On "meta", where options are tried, nothing is drawn.
        drawn = torch.empty(cell.hidden_size, device=weights["bias_ih"].device)
        source = generator(drawn.device)
        keep = drawn.uniform_(1, options.max_lag - 1, generator=source).log()
        _set_bias(cell, weights, cell.keep_gate, keep)
        _set_bias(cell, weights, cell.write_gate, -keep)
    if options.forget_bias is not None:
        keep = torch.full((cell.hidden_size,), float(options.forget_bias))
        _set_bias(cell, weights, cell.keep_gate, keep)


def _orthogonal(cell: Cell, weights: Weights) -> None:
    for block in weights["weight_hh"].split(cell.hidden_size):
        # The factorisation behind it has no half precision. `empty_like` would do, but on "meta" it
        # loads torch's compiler, which takes most of the time in which a model is loaded.
        wide = torch.promote_types(block.dtype, torch.float32)
        drawn = torch.empty(block.shape, dtype=wide, device=block.device)
        block.copy_(nn.init.orthogonal_(drawn, generator=generator(drawn.device)))
    inputs = weights["weight_ih"]
    nn.init.xavier_uniform_(inputs, generator=generator(inputs.device))
    for name, weight in weights.items():
        if name.startswith("bias"):
            nn.init.zeros_(weight)


def _set_bias(cell: Cell, weights: Weights, gate: str | None, values: Tensor) -> None:
    """Put the whole bias of one gate in `bias_ih`; a gate without rows of its own has none."""
    if gate not in cell.blocks:
        return
    start = cell.blocks.index(gate) * cell.hidden_size
    rows = slice(start, start + cell.hidden_size)
    weights["bias_ih"][rows] = values.to(weights["bias_ih"])
    weights["bias_hh"][rows] = 0

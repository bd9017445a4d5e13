"""What weights alone say about units: for a saved model without data."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from tidegate.explain.memory.memory import STUCK
from tidegate.nn import Recurrent

_ZERO = 1e-3  # of the middle row's size
# The row block that a unit writes to its state from.
_WRITES = ("candidate", "new", "hidden")


def gate_bounds(
    stack: Recurrent, gate: str, vectors: Tensor | None
) -> dict[str, tuple[Tensor, Tensor]]:
    """Say which gates stay open, or shut, whatever is read.

    The sum under the sigmoid is the bias, what the state adds, at most sum |U| as |h| <= 1, and
    what the input adds, which is between two numbers if everything that can be read is known.

    Args:
        stack: The layers.
        gate: The row block.
        vectors: All that the first layer may read, `[V, D]`, or None if it is not known.

    Returns:
        For each layer and direction of which it can be said, by name: the units whose gate is
        always above 0.999, and those whose gate is always below 0.001, `[H]` bool each.
    """
    cell, found = stack.cell, {}
    if {"norm_ih", "weight_ch", "weight_hr"} & set(cell.shapes(1)):
        return {}  # sums that are normalised, or have a part that no number bounds
    for name, layer, weights in _layers(stack):
        if layer and (stack.options.residual or stack.options.merge == "sum"):
            continue
        if layer == 0 and vectors is None:
            continue
        rows = slice_of(stack, gate)
        reads, repeats = weights["weight_ih"][rows], weights["weight_hh"][rows]
        low = high = repeats.new_zeros(len(repeats))
        if cell.bias:
            low = high = weights["bias_ih"][rows] + weights["bias_hh"][rows]
        reach = repeats.abs().sum(1)
        if layer == 0:
            assert vectors is not None
            read = vectors @ reads.T
            low, high = low + read.amin(0), high + read.amax(0)
        else:
            reach = reach + reads.abs().sum(1)
        edge = math.log(1 / STUCK - 1)
        found[name] = ((low - reach > edge).cpu(), (high + reach < -edge).cpu())
    return found


def idle(stack: Recurrent) -> dict[str, Tensor]:
    """Say which units write nothing that depends on input or state, `[H]` bool by layer.

    There is no answer for a cell of another package, whose row blocks have other names.
    """
    found = {}
    blocks = [block for block in stack.cell.blocks if block in _WRITES]
    for name, _, weights in _layers(stack):
        for block in blocks:
            rows = slice_of(stack, block)
            sizes = torch.cat([weights[n][rows] for n in ("weight_ih", "weight_hh")], 1).norm(dim=1)
            found[name] = (sizes <= _ZERO * sizes.median()).cpu()
    return found


def likeness(stack: Recurrent) -> dict[str, Tensor]:
    """Say how alike the incoming weights of units are, `[H, H]` by layer and direction.

    1 - d² / (2 n m), and 0 at least, for two units whose weights and biases are d apart and whose
    weights have the norms n and m: the cosine, if n = m, that a large common bias cannot rule.
    """
    found = {}
    for name, _, weights in _layers(stack):
        rows = _by_unit(stack, [weights["weight_ih"], weights["weight_hh"]])
        apart = torch.cdist(rows, rows)
        if stack.cell.bias:
            biases = _by_unit(stack, [(weights["bias_ih"] + weights["bias_hh"])[:, None]])
            apart = torch.hypot(apart, torch.cdist(biases, biases))
        norms = rows.norm(dim=1).clamp(min=torch.finfo(rows.dtype).tiny)
        close = 1 - apart**2 / (2 * norms[:, None] * norms)
        found[name] = close.clamp(min=0).cpu()
    return found


def _by_unit(stack: Recurrent, parts: list[Tensor]) -> Tensor:
    """All that comes into each unit, its row blocks side by side: `[H, ...]`."""
    rows = torch.cat(parts, 1).double().view(len(stack.cell.blocks), stack.hidden_size, -1)
    return rows.transpose(0, 1).flatten(1)


def slice_of(stack: Recurrent, block: str) -> slice:
    """Where a row block stands in the weight matrices."""
    first = stack.cell.blocks.index(block) * stack.hidden_size
    return slice(first, first + stack.hidden_size)


def _layers(stack: Recurrent) -> Iterator[tuple[str, int, dict[str, Tensor]]]:
    ways = (("", "forward"), ("_reverse", "backward"))
    for layer in range(stack.num_layers):
        for suffix, way in ways[: 2 if stack.bidirectional else 1]:
            weights = {name: w.detach() for name, w in stack.weights(layer, suffix).items()}
            yield f"layer {layer} {way}", layer, weights

"""One step from one state with many inputs side by side: what comes next, for each of them."""

from __future__ import annotations

from torch import Tensor, nn

from tidegate.nn.stack import Recurrent

States = Tensor | tuple[Tensor, ...]


def fan_out(stack: nn.Module, x: Tensor, state: States) -> Tensor:
    """Take one step from each row's state with each of its inputs.

    The products with the state are made once a row, not once an input, where nothing random
    happens inside the stack.

    Axis letters: B rows, M inputs of a row, D features, P output features.

    Args:
        stack: A stack of one direction, `batch_first`.
        x: `[B, M, D]`, or `[1, M, D]` for the same inputs in every row.
        state: The states of all rows, as the stack returned them.

    Returns:
        The outputs, `[B, M, P]`.

    Example:
        >>> import torch
        >>> from tidegate.nn import GRU
        >>> layer = GRU(2, 3, batch_first=True)
        >>> _, state = layer(torch.zeros(5, 7, 2))
        >>> fan_out(layer, torch.zeros(5, 4, 2), state).shape
        torch.Size([5, 4, 3])
    """
    if isinstance(stack, Recurrent) and _is_steady(stack):
        return _shared(stack, x, state)
    rows, count = _parts(state)[0].shape[1], x.shape[1]
    parts = tuple(part.repeat_interleave(count, 1) for part in _parts(state))
    start = parts if isinstance(state, tuple) else parts[0]
    output: Tensor = stack(x.expand(rows, -1, -1).flatten(0, 1)[:, None], start)[0]
    return output.view(rows, count, -1)


def _parts(state: States) -> tuple[Tensor, ...]:
    return state if isinstance(state, tuple) else (state,)


def _is_steady(stack: Recurrent) -> bool:
    """Whether one layer's equations are all there is: no masks, no merging, one precision."""
    options = stack.options
    drops = options.recurrent_dropout or options.weight_dropout or options.zoneout
    return (
        stack.num_layers == 1
        and not stack.bidirectional
        and not drops
        and options.precision == "float32"
        and not options.state_batch_first
    )


def _shared(stack: Recurrent, x: Tensor, state: States) -> Tensor:
    """By the cell's own equations, which let the one state of a row stand for many."""
    weights = stack.weights(0)
    before = tuple(part[0][:, None] for part in _parts(state))
    after, _ = stack.cell.step(stack.cell.inputs(x, weights), before[0], before, weights)
    return after[0]

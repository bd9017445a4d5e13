"""Layers by the name of their cell."""

from __future__ import annotations

from typing import Any

from tidegate import cells
from tidegate.nn.options import split_options
from tidegate.nn.stack import Recurrent


def recurrent_layer(
    cell: str, input_size: int, hidden_size: int, num_layers: int = 1, **options: Any
) -> Recurrent:
    """Build a layer by the name of its cell.

    Args:
        cell: A registered name: "lstm", "gru", "rnn", or one's own.
        input_size: D.
        hidden_size: H.
        num_layers: Layers in the stack.
        **options: Arguments of `Recurrent`, `bias`, and any of `layer_options(cell)`.

    Raises:
        InputError: If the cell or an option is unknown.

    Example:
        >>> recurrent_layer("lstm", 3, 4, peephole=True).cell.peephole
        True
    """
    names = ("batch_first", "dropout", "bidirectional", "device", "dtype")
    stack: dict[str, Any] = {name: options.pop(name) for name in names if name in options}
    bias = options.pop("bias", True)
    of_cell, of_stack = split_options(cell, options)
    equations = cells.get(cell)(hidden_size=hidden_size, bias=bias, **of_cell)
    return Recurrent(equations, input_size, num_layers, **stack, **of_stack)

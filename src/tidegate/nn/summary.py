"""What a recurrent stack costs: parameters, multiply-adds and the memory of training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tidegate.cells import Cell


@dataclass(frozen=True)
class LayerCost:
    """The cost of one layer, all its directions together.

    Attributes:
        name: "layer 0" and so on.
        parameters: Numbers to learn.
        multiply_adds: Multiply-adds of the matrix products of a forward pass over `[B, T]`
            steps. A training step takes three times as many.
        activation_bytes: What a training step of the reference backend keeps for its backward
            pass; other backends may keep less, or more (oneDNN's LSTM about three times).
    """

    name: str
    parameters: int
    multiply_adds: int
    activation_bytes: int


@dataclass(frozen=True)
class Summary:
    """The cost of a stack, layer by layer; print it for a table.

    Attributes:
        layers: The cost of each.
    """

    layers: tuple[LayerCost, ...]

    @property
    def parameters(self) -> int:
        """Numbers to learn in all layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of a forward pass through all layers."""
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def activation_bytes(self) -> int:
        """Bytes that a training step keeps for all layers."""
        return sum(layer.activation_bytes for layer in self.layers)

    def __str__(self) -> str:
        """A table with a line a layer."""
        total = LayerCost("total", self.parameters, self.multiply_adds, self.activation_bytes)
        lines = [f"{'':<10}{'parameters':>14}{'multiply-adds':>18}{'activations':>16}"]
        for cost in (*self.layers, total):
            memory = f"{cost.activation_bytes / 2**20:,.2f} MiB"
            lines.append(
                f"{cost.name:<10}{cost.parameters:>14,}{cost.multiply_adds:>18,}{memory:>16}"
            )
        return "\n".join(lines)


def layer_cost(
    name: str, cell: Cell, input_size: int, *, directions: int, cells: int, number: int
) -> LayerCost:
    """Count what one layer costs.

    Args:
        name: What to call it.
        cell: Its equations.
        input_size: Features that come in.
        directions: 1 or 2.
        cells: Steps times rows of a pass.
        number: Bytes of one number.

    Returns:
        The cost of all directions together.
    """
    sizes = [math.prod(shape) for shape in cell.shapes(input_size).values()]
    kept = directions * cell.saved_per_step() + input_size
    return LayerCost(
        name,
        directions * sum(sizes),
        directions * cells * cell.multiply_adds(input_size),
        cells * kept * number,
    )

"""What goes into the native library and what comes out of it, and its numbers for cells."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tidegate import cells
from tidegate.cells import Cell
from tidegate.errors import BackendError
from tidegate.kernels import library
from tidegate.kernels.compiling import constant

WEIGHTS = {
    "weight_ih": "w_ih",
    "weight_hh": "w_hh",
    "bias_ih": "b_ih",
    "bias_hh": "b_hh",
    "weight_ch": "w_ch",
    "weight_hr": "w_hr",
    "norm_ih": "norm_ih",
    "norm_hh": "norm_hh",
    "norm_cell": "norm_cell",
    "norm_cell_bias": "norm_cell_bias",
}
"""Names of the weights in a cell, and in the library's structs."""

_STATES = ("h0", "c0")
_EXTRAS = {
    "lengths": torch.int64,
    "resets": torch.bool,
    "recurrent_mask": torch.float32,
    "zone_hidden": torch.bool,
    "zone_cell": torch.bool,
}


Numbers = tuple[int, int, int, int, bool, float]
"""Kind, options, H, P, whether there are biases, and the clip: a cell in the library's terms."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What every call with one cell needs.

    Attributes:
        cell: The cell.
        dtype: Of x, y and the gates, and of their gradients; all else is float32.
        hidden_size: H.
        output_size: P.
        has_cells: Whether there is a cell state beside h.
        kept: Slots and units of the gates of one step, in the instruction set chosen at
            load.
        fields: Names of the arguments after x in the library's struct, in the order of `Inputs`.
        places: Where they stand in that struct.
        slopes: Where the gradients of the states and weights stand in the other struct.
        dtypes: Types of the arguments.
    """

    cell: Cell
    dtype: torch.dtype
    hidden_size: int
    output_size: int
    has_cells: bool
    kept: tuple[int, int]
    fields: tuple[str, ...]
    places: tuple[int, ...]
    slopes: tuple[int, ...]
    dtypes: tuple[torch.dtype, ...]


class Inputs(NamedTuple):
    """All that goes into a pass: tensors first, then what describes the cell and the walk.

    Attributes:
        x: `[B, T, D]` by any strides; bfloat16 if the options say so, else float32 as are states,
            weights and the mask.
        state: Initial states, `[B, size]` each.
        weights: In the order of the cell's `shapes`.
        lengths: `[B]` int64, or None.
        resets: `[B, T]` bool, or None.
        recurrent_mask: `[B, P]`, or None.
        zone_hidden: `[B, T, P]` bool, True keeps the old value; or None.
        zone_cell: `[B, T, H]` bool, or None.
        kind: The library's number of the cell.
        options: Its options, or-ed together.
        hidden_size: H.
        output_size: P.
        bias: Whether there are biases.
        cell_clip: Bound on |c|, 0 for none.
        hidden_rate: Expectation of zoneout on h, 0 for none.
        cell_rate: The same on c.
        reverse: Walk from each row's last valid step back.
        time_major: Lay the output and the gradient of x out as `[T, B, ...]` in memory.
    """

    x: Tensor
    state: Sequence[Tensor]
    weights: Sequence[Tensor]
    lengths: Tensor | None
    resets: Tensor | None
    recurrent_mask: Tensor | None
    zone_hidden: Tensor | None
    zone_cell: Tensor | None
    kind: int
    options: int
    hidden_size: int
    output_size: int
    bias: bool
    cell_clip: float
    hidden_rate: float
    cell_rate: float
    reverse: bool
    time_major: bool

    def plan(self) -> Plan:
        """What the numbers say of the cell.

        Raises:
            InputError: If a size is out of range.
            BackendError: If the library cannot run such a cell.
        """
        return _plan(*self[8:14])

    def extras(self) -> tuple[Tensor | None, ...]:
        """The tensors that no gradient flows to, in their order."""
        return (
            self.lengths,
            self.resets,
            self.recurrent_mask,
            self.zone_hidden,
            self.zone_cell,
        )


class Outputs(NamedTuple):
    """What comes out of a forward pass: y and gates of the type of x, all else float32.

    Attributes:
        y: `[B, T, P]`.
        h_n: `[B, P]`.
        c_n: `[B, H]`, or None without cells.
        gates: `[B, T, slots, units]`, or None if they were not to be kept.
        cells: `[B, T, H]`, or None without cells, or if they were not to be kept.
    """

    y: Tensor
    h_n: Tensor
    c_n: Tensor | None
    gates: Tensor | None
    cells: Tensor | None


def split(y: Tensor, layer: Sequence[Inputs]) -> tuple[Tensor, ...]:
    """The part of each direction in the output of a layer, or in its gradient.

    Args:
        y: `[B, T, directions * P]`.
        layer: What goes in, a sequence for each direction.
    """
    if len(layer) == 1:  # itself, not a view
        return (y,)
    return tuple(torch.split(y, [inputs.output_size for inputs in layer], -1))


def describe(cell: Cell) -> Numbers:
    """A cell in the library's terms.

    Args:
        cell: One that the library computes.
    """
    family, options = library.FAMILIES[cell.name], 0
    for name, (field, value) in (cell.native or {}).items():
        options |= family.options[name] * (getattr(cell, field) == value)
    clip = float(getattr(cell, "cell_clip", None) or 0)
    return family.kind, options, cell.hidden_size, cell.output_size, cell.bias, clip


@functools.cache
def supports(kind: int, options: int, hidden_size: int, output_size: int) -> bool:
    """Whether the library can run such a cell, forward and backward."""
    code = library.opened().tidegate_supports(kind, options, hidden_size, output_size)
    return bool(code == 0)


@constant
def gate_names(kind: int, options: int) -> tuple[str, ...]:
    """Names of the gates in the slots of what a pass keeps; a cell may keep more behind them."""
    names: str = library.opened().tidegate_cell_of(kind, options).gates.decode()
    return tuple(names.split())


@functools.cache
def _plan(
    kind: int, options: int, hidden_size: int, output_size: int, bias: bool, clip: float
) -> Plan:
    if not supports(kind, options, hidden_size, output_size):
        wanted = f"kind {kind} with options {options}, H = {hidden_size} and P = {output_size}"
        raise BackendError(f"The native library has no cell of {wanted}.")
    cell = _cell(kind, options, hidden_size, output_size, bias, clip)
    states = _STATES[: len(cell.states)]
    weights = tuple(WEIGHTS[name] for name in cell.shapes(1))
    fields = (*states, *weights, *_EXTRAS)
    kept = library.opened().tidegate_kept_of(kind, options, hidden_size)
    return Plan(
        cell=cell,
        dtype=torch.bfloat16 if options & library.BFLOAT16 else torch.float32,
        hidden_size=hidden_size,
        output_size=output_size,
        has_cells=len(states) > 1,
        kept=(kept.slots, kept.blocks * kept.units),
        fields=fields,
        places=tuple(library.SEQUENCE.places[field] for field in fields),
        slopes=tuple(library.GRADIENT.places[f"d{field}"] for field in states + weights),
        dtypes=(torch.float32,) * len(states + weights) + tuple(_EXTRAS.values()),
    )


def _cell(
    kind: int, options: int, hidden_size: int, output_size: int, bias: bool, clip: float
) -> Cell:
    """The cell that `describe` described."""
    name = list(library.FAMILIES)[kind]
    family, known = library.FAMILIES[name], cells.get(name)
    given: dict[str, Any] = {"hidden_size": hidden_size, "bias": bias}
    for option, (field, value) in (known.native or {}).items():
        if options & family.options[option]:
            given[field] = value
    if output_size != hidden_size:
        given["proj_size"] = output_size
    if clip:
        given["cell_clip"] = clip
    return known(**given)

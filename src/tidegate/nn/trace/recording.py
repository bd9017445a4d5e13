"""The pass behind `Recurrent.trace`: what is asked for is kept, the rest goes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from tidegate.cells import Cell
from tidegate.kernels import Request, Result
from tidegate.nn.layout import Layout, Lengths, read_lengths
from tidegate.nn.stack_pass import StackPass
from tidegate.nn.trace.selection import Names, Numbers, pick, pick_gates
from tidegate.nn.trace.trace import DIRECTIONS, Trace

Part = Mapping[str, Tensor]


@dataclass(frozen=True)
class Wanted:
    """What of a stack is to be kept.

    Attributes:
        rows: Layers·directions, as places in torch.nn's order.
        units: Numbers of units; None for all.
        gates: Names of gates; None for all.
    """

    rows: tuple[int, ...]
    units: tuple[int, ...] | None
    gates: tuple[str, ...] | None

    @classmethod
    def of(
        cls, stack: StackPass, *, layers: Numbers = None, units: Numbers = None, gates: Names = None
    ) -> Wanted:
        """Check what a user asks for.

        Args:
            stack: The pass over the stack.
            layers: Numbers of layers, from 0; None for all.
            units: Numbers of units, from 0; None for all.
            gates: Names of gates; None for all.

        Raises:
            InputError: If the stack has no such layer, unit or gate.
        """
        cell, owner = stack.cell, f"{stack.cell.title}.trace"
        on = pick(owner, "layers", layers, range(stack.num_layers))
        numbers = pick(owner, "units", units, range(cell.hidden_size))
        names = pick_gates(owner, "gates", gates, cell.gates, cell.name)
        ways = 2 if stack.bidirectional else 1
        return cls(
            tuple(layer * ways + way for layer in sorted(on) for way in range(ways)),
            None if units is None else tuple(numbers),
            None if gates is None else names,
        )

    def keep(self, cell: Cell, part: Part) -> Part:
        """Take out of one layer and direction what is wanted, so that the rest can go.

        Args:
            cell: The equations.
            part: `[B, T, H]` by the name of each gate and state.
        """
        if self.units is None and self.gates is None:
            return part
        sizes = dict(zip(cell.states, cell.state_sizes, strict=True))
        kept = {}
        for name in (*(cell.gates if self.gates is None else self.gates), *cell.states):
            # The features of a projection are no units. A copy lets go of the memory behind.
            whole = self.units is None or sizes.get(name, cell.hidden_size) != cell.hidden_size
            kept[name] = part[name].clone() if whole else part[name][..., list(self.units or ())]
        return kept


@dataclass(frozen=True, kw_only=True)
class _TracePass(StackPass):
    """A pass that puts aside, layer by layer, what is wanted of its gates and states.

    Attributes:
        wanted: What to keep.
        parts: What was kept of each layer and direction so far; None of those left out.
    """

    wanted: Wanted
    parts: list[Part | None] = field(default_factory=list)

    def _run_layer(self, requests: list[Request]) -> tuple[Tensor, list[Result]]:
        """Run one layer; its gates do not travel on with the results."""
        if len(self.parts) not in self.wanted.rows:
            self.parts.extend([None] * len(requests))
            return super()._run_layer(requests)
        traced = [replace(request, return_gates=True) for request in requests]
        joined, made = super()._run_layer(traced)
        for result in made:
            assert result.trace is not None
            self.parts.append(self.wanted.keep(self.cell, result.trace))
        return joined, [Result(result.output, result.state) for result in made]

    def _leave(self, layout: Layout, features: Tensor, results: list[Result]) -> tuple[Any, ...]:
        """Give nothing back: what counts is in `parts`."""
        return ()


def trace_pass(
    stack: StackPass,
    x: Tensor | PackedSequence,
    hx: object,
    *,
    lengths: Lengths | None,
    reset_mask: Tensor | None,
    wanted: Wanted,
) -> Trace:
    """Run a stack in evaluation mode, without gradients, and keep its gates and states.

    Args:
        stack: The pass.
        x: As for `Recurrent.forward`.
        hx: As for `Recurrent.forward`.
        lengths: As for `Recurrent.forward`.
        reset_mask: As for `Recurrent.forward`.
        wanted: What to keep.

    Raises:
        InputError: If a shape, dtype, device or length is wrong.
        BackendError: If the backend asked for cannot run this.
    """
    given = {name: getattr(stack, name) for name in StackPass.__dataclass_fields__}
    given |= {"training": False, "drop": lambda features: features}
    if isinstance(x, PackedSequence):
        x, packing = stack._unpack(x, lengths)
        lengths, given["batch_first"] = packing.lengths, True
    run = _TracePass(**given, wanted=wanted)
    with torch.no_grad():
        run.run(x, hx, lengths=lengths, reset_mask=reset_mask)
    parts = [part for part in run.parts if part is not None]
    names = run.cell.gates if wanted.gates is None else wanted.gates
    states = [[part[name] for part in parts] for name in run.cell.states]
    lazy: dict[str, Any] = {
        "gates": lambda: {name: _stacked([part[name] for part in parts]) for name in names},
        "hidden": lambda: _stacked(states[0]),
        "cell": (lambda: _stacked(states[1])) if len(states) > 1 else None,
    }
    zoneout = run.options.zoneout_rates(run.cell)
    return Trace(
        family=run.cell.name,
        **lazy,
        lengths=_lengths(run.cell, lengths, states[0][0]),
        rows=tuple(_row(number, run.bidirectional) for number in wanted.rows),
        units=tuple(range(run.cell.hidden_size)) if wanted.units is None else wanted.units,
        # Of the memory that the gates guard: the last state, the cell state of an LSTM.
        zoneout=zoneout[-1] if zoneout else 0.0,
        projected=run.cell.output_size != run.cell.hidden_size,
    )


def _lengths(cell: Cell, lengths: Lengths | None, hidden: Tensor) -> Tensor:
    """Valid steps of each row of `[B, T, P]`."""
    read = read_lengths(cell.title, lengths, hidden)
    rows, steps, _ = hidden.shape
    return torch.full((rows,), steps, device=hidden.device) if read is None else read


def _row(number: int, bidirectional: bool) -> str:
    """Name a layer and direction by its place in torch.nn's order."""
    layer, way = divmod(number, 2) if bidirectional else (number, 0)
    return f"layer {layer} {DIRECTIONS[way]}"


def _stacked(parts: Sequence[Tensor]) -> Tensor:
    """Join the parts of layers and directions along a new first axis; one alone is not copied."""
    return torch.stack(list(parts)) if len(parts) > 1 else parts[0][None]

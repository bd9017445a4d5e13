"""State change: a pass in which a value is put into a state in the middle of a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tidegate.errors import InputError, message
from tidegate.kernels import Request, Result, side_by_side
from tidegate.nn import Recurrent
from tidegate.nn.stack_pass import StackPass
from tidegate.nn.trace.selection import Numbers, pick, pick_directions
from tidegate.nn.trace.trace import DIRECTIONS, Trace

_OWNER = "what_if"


@dataclass(frozen=True)
class StateChange:
    """A value put into a state in the middle of a row.

    Attributes:
        step: The step after which it is put there; going backward, "after" is towards the start.
        value: The value.
        units: Numbers of the units; None for all.
        layer: Number of the layer, from 0.
        direction: "forward" or "backward".
        state: "cell": what the next step finds in the memory of an LSTM. "hidden": what the next
            step and the layer above see of this one.
    """

    step: int
    value: float = 0.0
    units: Numbers = None
    layer: int = 0
    direction: str = "forward"
    state: str = "hidden"

    def __str__(self) -> str:
        """Say it in words."""
        units = "all units" if self.units is None else f"units {self.units}"
        where = f"layer {self.layer} {self.direction}"
        return f"{self.state} of {units}, {where}, set to {self.value:g} after step {self.step}"


@contextmanager
def changed_state(
    layer: Recurrent, trace: Trace, change: StateChange
) -> Iterator[dict[str, Tensor]]:
    """Let a layer run with a change of a state, wherever the network around it calls it.

    Args:
        layer: A layer in evaluation mode.
        trace: Its pass over the same row without the change.
        change: The change.

    Yields:
        The gates and states of the changed pass by name, `[N, 1, T, H]`, once the layer has run.

    Raises:
        InputError: If the step, layer, direction, unit or state does not exist.
    """
    _check(layer, trace, change)
    rerun = _Rerun(change)
    handle = layer.register_forward_hook(rerun, with_kwargs=True)
    try:
        yield rerun.parts
    finally:
        handle.remove()


def _check(layer: Recurrent, trace: Trace, change: StateChange) -> None:
    """Refuse a change of what is not there."""
    pick(_OWNER, "layer", change.layer, range(layer.num_layers))
    pick_directions(_OWNER, change.direction, trace.directions)
    pick(_OWNER, "step", change.step, range(int(trace.lengths[0])))
    states = dict(zip(layer.cell.states, layer.cell.state_sizes, strict=True))
    if change.state not in states:
        rule = f"a state of this {layer.cell.title}: {' or '.join(states)}"
        raise InputError(message(_OWNER, "state", rule, repr(change.state)))
    pick(_OWNER, "units", change.units, range(states[change.state]))


@dataclass
class _Rerun:
    """Lets a stack run again with a change of a state, and keeps its gates and states."""

    change: StateChange
    parts: dict[str, Tensor] = field(default_factory=dict)

    def __call__(self, layer: Recurrent, arguments: Any, options: Any, _: Any) -> tuple[Any, Any]:
        """A forward hook: what it returns takes the place of the layer's result."""
        plain = layer._pass()
        given = {name: getattr(plain, name) for name in StackPass.__dataclass_fields__}
        changed = _ChangedPass(**given, change=self.change)
        given = {"hx": None, **dict(zip(("x", "hx"), arguments, strict=False)), **options}
        output, state, parts = changed.run(**given, return_gates=True)
        self.parts.update(parts)
        return output, state


@dataclass(frozen=True, kw_only=True)
class _ChangedPass(StackPass):
    """A pass in which a state is changed after a step of one layer and direction.

    Attributes:
        change: The change.
        runs: A mark for each layer and direction that has run.
    """

    change: StateChange
    runs: list[None] = field(default_factory=list)

    def _run_layer(self, requests: list[Request]) -> tuple[Tensor, list[Result]]:
        made = [self._run_one(request) for request in requests]
        return side_by_side([result.output for result in made]), made

    def _run_one(self, request: Request) -> Result:
        change, ways = self.change, 2 if self.bidirectional else 1
        place = change.layer * ways + DIRECTIONS.index(change.direction)
        self.runs.append(None)
        if len(self.runs) != place + 1:
            return self._plain(request)
        step, steps = change.step, request.x.shape[1]
        spans = [(0, step + 1), (step + 1, steps)]
        if request.reverse:
            spans = [(step, steps), (0, step)]
        first = self._plain(request.chunk(*spans[0], request.state))
        state, index = list(first.state), self.cell.states.index(change.state)
        state[index] = _put(state[index], change)
        second = self._plain(request.chunk(*spans[1], tuple(state)))
        early, late = (second, first) if request.reverse else (first, second)
        assert early.trace is not None
        assert late.trace is not None
        trace = {name: torch.cat([part, late.trace[name]], 1) for name, part in early.trace.items()}
        output = torch.cat([early.output, late.output], 1)
        trace[change.state][:, step] = state[index]
        if change.state == "hidden":
            output[:, step] = state[index]
        return Result(output, second.state, trace)

    def _plain(self, request: Request) -> Result:
        return super()._run_layer([request])[1][0]


def _put(state: Tensor, change: StateChange) -> Tensor:
    """A state `[B, size]` with the value in the place of some units."""
    state = state.clone()
    state[:, pick(_OWNER, "units", change.units, range(state.shape[1]))] = change.value
    return state

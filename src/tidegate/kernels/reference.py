"""A plain loop over the cell's step: the truth that every other backend is tested against."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from tidegate.cells.base import Gates, State
from tidegate.kernels.request import Request, Result


def refuses(request: Request) -> str | None:
    """Say why this backend cannot run the request; it always can."""
    del request
    return None


def run(request: Request) -> Result:
    """Walk over the steps, on any device, in any dtype, for any variant.

    Args:
        request: See `Request`.

    Returns:
        See `Result`. Second derivatives, vmap and forward-mode derivatives go through it.
    """
    result = walk(request)
    # A copy, since the caller may write to it: autograd keeps the last state of some cells, and
    # that of no steps is the caller's own.
    return replace(result, state=tuple([part.clone() for part in result.state]))


def walk(request: Request) -> Result:
    """Run a sequence as `run` does, and hand on the very states that autograd goes back through.

    Args:
        request: See `Request`.

    Returns:
        See `Result`; whoever writes to its states changes gradients.
    """
    mask = request.mask
    x = request.x
    if mask is not None:
        # Whatever stands in the padding, NaN even, must reach neither states nor gradients.
        x = x.masked_fill(~mask[..., None], 0)
    steps = x.shape[1]
    inputs = request.cell.inputs(x, request.weights).unbind(1)
    outputs: list[Tensor] = [x] * steps
    gates: list[Gates] = [()] * steps
    states: list[State] = [()] * steps
    state = request.state
    for t in reversed(range(steps)) if request.reverse else range(steps):
        if request.resets is not None:
            keep = ~request.resets[:, t, None]
            state = tuple(torch.where(keep, s, 0) for s in state)
        new, gates[t] = _step(request, inputs[t], state, t)
        outputs[t] = new[0]
        if mask is not None:
            valid = mask[:, t, None]
            new = tuple(torch.where(valid, n, s) for n, s in zip(new, state, strict=True))
            outputs[t] = torch.where(valid, outputs[t], 0)
        state = states[t] = new
    trace = _trace(request, gates, states, mask) if request.return_gates else None
    return Result(_stack(outputs, request, request.cell.output_size), state, trace)


def _step(request: Request, inputs: Tensor, state: State, t: int) -> tuple[State, Gates]:
    """One step with the noise that is the same for every cell: dropout on h, and zoneout."""
    noise = request.noise
    recurrent = state[0] if noise.recurrent is None else state[0] * noise.recurrent
    new, gates = request.cell.step(inputs, recurrent, state, request.weights)
    if noise.zoneout:
        new = tuple(_zone(n, s, z, t) for n, s, z in zip(new, state, noise.zoneout, strict=True))
    return new, gates


def _zone(new: Tensor, old: Tensor, zoneout: Tensor | float | None, t: int) -> Tensor:
    if zoneout is None:
        return new
    if isinstance(zoneout, Tensor):
        return torch.where(zoneout[:, t], old, new)
    return new + zoneout * (old - new)


def _stack(steps: list[Tensor], request: Request, size: int) -> Tensor:
    """Join steps to `[B, T, size]`; T may be 0."""
    if steps:
        return torch.stack(steps, 1)
    return request.x.new_zeros(request.x.shape[0], 0, size)


def _trace(
    request: Request, gates: list[Gates], states: list[State], mask: Tensor | None
) -> dict[str, Tensor]:
    cell = request.cell
    sizes = [cell.hidden_size] * len(cell.gates) + list(cell.state_sizes)
    columns = [list(column) for column in zip(*map(_join, gates, states), strict=True)]
    trace = {}
    for index, name in enumerate(cell.gates + cell.states):
        values = _stack(columns[index] if columns else [], request, sizes[index])
        trace[name] = values if mask is None else values.masked_fill(~mask[..., None], 0)
    return trace


def _join(gates: Gates, state: State) -> tuple[Tensor, ...]:
    return gates + state

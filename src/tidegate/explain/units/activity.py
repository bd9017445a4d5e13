"""Activity: what the units and gates of a network did on a sample of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.explain.memory.memory import STUCK
from tidegate.explain.network import input_of, stack_of, state_rows
from tidegate.nn import Recurrent
from tidegate.nn.trace.trace import Trace

FLAT = 10.0  # tanh is 1 from 9.02 on in float32: no gradient comes through it

_ROWS = 16  # traced at once
_MOST_ROWS = 128
_MOST_NUMBERS = 2**25  # of hidden states kept


@dataclass(frozen=True, eq=False)
class Activity:
    """What units and gates did.

    Axis letters: N layers·directions, H hidden units, P output features.

    Attributes:
        names: Names of the first axis, "layer 0 forward" say.
        rows: Rows traced.
        steps: Their steps.
        spread: How far apart the activations of a unit were, in different rows, at the step
            where they were furthest apart, `[N, P]`.
        likeness: Correlation of the activations of two units over all steps, `[N, P, P]`.
        open: Share of the steps at which the gate that keeps the memory was within `STUCK` of 1,
            `[N, H]`; None if the cell has no such gate.
        shut: Share of the steps at which it was within `STUCK` of 0, `[N, H]`, or None.
        kept: What is left at the end of a row of what was there at its start, `[N, H]`: the
            geometric mean over rows of the product of that gate; or None.
        early: Mean size of the state in the first quarter of the rows, `[N, H]`.
        late: Mean size in the last quarter, `[N, H]`.
        flat: Share of the steps in the last quarter at which the state is beyond `FLAT`, `[N, H]`.
        finite: Whether all states were numbers.
    """

    names: tuple[str, ...]
    rows: int
    steps: int
    spread: Tensor
    likeness: Tensor
    open: Tensor | None
    shut: Tensor | None
    kept: Tensor | None
    early: Tensor
    late: Tensor
    flat: Tensor
    finite: bool


def observe(network: nn.Module, batches: Sequence[Batch], stack: str | None = None) -> Activity:
    """Trace a sample of rows, evenly taken from all of them, and sum up what is seen.

    Args:
        network: A `Network` whose stack shows what it reads, or an `Inspectable`.
        batches: The rows, of whatever kind of batch the network reads.
        stack: The name of the stack; None for the one that reads the input.

    Returns:
        The activity on up to 128 rows, fewer where the layers are very large.
    """
    recurrent = stack_of(network, stack)
    assert recurrent is not None
    traces = list(_traces(network, recurrent, batches, stack))
    names = traces[0].rows
    hidden = torch.cat([_valid(trace, trace.hidden) for trace in traces], 1)
    kept, opened, shut = _gates(recurrent, traces)
    early, late, flat = _states(traces)
    return Activity(
        names=names,
        rows=sum(len(trace.lengths) for trace in traces),
        steps=hidden.shape[1],
        spread=_spread(traces),
        likeness=torch.stack([_likeness(part) for part in hidden]),
        open=opened,
        shut=shut,
        kept=kept,
        early=early,
        late=late,
        flat=flat,
        finite=bool(torch.stack([early, late]).isfinite().all() and hidden.isfinite().all()),
    )


def sample(batches: Sequence[Batch], rows: int) -> Iterator[Batch]:
    """Take rows evenly from batches, and give them out in small batches.

    Args:
        batches: Batches of rows.
        rows: How many rows to take, at most.
    """
    for batch, inside in _chosen(batches, rows):
        for part in inside.split(_ROWS):
            yield pick(batch, part)


def pick(batch: Batch, rows: Tensor) -> Batch:
    """Take rows out of a batch, padded no further than the longest of them.

    Args:
        batch: The batch.
        rows: Their numbers, `[n]` int64.

    Example:
        >>> two = Batch(torch.tensor([[4, 2], [5, 0]]), torch.tensor([2, 1]))
        >>> pick(two, torch.tensor([1])).values
        tensor([[5]])
    """
    lengths = batch.lengths[rows]
    steps = max(1, int(lengths.max()))
    targets = None if batch.targets is None else batch.targets[rows]
    return Batch(batch.values[rows, :steps], lengths, targets)


def _chosen(batches: Sequence[Batch], rows: int) -> Iterator[tuple[Batch, Tensor]]:
    """Yield the batches that some of the rows, evenly chosen, are in, and which these are."""
    total = sum(map(len, batches))
    chosen = torch.linspace(0, total - 1, min(rows, total), dtype=torch.float64).round().long()
    first = 0
    for batch in batches:
        inside = chosen[(chosen >= first) & (chosen < first + len(batch))] - first
        first += len(batch)
        if len(inside):
            yield batch, inside


def _traces(
    network: nn.Module, stack: Recurrent, batches: Sequence[Batch], name: str | None
) -> Iterator[Trace]:
    device = next(stack.parameters()).device
    gates = [stack.cell.keep_gate] if stack.cell.keep_gate else []
    numbers = 0
    for batch, inside in _chosen(batches, _MOST_ROWS):
        read = input_of(network, batch.to(device), name)
        # A stack may read several rows for one of the batch, such as each target of a window.
        several = len(read.lengths) // len(batch)
        rows = (inside[:, None] * several + torch.arange(several)).flatten().to(device)
        for part in rows.split(_ROWS):
            lengths = read.lengths[part]
            values = read.values[part, : max(1, int(lengths.max()))]
            trace = stack.trace(values, state_rows(read.state, part), lengths=lengths, gates=gates)
            yield trace
            numbers += trace.hidden.numel()
            if numbers > _MOST_NUMBERS:
                return


def _valid(trace: Trace, values: Tensor) -> Tensor:
    """The valid steps of all rows, one after the other: `[N, steps, H]`."""
    return values[:, trace.mask.to(values.device)]


def _walked(trace: Trace, values: Tensor) -> Tensor:
    """Put the steps of each direction in the order in which it walks them, `[N, B, T, H]`."""
    steps = torch.arange(values.shape[2], device=values.device)
    back = (trace.lengths.to(values.device)[:, None] - 1 - steps).clamp(min=0)
    parts = [
        part[torch.arange(len(part), device=part.device)[:, None], back]
        if direction == "backward"
        else part
        for direction, part in zip(trace.directions, values, strict=True)
    ]
    return torch.stack(parts)


def _spread(traces: Sequence[Trace]) -> Tensor:
    """How far rows are apart at the same step, counted as a direction walks, `[N, P]`.

    A unit that moves only with the step, and never with the input, tells nothing about a row.
    """
    longest = max(trace.hidden.shape[2] for trace in traces)
    lowest, highest = [], []
    for trace in traces:
        hidden = _walked(trace, trace.hidden)
        outside = ~trace.mask.to(hidden.device)[..., None]
        rest = (0, 0, 0, longest - hidden.shape[2])
        lowest.append(F.pad(hidden.masked_fill(outside, torch.inf).amin(1), rest, value=torch.inf))
        highest.append(
            F.pad(hidden.masked_fill(outside, -torch.inf).amax(1), rest, value=-torch.inf)
        )
    apart = torch.stack(highest).amax(0) - torch.stack(lowest).amin(0)
    return apart.amax(1).cpu()


def _likeness(hidden: Tensor) -> Tensor:
    """Correlation of units `[P, P]` from `[steps, P]`; 0 where a unit does not move at all."""
    centred = (hidden - hidden.mean(0)).double()
    sizes = centred.norm(dim=0)
    scaled = centred / sizes.where(sizes > 0, torch.ones_like(sizes))
    correlation: Tensor = scaled.T @ scaled
    return correlation.cpu()


def _gates(
    stack: Recurrent, traces: Sequence[Trace]
) -> tuple[Tensor, Tensor, Tensor] | tuple[None, None, None]:
    name = stack.cell.keep_gate
    if name is None:
        return None, None, None
    values = torch.cat([_valid(trace, trace.gate(name)) for trace in traces], 1)
    rows = sum(int((trace.lengths > 0).sum()) for trace in traces)
    tiny = torch.finfo(values.dtype).tiny
    kept = (values.clamp(min=tiny).log().sum(1) / rows).exp()
    opened, shut = (values > 1 - STUCK).float().mean(1), (values < STUCK).float().mean(1)
    return kept.cpu(), opened.cpu(), shut.cpu()


def _states(traces: Sequence[Trace]) -> tuple[Tensor, Tensor, Tensor]:
    """Mean size early and late in the rows, and the share of late steps beyond `FLAT`."""
    early, late = [], []
    for trace in traces:
        state = trace.hidden if trace.cell is None else trace.cell
        sizes = _walked(trace, state).abs()
        steps = torch.arange(sizes.shape[2], device=sizes.device)
        lengths = trace.lengths.to(sizes.device)[:, None]
        quarter = (lengths + 3) // 4
        early.append(sizes[:, steps < quarter])
        late.append(sizes[:, (steps >= lengths - quarter) & (steps < lengths)])
    first, last = torch.cat(early, 1), torch.cat(late, 1)
    return first.mean(1).cpu(), last.mean(1).cpu(), (last > FLAT).float().mean(1).cpu()

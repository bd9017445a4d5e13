"""Decomposition: the memory of a unit as the sum of what each step wrote and what is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tidegate.cells import GRU, LSTM
from tidegate.errors import InputError, message
from tidegate.nn import Recurrent
from tidegate.nn.layout import Lengths, walk_resets

State = Tensor | tuple[Tensor, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Decomposition:
    """What is left at the end of a row of what its steps wrote.

    Axis letters: N layers·directions, B rows, T steps, H hidden units.

    Attributes:
        steps: What is left of what each step wrote, `[N, B, T, H]`.
        start: What is left of the initial state, `[N, B, H]`.
        state: The memory at the end, `steps.sum(2) + start`, `[N, B, H]`: the cell state of an
            LSTM, the hidden state of a GRU.
    """

    steps: Tensor
    start: Tensor
    state: Tensor

    def __repr__(self) -> str:
        """Say how large it is; the numbers would fill the screen."""
        sizes = zip("NBTH", self.steps.shape, strict=True)
        return f"Decomposition({', '.join(f'{axis} {size}' for axis, size in sizes)})"


@dataclass(frozen=True)
class Recurrence:
    """The memory of one layer and direction as a linear recurrence, in the order of its walk.

    c_t = keep_t ∘ c_{t-1} + write_t; where a row has no step, keep is 1 and write 0.

    Attributes:
        keep: `[B, T, H]`.
        write: `[B, T, H]`.
        start: c_0, `[B, H]`.
        backward: Whether the walk goes from the end of a row to its start.
    """

    keep: Tensor
    write: Tensor
    start: Tensor
    backward: bool

    def left(self) -> tuple[Tensor, Tensor]:
        """What is left in the end of each step, `[B, T, H]` in time, and of c_0, `[B, H]`."""
        kept = self.keep.flip(1).cumprod(1).flip(1)
        later = torch.cat([kept[:, 1:], torch.ones_like(kept[:, :1])], 1)
        start = self.start * kept[:, 0] if kept.shape[1] else self.start
        return turn(self.write * later, self.backward), start

    def read(self, weight: Tensor) -> Tensor:
        """What each step wrote, as it counts then and later, `[B, T]` in time.

        Args:
            weight: How much the state after each step counts, `[B, T, H]` in time.
        """
        weights = turn(weight, self.backward).unbind(1)
        total, found = torch.zeros_like(self.start), [self.start[:, 0]] * len(weights)
        for t in reversed(range(len(weights))):
            # What is in the state counts now, and later as far as it is kept.
            total = weights[t] + total
            found[t] = (self.write[:, t] * total).sum(-1)
            total = self.keep[:, t] * total
        return turn(torch.stack(found, 1), self.backward)


def turn(values: Tensor, backward: bool) -> Tensor:
    """Bring `[B, T, ...]` from the order of time into that of the walk, or back."""
    return values.flip(1) if backward else values


def decompose(
    layer: Recurrent,
    x: Tensor,
    hx: State | None = None,
    *,
    lengths: Lengths | None = None,
    reset_mask: Tensor | None = None,
) -> Decomposition:
    r"""Split the memory at the end of each row into what its steps wrote.

    LSTM: c_T = ∑_t (∏_{s>t} f_s) ∘ i_t ∘ g_t + (∏_s f_s) ∘ c_0
    GRU:  h_T = ∑_t (∏_{s>t} z_s) ∘ (1 − z_t) ∘ n_t + (∏_s z_s) ∘ h_0

    Exact, given the gates, for every variant: a coupled gate, peepholes and layer norm change the
    gates, not this sum. Zoneout keeps more and writes less; a state that `cell_clip` cuts loses
    all its parts in proportion. In a stack each layer's memory is split into what *its* steps
    wrote; what it read there has come up through the layers below.

    Args:
        layer: An LSTM or GRU; it runs in evaluation mode.
        x: As for `layer.forward`, but no PackedSequence.
        hx: Its initial states; None for zeros.
        lengths: Valid steps of each row.
        reset_mask: `[B, T]` bool, where the memory starts anew.

    Returns:
        The parts; in a backward direction the end is the start of the row.

    Raises:
        InputError: If the cell has no such memory, or an input is wrong.

    Example:
        >>> from tidegate.nn import GRU as Layer
        >>> parts = decompose(Layer(3, 4), torch.randn(5, 2, 3))
        >>> torch.allclose(parts.steps.sum(2) + parts.start, parts.state, atol=1e-6)
        True
    """
    found = recurrences(layer, x, hx, lengths=lengths, reset_mask=reset_mask)
    parts = [recurrence.left() for recurrence in found.recurrences]
    return Decomposition(
        torch.stack([steps for steps, _ in parts]),
        torch.stack([start for _, start in parts]),
        found.state,
    )


@dataclass(frozen=True)
class Pass:
    """A pass of a layer, seen as recurrences.

    Attributes:
        recurrences: One for each of the N layers·directions.
        parts: Gates and states, `[N, B, T, H]` each.
        state: The memory at the end, `[N, B, H]`.
    """

    recurrences: list[Recurrence]
    parts: Mapping[str, Tensor]
    state: Tensor


@torch.no_grad()
def recurrences(
    layer: Recurrent,
    x: Tensor,
    hx: State | None = None,
    *,
    lengths: Lengths | None = None,
    reset_mask: Tensor | None = None,
) -> Pass:
    """Run a layer in evaluation mode; arguments and errors are those of `decompose`."""
    if not isinstance(layer.cell, (LSTM, GRU)):
        rule = "an LSTM or a GRU, whose gates keep and write a memory"
        remedy = "Use integrated gradients or occlusion"
        raise InputError(message("decompose", "layer", rule, f"an {layer.cell.title}", remedy))
    training, resets = layer.training, reset_mask
    try:
        _, end, parts = layer.eval()(x, hx, lengths=lengths, reset_mask=resets, return_gates=True)
    finally:
        layer.train(training)
    state = _memory_of(layer, x, end)
    start = torch.zeros_like(state) if hx is None else _memory_of(layer, x, hx)
    rows, steps = parts["hidden"].shape[1:3]
    counts = torch.full((rows,), steps) if lengths is None else torch.as_tensor(lengths)
    counts = counts.to(x.device)
    resets = None if resets is None else resets.reshape(rows, steps).to(x.device)
    ways = 2 if layer.bidirectional else 1
    found = []
    for n, first in enumerate(start):
        backward = n % ways == 1
        own = {name: turn(part[n], backward) for name, part in parts.items()}
        idle = torch.arange(steps, device=x.device) >= counts[:, None]
        fresh = walk_resets(resets, counts, backward)
        fresh = torch.zeros_like(idle) if fresh is None else fresh
        masks = [turn(mask, backward)[..., None] for mask in (idle, fresh)]
        found.append(Recurrence(*_terms(layer, own, first, *masks), first, backward))
    return Pass(found, parts, state)


def _memory_of(layer: Recurrent, x: Tensor, states: State) -> Tensor:
    """Out of states as a layer takes and returns them, the memory: `[N, B, H]`."""
    memory = states[-1] if isinstance(states, tuple) else states
    if x.ndim == 2:
        return memory[:, None]
    return memory.transpose(0, 1) if layer.options.state_batch_first else memory


def _terms(
    layer: Recurrent, parts: Mapping[str, Tensor], start: Tensor, idle: Tensor, fresh: Tensor
) -> tuple[Tensor, Tensor]:
    """What one layer and direction keeps and writes, `[B, T, H]`, in the order of its walk.

    `idle` marks steps that a row does not have, `fresh` those before which the state is zero.
    """
    cell, rates = layer.cell, layer.options.zoneout_rates(layer.cell)
    if isinstance(cell, LSTM):
        keep, write = parts["forget"], parts["input"] * parts["candidate"]
    else:
        keep, write = parts["update"], (1 - parts["update"]) * parts["new"]
    if isinstance(cell, LSTM) and cell.cell_clip is not None:
        states = torch.where(idle, start[:, None], parts["cell"])
        before = torch.cat([start[:, None], states[:, :-1]], 1).masked_fill(fresh, 0)
        size = (keep * before + write).abs()
        cut = torch.where(size > cell.cell_clip, cell.cell_clip / size, 1.0)
        keep, write = cut * keep, cut * write
    if rates:
        keep, write = (1 - rates[-1]) * keep + rates[-1], (1 - rates[-1]) * write
    return keep.masked_fill(fresh, 0).masked_fill(idle, 1), write.masked_fill(idle, 0)

"""What a backend is asked to run, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tidegate.cells.base import Cell, State, Weights

Zoneout = tuple[Tensor | float | None, ...]


@dataclass(frozen=True)
class Noise:
    """Random masks of one pass, drawn before it so that every backend computes the same.

    Attributes:
        recurrent: `[B, P]`, multiplies h wherever `weight_hh` sees it; None for 1.
        zoneout: For each state a `[B, T, size]` bool mask (True keeps the old value), or a
            number p for its expectation p * old + (1 - p) * new, or None.
    """

    recurrent: Tensor | None = None
    zoneout: Zoneout = ()


@dataclass(frozen=True)
class Request:
    """One recurrent sequence: a cell over T steps in one direction.

    Attributes:
        cell: The equations.
        x: Inputs `[B, T, D]`.
        state: Initial states, `[B, size]` each.
        weights: The cell's weights by name.
        lengths: Valid steps of each row, `[B]` int64, or None if every row has T.
        resets: `[B, T]` bool: the state is zero before this step, counted in the direction of
            the walk; or None.
        reverse: Walk from each row's last valid step back to its first.
        noise: Masks of recurrent dropout and zoneout.
        return_gates: Whether to return every gate and state of every step.
    """

    cell: Cell
    x: Tensor
    state: State
    weights: Weights
    lengths: Tensor | None = None
    resets: Tensor | None = None
    reverse: bool = False
    noise: Noise = Noise()
    return_gates: bool = False

    @property
    def mask(self) -> Tensor | None:
        """`[B, T]` bool, True where a step is valid; None if all are."""
        if self.lengths is None:
            return None
        steps = torch.arange(self.x.shape[1], device=self.x.device)
        return steps < self.lengths[:, None]

    def chunk(self, start: int, stop: int, state: State) -> Request:
        """The same request for steps `start` to `stop` alone, from another state."""
        part = slice(start, stop)

        def cut(mask: Tensor | float | None) -> Tensor | float | None:
            return mask[:, part] if isinstance(mask, Tensor) else mask

        lengths = None if self.lengths is None else (self.lengths - start).clamp(0, stop - start)
        return replace(
            self,
            x=self.x[:, part],
            state=state,
            lengths=lengths,
            resets=None if self.resets is None else self.resets[:, part],
            noise=replace(self.noise, zoneout=tuple(cut(m) for m in self.noise.zoneout)),
        )


@dataclass(frozen=True)
class Result:
    """What came out.

    Attributes:
        output: The hidden state of every step, `[B, T, P]`, zero where a row has ended.
        state: Each row's states after its last valid step (reverse: its first).
        trace: With `return_gates`, `[B, T, H]` for each gate and state by name, else None.
    """

    output: Tensor
    state: State
    trace: dict[str, Tensor] | None = None

"""Stepped passes: a stack run one step at a time, so that autograd knows the state of every step.

A kernel runs a whole sequence and hands out copies of the states it went through: the gradient of
a loss with respect to them is not theirs.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from tidegate.cells.base import State
from tidegate.errors import InputError, message
from tidegate.kernels import Request, Result, reference, side_by_side
from tidegate.nn import Recurrent
from tidegate.nn.stack_pass import StackPass
from tidegate.waiting import waiting


@dataclass(frozen=True, eq=False)
class Walk:
    """One layer's way over the steps in one direction.

    Axis letters: B rows, T steps.

    Attributes:
        request: What the layer was asked to run.
        before: The states that each step starts from, in the order of time.
        after: The states that each step makes, nodes of the graph of autograd; in the padding of
            a row they mean nothing.
        end: The states after each row's last step, `[B, size]` each.
        trace: The gates and states of every step by name, `[B, T, size]`, zero in the padding.
    """

    request: Request
    before: tuple[State, ...]
    after: tuple[State, ...]
    end: State
    trace: dict[str, Tensor]

    @property
    def steps(self) -> range:
        """The steps in the order of the walk."""
        return _order(self.request)

    @property
    def lengths(self) -> Tensor:
        """Valid steps of each row, `[B]` int64."""
        rows, steps = self.request.x.shape[:2]
        full = torch.full((rows,), steps, device=self.request.x.device)
        return full if self.request.lengths is None else self.request.lengths

    def by_distance(self, values: Tensor) -> Tensor:
        """Turn the axis of time into the distance from the end of each row's walk.

        Args:
            values: `[B, T, size]`.

        Returns:
            `[B, T, size]`, NaN where the row has no such step.
        """
        distance = torch.arange(values.shape[1], device=values.device).expand(values.shape[:2])
        lengths = self.lengths[:, None]
        t = distance if self.request.reverse else (lengths - 1 - distance).clamp(min=0)
        turned = values.gather(1, t[..., None].expand_as(values))
        return turned.masked_fill((distance >= lengths)[..., None], torch.nan)


@dataclass(frozen=True)
class SteppedPass(StackPass):
    """A pass in evaluation mode that takes one step after the other.

    Attributes:
        walks: One for each layer and direction that has run, in torch.nn's order.
    """

    walks: list[Walk] = field(default_factory=list)

    def _run_layer(self, requests: list[Request]) -> tuple[Tensor, list[Result]]:
        made = [self._run_one(request) for request in requests]
        return side_by_side([result.output for result in made]), made

    def _run_one(self, request: Request) -> Result:
        if 0 in request.x.shape[:2]:
            rule = "at least one row of one step"
            raise InputError(message(self.cell.title, "input", rule, list(request.x.shape)))
        walk = _walk(request)
        self.walks.append(walk)
        output = _masked(torch.stack([state[0] for state in walk.after], 1), request.mask)
        return Result(output, walk.end, walk.trace if request.return_gates else None)


def step(request: Request, t: int, state: State) -> Result:
    """Take step `t` of a request from a state, by the equations of its cell.

    Args:
        request: The whole sequence.
        t: The step.
        state: The states before it, `[B, size]` each.
    """
    piece = replace(request.chunk(t, t + 1, state), return_gates=True)
    return reference.walk(piece)


@contextmanager
def stepwise(layer: Recurrent) -> Iterator[list[Walk]]:
    """Let a layer run step by step, wherever the network around it calls it.

    Args:
        layer: A layer in evaluation mode.

    Yields:
        The walks, which grow as the layer runs.
    """
    walks: list[Walk] = []

    def rerun(
        layer: Recurrent, args: tuple[Any, ...], options: dict[str, Any], _: object
    ) -> tuple[Any, ...]:
        call = inspect.signature(layer.forward).bind(*args, **options)
        call.apply_defaults()
        return _stepped(layer, walks).run(*call.args, **call.kwargs)

    hook = layer.register_forward_hook(rerun, with_kwargs=True)
    try:
        yield walks
    finally:
        hook.remove()


def _stepped(layer: Recurrent, walks: list[Walk]) -> SteppedPass:
    return SteppedPass(
        cell=layer.cell,
        options=layer.options,
        input_size=layer.input_size,
        num_layers=layer.num_layers,
        bidirectional=layer.bidirectional,
        batch_first=layer.batch_first,
        training=False,
        weights=layer.weights,
        drop=lambda features: features,
        walks=walks,
    )


def _order(request: Request) -> range:
    steps = range(request.x.shape[1])
    return steps[::-1] if request.reverse else steps


def _walk(request: Request) -> Walk:
    mask = request.mask
    # A kernel that knows of lengths hands on a copy of c, while h hangs on c itself. So the steps
    # know of none, and what a finished row hands on is chosen between them.
    whole = replace(request, x=_masked(request.x, mask), lengths=None)
    # Every state must hang on the one before it, on the first one too.
    state: State = tuple(part.detach().requires_grad_() for part in request.state)
    before, parts = [], []
    for t in waiting(_order(request), f"{request.cell.title}, step by step"):
        before.append(state)
        parts.append(step(whole, t, state))
        state = parts[-1].state
        if mask is not None:
            valid = mask[:, t, None]
            state = tuple(torch.where(valid, *pair) for pair in zip(state, before[-1], strict=True))
    if request.reverse:
        before, parts = before[::-1], parts[::-1]
    traces = [part.trace for part in parts if part.trace is not None]
    trace = {name: _masked(torch.cat([t[name] for t in traces], 1), mask) for name in traces[0]}
    return Walk(request, tuple(before), tuple(part.state for part in parts), state, trace)


def _masked(values: Tensor, mask: Tensor | None) -> Tensor:
    return values if mask is None else values.masked_fill(~mask[..., None], 0)

"""What all peers made of torch's autograd share: a call that trains or infers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from benchmarks.peers import Run
from benchmarks.suite.case import TRAINING

Forward = Callable[[], tuple[Tensor, Mapping[str, Tensor]]]


def torch_run(
    forward: Forward,
    wanted: Mapping[str, Tensor],
    dy: Tensor,
    phase: str,
    *,
    time_major: bool = False,
    comparable: bool = True,
) -> Run:
    """Make a run of a function that autograd can differentiate.

    Args:
        forward: Returns the output and what else the variant returns, by name.
        wanted: "x" and the weights by name; training computes the gradients of all.
        dy: The gradient of the output, laid out like it.
        phase: Training or inference.
        time_major: Whether output, x and dy are `[T, B, ...]`.
        comparable: See `Run`.
    """

    def train() -> tuple[Tensor, Mapping[str, Tensor], tuple[Tensor, ...]]:
        output, more = forward()
        return output, more, torch.autograd.grad(output, list(wanted.values()), dy)

    def infer() -> tuple[Tensor, Mapping[str, Tensor], tuple[Tensor, ...]]:
        with torch.inference_mode():
            return *forward(), ()

    def results(
        value: tuple[Tensor, Mapping[str, Tensor], tuple[Tensor, ...]],
    ) -> dict[str, Tensor]:
        output, more, gradients = value
        named = {"output": output}
        # In inference there are no gradients to name.
        named |= {f"grad {name}": grad for name, grad in zip(wanted, gradients, strict=False)}
        if time_major:
            named |= {n: named[n].transpose(0, 1) for n in ("output", "grad x") if n in named}
        return named | dict(more)

    for tensor in wanted.values():
        tensor.requires_grad_(phase == TRAINING)
    return Run(train if phase == TRAINING else infer, results, comparable)

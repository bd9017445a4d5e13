"""The native passes as PyTorch sees them: operators with fake kernels, and their gradient.

Importing this module registers `tidegate::sequence` and `tidegate::sequence_backward`, which
torch.compile and torch.export draw into their graphs. Eager training goes by `train`: the
same passes, with a fraction of an operator's overhead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tidegate.kernels import passes, reference
from tidegate.kernels.inputs import Inputs, Outputs
from tidegate.kernels.request import Noise, Request

# The fields of `Inputs`, in their order.
_INPUTS = (
    "Tensor x, Tensor[] state, Tensor[] weights, Tensor? lengths, Tensor? resets, "
    "Tensor? recurrent_mask, Tensor? zone_hidden, Tensor? zone_cell, int kind, int options, "
    "int hidden_size, int output_size, bool bias, float cell_clip, float hidden_rate, "
    "float cell_rate, bool reverse, bool time_major"
)
_FORWARD = f"({_INPUTS}, bool keep, bool show) -> (Tensor, Tensor, Tensor, Tensor, Tensor)"
_BACKWARD = (
    f"({_INPUTS}, Tensor[] kept, Tensor?[] given, bool want_x, bool want_weights) -> Tensor[]"
)
_TENSORS = 8  # of those fields; the rest are numbers

Needed = Sequence[bool]
Given = Sequence[Tensor | None]


def train(inputs: Inputs, show: bool, leaves: Sequence[Tensor]) -> tuple[Any, ...]:
    """Run an eager forward pass that can be differentiated.

    Args:
        inputs: What goes in.
        show: As in `passes.forward`.
        leaves: x, the states and the weights, which gradients flow to.

    Returns:
        The fields of `Outputs`.
    """
    outputs: tuple[Any, ...] = _Train.apply(inputs, show, *leaves)  # type: ignore[no-untyped-call]
    return outputs


class _Train(torch.autograd.Function):
    """The autograd function behind `train`; its tensors are there for autograd to see."""

    @staticmethod
    def forward(ctx: Any, inputs: Inputs, show: bool, *_: Tensor) -> tuple[Tensor | None, ...]:
        outputs = passes.forward(inputs, keep=True, show=show)
        _save(ctx, inputs, outputs)
        return outputs if show else (*outputs[:3], None, None)

    @staticmethod
    def backward(ctx: Any, *given: Tensor | None) -> tuple[Tensor | None, ...]:
        return None, None, *_gradients(ctx, given, ctx.needs_input_grad[2:], passes.backward)


def _sequence(*arguments: Any) -> tuple[Tensor, ...]:
    """Run `passes.forward`."""
    *given, keep, show = arguments
    return _all(passes.forward(Inputs(*given), keep, show))


def _fake_sequence(*arguments: Any) -> tuple[Tensor, ...]:
    *given, keep, _ = arguments
    inputs = Inputs(*given)
    return _all(passes.allocate(inputs.plan(), inputs, keep))


def _all(outputs: Outputs) -> tuple[Tensor, ...]:
    """An operator returns tensors, empty ones for None."""
    return tuple(outputs.y.new_empty(0) if part is None else part for part in outputs)


def _sequence_backward(*arguments: Any) -> list[Tensor]:
    """Run `passes.backward`."""
    *given, kept, gradients, want_x, want_weights = arguments
    return passes.backward(Inputs(*given), kept, gradients, want_x, want_weights)


def _fake_sequence_backward(*arguments: Any) -> list[Tensor]:
    *given, _, _, want_x, want_weights = arguments
    return passes.allocate_gradients(Inputs(*given), want_x, want_weights)


def _keep_for_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    *given, _, _ = inputs
    _save(ctx, Inputs(*given), output)


def _differentiate(ctx: Any, *given: Tensor | None) -> tuple[Any, ...]:
    """The gradients in the structure of the arguments of `tidegate::sequence`."""
    needs_x, needs_state, needs_weights, *rest = ctx.needs_input_grad
    needed = [needs_x, *needs_state, *needs_weights]

    def run(inputs: Inputs, *others: Any) -> list[Tensor]:
        return list(sequence_backward(*inputs, *others))

    dx, *others = _gradients(ctx, given, needed, run)
    count = len(needs_state)
    return dx, others[:count], others[count:], *[None] * len(rest)


def _save(ctx: Any, inputs: Inputs, outputs: Sequence[Tensor | None]) -> None:
    """Keep what backward needs; autograd finds out if a saved tensor is changed meanwhile."""
    y, _, _, gates, cells = outputs
    tensors = (inputs.x, *inputs.state, *inputs.weights, *inputs.extras(), y, gates, cells)
    ctx.save_for_backward(*tensors)
    ctx.counts = len(inputs.state), len(inputs.weights)
    ctx.numbers = tuple(inputs)[_TENSORS:]
    ctx.set_materialize_grads(False)


def _gradients(
    ctx: Any, given: Given, needed: Needed, run: Callable[..., list[Tensor]]
) -> list[Tensor | None]:
    """Gradients of x, the states and the weights, by `run` or, to be differentiated, by torch."""
    x, *rest = ctx.saved_tensors
    states, weights = ctx.counts
    state, rest = rest[:states], rest[states:]
    inputs = Inputs(x, state, rest[:weights], *rest[weights:-3], *ctx.numbers)
    if torch.is_grad_enabled():
        return _by_reference(inputs, given)
    made = run(inputs, rest[-3:], list(given), needed[0], any(needed[1 + states :]))
    return [part if need else None for part, need in zip(made, needed, strict=True)]


def _by_reference(inputs: Inputs, given: Given) -> list[Tensor | None]:
    """The same gradients as functions of the inputs that can be differentiated again.

    What runs in bfloat16 is differentiated in float32: more exactly than it ran.
    """
    # Where one input is computed from another, each must get the part of its own argument alone.
    flat = [part.view_as(part) for part in (inputs.x, *inputs.state, *inputs.weights)]
    with torch.autocast("cpu", enabled=False):
        shown = any(slope is not None for slope in given[3:])
        result = reference.run(_request(inputs, [flat[0].float(), *flat[1:]], shown))
    trace = result.trace or {}
    pairs = list(zip((result.output, *result.state), given, strict=False))
    if given[3] is not None:
        pairs += [(trace[name], grad) for name, grad in passes.slots(inputs, given[3]).items()]
    if given[4] is not None:
        pairs.append((trace["cell"], given[4]))
    reached = [(out, grad.float()) for out, grad in pairs if grad is not None and out.requires_grad]
    wanted = [part for part in flat if part.requires_grad]
    outs, grads = zip(*reached, strict=True)
    found = iter(torch.autograd.grad(outs, wanted, grads, create_graph=True, allow_unused=True))
    return [next(found) if part.requires_grad else None for part in flat]


def _request(inputs: Inputs, flat: list[Tensor], show: bool) -> Request:
    """What the reference has to run for the same result."""
    cell, count = inputs.plan().cell, len(inputs.state)
    masks = (inputs.zone_hidden, inputs.zone_cell)[:count]
    rates = (inputs.hidden_rate, inputs.cell_rate)
    zoneout = tuple(
        rate if mask is None else mask for mask, rate in zip(masks, rates, strict=False)
    )
    return Request(
        cell=cell,
        x=flat[0],
        state=tuple(flat[1 : 1 + count]),
        weights=dict(zip(cell.shapes(1), flat[1 + count :], strict=True)),
        lengths=inputs.lengths,
        resets=inputs.resets,
        reverse=inputs.reverse,
        noise=Noise(inputs.recurrent_mask, zoneout),
        return_gates=show,
    )


sequence = torch.library.custom_op(
    "tidegate::sequence", _sequence, mutates_args=(), device_types="cpu", schema=_FORWARD
)
sequence_backward = torch.library.custom_op(
    "tidegate::sequence_backward",
    _sequence_backward,
    mutates_args=(),
    device_types="cpu",
    schema=_BACKWARD,
)
sequence.register_fake(_fake_sequence)
sequence_backward.register_fake(_fake_sequence_backward)
sequence.register_autograd(_differentiate, setup_context=_keep_for_backward)

"""The native passes as PyTorch sees them: operators with fake kernels, and their gradient.

Importing this module registers `tidegate::sequence` and `tidegate::sequence_backward`, which
torch.compile and torch.export draw into their graphs. Eager training goes by `train`: the
same passes, with a fraction of an operator's overhead.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tidegate.kernels import passes, reference
from tidegate.kernels.inputs import Inputs, Outputs, split
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


def train(layer: Sequence[Inputs], show: bool) -> tuple[Tensor, list[Outputs]]:
    """Run an eager forward pass that can be differentiated.

    Args:
        layer: What goes in, a sequence for each direction.
        show: As in `passes.forward`.

    Returns:
        See `passes.allocate`; gates and cells are None unless they are to be seen.
    """
    leaves = [leaf for inputs in layer for leaf in (*inputs.state, *inputs.weights)]
    y, *rest = _Train.apply(layer, show, *_xs(layer), *leaves)  # type: ignore[no-untyped-call]
    parts = enumerate(split(y, layer))
    return y, [Outputs(part, *rest[4 * i : 4 * i + 4]) for i, part in parts]


def _xs(layer: Sequence[Inputs]) -> list[Tensor]:
    """The x of all directions, or, if they have copies of it, that of each."""
    shared = all(inputs.x is layer[0].x for inputs in layer)
    return [layer[0].x] if shared else [inputs.x for inputs in layer]


class _Train(torch.autograd.Function):
    """The autograd function behind `train`; its tensors are there for autograd to see.

    Its outputs are y of all directions, and for each h_n, c_n, gates and cells.
    """

    @staticmethod
    def forward(
        ctx: Any, layer: Sequence[Inputs], show: bool, *_: Tensor
    ) -> tuple[Tensor | None, ...]:
        y, made = passes.forward(layer, keep=True, show=show)
        # Autograd lets nobody write to a view that a function made: this is the same memory.
        y = y.data
        _save(ctx, layer, _keep_apart(ctx, y), made)
        shown = [part if show else (*part[:3], None, None) for part in made]
        return y, *[value for part in shown for value in part[1:]]

    @staticmethod
    def backward(ctx: Any, *given: Tensor | None) -> tuple[Tensor | None, ...]:
        def run(layer: Sequence[Inputs], kept: Any, *rest: Any) -> list[list[Tensor]]:
            if _is_changed(ctx):
                y, _ = passes.forward(layer, keep=False, show=False)
                ys = split(y, layer)
                kept = [(y, *others[1:]) for y, others in zip(ys, kept, strict=True)]
            return passes.backward(layer, kept, *rest)

        return None, None, *_gradients(ctx, given, ctx.needs_input_grad[2:], run)


def _keep_apart(ctx: Any, y: Tensor) -> Tensor:
    """What to save of an output that the caller may write to, as programs for torch.nn do.

    Backward reads it, and would refuse to if autograd saw the change. So it is saved under a count
    of changes of its own, and the caller's count is looked at: only if that has moved, the forward
    pass is run again. Where hooks take what is saved elsewhere, a copy is safe from both.
    """
    ctx.watched = None
    if torch._C._autograd._top_saved_tensors_default_hooks(False) is not None:
        return y.clone()
    ctx.watched = y.detach(), y._version
    return y.data


def _is_changed(ctx: Any) -> bool:
    """Whether the caller has written to the output since the forward pass."""
    if ctx.watched is None:
        return False
    y, version = ctx.watched
    if not torch._C._autograd._get_current_graph_task_keep_graph():
        ctx.watched = None  # its memory is free, as that of all that was saved
    return bool(y._version != version)


def _sequence(*arguments: Any) -> tuple[Tensor, ...]:
    """Run `passes.forward`."""
    *given, keep, show = arguments
    return _all(passes.forward([Inputs(*given)], keep, show))


def _fake_sequence(*arguments: Any) -> tuple[Tensor, ...]:
    *given, keep, _ = arguments
    return _all(passes.allocate([Inputs(*given)], keep))


def _all(result: tuple[Tensor, list[Outputs]]) -> tuple[Tensor, ...]:
    """An operator returns tensors, empty ones for None."""
    y, (outputs,) = result
    return tuple(y.new_empty(0) if part is None else part for part in outputs)


def _sequence_backward(*arguments: Any) -> list[Tensor]:
    """Run `passes.backward`."""
    *given, kept, gradients, want_x, want_weights = arguments
    return passes.backward([Inputs(*given)], [kept], [gradients], want_x, want_weights)[0]


def _fake_sequence_backward(*arguments: Any) -> list[Tensor]:
    *given, _, _, want_x, want_weights = arguments
    return passes.allocate_gradients(Inputs(*given), want_x, want_weights)


def _keep_for_backward(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    *given, _, _ = inputs
    _save(ctx, [Inputs(*given)], output[0], [Outputs(*output)])


def _differentiate(ctx: Any, *given: Tensor | None) -> tuple[Any, ...]:
    """The gradients in the structure of the arguments of `tidegate::sequence`."""
    needs_x, needs_state, needs_weights, *rest = ctx.needs_input_grad
    needed = [needs_x, *needs_state, *needs_weights]

    def run(layer: Sequence[Inputs], kept: Any, slopes: Any, *wants: bool) -> list[list[Tensor]]:
        return [list(sequence_backward(*layer[0], kept[0], slopes[0], *wants))]

    dx, *others = _gradients(ctx, given, needed, run)
    count = len(needs_state)
    return dx, others[:count], others[count:], *[None] * len(rest)


def _save(ctx: Any, layer: Sequence[Inputs], y: Tensor, made: Sequence[Outputs]) -> None:
    """Keep what backward needs; autograd finds out if a saved tensor is changed meanwhile."""
    xs = _xs(layer)
    tensors: list[Tensor | None] = [*xs, y]
    for inputs, outputs in zip(layer, made, strict=True):
        tensors += (*inputs.state, *inputs.weights, *inputs.extras(), outputs.gates, outputs.cells)
    ctx.save_for_backward(*tensors)
    ctx.xs = len(xs)
    ctx.layer = [(len(part.state), len(part.weights), part[_TENSORS:]) for part in layer]
    ctx.set_materialize_grads(False)


def _saved(ctx: Any) -> tuple[list[Inputs], list[Given]]:
    """What went in, and y, gates and cells of each direction."""
    saved = ctx.saved_tensors
    xs, (y, *rest) = saved[: ctx.xs], saved[ctx.xs :]
    layer, kept = [], []
    for i, (states, weights, numbers) in enumerate(ctx.layer):
        count = _TENSORS - 3 + states + weights  # of those fields one is x, and two are lists
        state, others = rest[:states], rest[states:count]
        layer.append(Inputs(xs[i % len(xs)], state, others[:weights], *others[weights:], *numbers))
        kept.append(rest[count : count + 2])
        rest = rest[count + 2 :]
    parts = zip(split(y, layer), kept, strict=True)
    return layer, [(part, *others) for part, others in parts]


def _gradients(
    ctx: Any, given: Given, needed: Needed, run: Callable[..., list[list[Tensor]]]
) -> list[Tensor | None]:
    """Gradients of x and of all states and weights, by `run` or, to be differentiated, by torch."""
    layer, kept = _saved(ctx)
    dy = [None] * len(layer) if given[0] is None else split(given[0], layer)
    slopes = [(part, *given[1 + 4 * i : 5 + 4 * i]) for i, part in enumerate(dy)]
    if torch.is_grad_enabled():
        pairs = zip(layer, slopes, strict=True)
        return _flat([_by_reference(*pair) for pair in pairs], ctx.xs, torch.add)
    states, others = len(layer[0].state), needed[ctx.xs :]
    each = states + len(layer[0].weights)
    want_weights = any(need for i, need in enumerate(others) if i % each >= states)
    made = run(layer, kept, slopes, any(needed[: ctx.xs]), want_weights)
    flat = _flat(made, ctx.xs, Tensor.add_)
    return [part if need else None for part, need in zip(flat, needed, strict=True)]


def _flat(
    made: Sequence[Sequence[Tensor | None]], xs: int, add: Callable[[Tensor, Tensor], Tensor]
) -> list[Tensor | None]:
    """The gradients of all directions one after another, those of one x added up."""
    dxs: list[Tensor | None] = [parts[0] for parts in made]
    if xs == 1:
        reached = [dx for dx in dxs if dx is not None]
        dxs = [functools.reduce(add, reached) if reached else None]
    return dxs + [part for parts in made for part in parts[1:]]


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
    if not reached:  # a direction whose results nobody used
        return [None] * len(flat)
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

"""The forward and the backward pass of the native library, from tensors to tensors.

They check what the library cannot: it sees addresses alone.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from tidegate.cells.base import LSTM_BLOCKS
from tidegate.errors import InputError, message
from tidegate.kernels import library, loans
from tidegate.kernels.inputs import Inputs, Outputs, Plan

Shape = tuple[int, ...]


def allocate(plan: Plan, inputs: Inputs, keep: bool) -> Outputs:
    """Make room for what a forward pass gives, unfilled.

    Args:
        plan: That of the inputs.
        inputs: What goes in.
        keep: Whether gates and cells are kept.
    """
    rows, steps, _ = inputs.x.shape
    hidden, make = plan.hidden_size, inputs.x.new_empty
    lend = loans.empty if type(inputs.x) is Tensor else make  # fake tensors need no memory
    return Outputs(
        _strided(inputs, plan.output_size),
        make(rows, plan.output_size),
        make(rows, hidden) if plan.has_cells else None,
        lend(rows, steps, *_kept(inputs)) if keep else None,
        lend(rows, steps, hidden) if keep and plan.has_cells else None,
    )


def forward(inputs: Inputs, keep: bool, show: bool) -> Outputs:
    """Run a sequence.

    Args:
        inputs: What goes in.
        keep: Keep the gates and the cell states, for the backward pass or to be seen.
        show: They will be seen: zero where a row has ended.

    Raises:
        InputError: If a type, shape, device or length is wrong.
        BackendError: If there is no library, or it cannot do this.
        MemoryError: If there is not enough memory.
    """
    plan = inputs.plan()
    call = _fill(plan, inputs)
    outputs = y, h_n, c_n, gates, cells = allocate(plan, inputs, keep)
    call.y, call.h_n = y.data_ptr(), h_n.data_ptr()
    call.y_row, call.y_step, _ = y.stride()
    if c_n is not None:
        call.c_n = c_n.data_ptr()
    if gates is not None:
        call.gates = gates.data_ptr()
    if cells is not None:
        call.cells = cells.data_ptr()
    library.check(library.opened().tidegate_forward(call))
    if show and inputs.lengths is not None:
        _clear(inputs.lengths, gates, cells)
    return outputs


def allocate_gradients(inputs: Inputs, want_x: bool, want_weights: bool) -> list[Tensor]:
    """Make room for what a backward pass gives, unfilled.

    Args:
        inputs: What went into the forward pass.
        want_x: Whether the gradient of x is wanted.
        want_weights: Whether that of any weight is wanted.

    Returns:
        The gradients of x, of the states and of the weights; what is not wanted is empty.
    """
    x = inputs.x
    dx = _strided(inputs, x.shape[2]) if want_x else x.new_empty(0)
    state = [x.new_empty(part.shape) for part in inputs.state]
    weights = [x.new_empty(part.shape if want_weights else 0) for part in inputs.weights]
    return [dx, *state, *weights]


def backward(
    inputs: Inputs,
    kept: Sequence[Tensor | None],
    given: Sequence[Tensor | None],
    want_x: bool,
    want_weights: bool,
) -> list[Tensor]:
    """Run the backward pass.

    Args:
        inputs: What went into the forward pass.
        kept: Its y, gates and cells.
        given: Gradients of y, h_n, c_n, gates and cells; None for zeros.
        want_x: Whether the gradient of x is wanted.
        want_weights: Whether that of any weight is wanted.

    Returns:
        See `allocate_gradients`.

    Raises:
        InputError: If a type, shape, device or length is wrong.
        BackendError: If there is no library, or it cannot do this.
        MemoryError: If there is not enough memory.
    """
    plan, gradient = inputs.plan(), library.Gradient(held=[])
    call = _fill(plan, inputs)
    rows, steps, _ = inputs.x.shape
    like_y, like_h = (rows, steps, plan.output_size), (rows, plan.output_size)
    like_cells, like_c = (rows, steps, plan.hidden_size), (rows, plan.hidden_size)
    like_gates = (rows, steps, *_kept(inputs))
    _point_rows(call, "y", kept[0], like_y)
    _point(call, "gates", kept[1], like_gates)
    _point_rows(gradient, "dy", given[0], like_y)
    _point(gradient, "dh_n", given[1], like_h)
    _point(gradient, "dgates", given[3], like_gates)
    if plan.has_cells:
        _point(call, "cells", kept[2], like_cells)
        _point(gradient, "dc_n", given[2], like_c)
        _point(gradient, "dcells", given[4], like_cells)
    made = allocate_gradients(inputs, want_x, want_weights)
    dx = made[0]
    if want_x:
        gradient.dx, (gradient.dx_row, gradient.dx_step, _) = dx.data_ptr(), dx.stride()
    # The fields begin with the states and the weights; the address of an empty tensor is 0.
    for field, part in zip(plan.fields, made[1:], strict=False):
        setattr(gradient, f"d{field}", part.data_ptr())
    library.check(library.opened().tidegate_backward(call, gradient))
    return made


def slots(inputs: Inputs, gates: Tensor) -> dict[str, Tensor]:
    """The gates of all steps by name, `[B, T, H]` each, or their gradients.

    Args:
        inputs: What went into the pass, of an LSTM or a GRU.
        gates: `[B, T, blocks, slots, units]`.
    """
    names: tuple[str, ...] = LSTM_BLOCKS
    if inputs.kind == library.GRU:
        names = ("new", "reset", "update")
    elif inputs.options & library.COUPLED:
        names = LSTM_BLOCKS[1:]  # input = 1 - forget is not kept
    parts = gates[:, :, :, : len(names)].movedim(3, 0).flatten(3)[..., : inputs.hidden_size]
    return dict(zip(names, parts.unbind(0), strict=True))


def _kept(inputs: Inputs) -> Shape:
    """Blocks, slots and units of the gates of one step, in the instruction set in use now."""
    kept = library.opened().tidegate_kept_of(inputs.kind, inputs.options, inputs.hidden_size)
    return kept.blocks, kept.slots, kept.units


def _fill(plan: Plan, inputs: Inputs) -> library.Sequence:
    """Check what goes in, and hand its addresses to the library's struct."""
    x = inputs.x
    if x.ndim != 3:
        raise InputError(message("native", "x", "[B, T, D]", list(x.shape)))
    call = library.Sequence(held=[])
    call.kind, call.options, call.reverse = inputs.kind, inputs.options, inputs.reverse
    call.threads = torch.get_num_threads()
    call.B, call.T, call.I = x.shape
    call.H, call.P = plan.hidden_size, plan.output_size
    call.cell_clip = inputs.cell_clip
    call.zone_hidden_rate, call.zone_cell_rate = inputs.hidden_rate, inputs.cell_rate
    _point_rows(call, "x", x, x.shape)
    tensors = (*inputs.state, *inputs.weights, *inputs.extras())
    if len(tensors) != len(plan.fields):
        given = f"{len(inputs.state)} states and {len(inputs.weights)} weights"
        raise InputError(message("native", "weights", f"those of {plan.cell}", given))
    shapes = _shapes(plan, *x.shape)
    for field, tensor, shape, dtype in zip(plan.fields, tensors, shapes, plan.dtypes, strict=True):
        if tensor is not None:
            _point(call, field, tensor, shape, dtype)
    return call


@functools.lru_cache(maxsize=1024)
def _shapes(plan: Plan, rows: int, steps: int, features: int) -> tuple[Shape, ...]:
    """Shapes of the arguments after x."""
    return (
        *[(rows, size) for size in plan.cell.state_sizes],
        *plan.cell.shapes(features).values(),
        (rows,),
        (rows, steps),
        (rows, plan.output_size),
        (rows, steps, plan.output_size),
        (rows, steps, plan.hidden_size),
    )


def _point(
    struct: library.Sequence | library.Gradient,
    field: str,
    tensor: Tensor | None,
    shape: Shape,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Set an address of a struct to that of a tensor made contiguous; leave it 0 for None."""
    if tensor is None:
        return
    if tensor.shape != shape or tensor.dtype is not dtype or not tensor.is_cpu:
        raise _mismatch(field, tensor, shape, dtype)
    if tensor.is_neg() or not tensor.is_contiguous():
        tensor = tensor.resolve_neg().contiguous()
        struct.held.append(tensor)
    setattr(struct, field, tensor.data_ptr())


def _point_rows(
    struct: library.Sequence | library.Gradient, field: str, tensor: Tensor | None, shape: Shape
) -> None:
    """Set the address and the strides of `[B, T, size]`, of which the last axis must be dense."""
    if tensor is None:
        return
    if tensor.shape != shape or tensor.dtype is not torch.float32 or not tensor.is_cpu:
        raise _mismatch(field, tensor, shape, torch.float32)
    row, step, feature = tensor.stride()
    if tensor.is_neg() or (feature != 1 and shape[2] > 1):
        tensor = tensor.resolve_neg().contiguous()
        struct.held.append(tensor)
        row, step, _ = tensor.stride()
    setattr(struct, field, tensor.data_ptr())
    setattr(struct, f"{field}_row", row)
    setattr(struct, f"{field}_step", step)


def _mismatch(field: str, tensor: Tensor, shape: Shape, dtype: torch.dtype) -> InputError:
    got = f"{list(tensor.shape)} {tensor.dtype} on {tensor.device}"
    return InputError(message("native", field, f"{list(shape)} {dtype} on cpu", got))


def _strided(inputs: Inputs, size: int) -> Tensor:
    """Make room for `[B, T, size]`, laid out as `[T, B, size]` in memory if asked for."""
    rows, steps, _ = inputs.x.shape
    strides = (size, rows * size, 1) if inputs.time_major else (steps * size, size, 1)
    return inputs.x.new_empty_strided((rows, steps, size), strides)


def _clear(lengths: Tensor, *kept: Tensor | None) -> None:
    """Put zeros where a row has ended, which the library leaves as it was."""
    for values in kept:
        if values is not None:
            steps = torch.arange(values.shape[1], device=lengths.device)
            ended = (steps >= lengths[:, None]).flatten().nonzero().squeeze(1)
            values.flatten(0, 1).index_fill_(0, ended, 0.0)

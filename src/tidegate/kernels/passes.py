"""The forward and the backward pass of the native library, from tensors to tensors.

They check what the library cannot: it sees addresses alone.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from tidegate.errors import InputError, message
from tidegate.kernels import library, loans
from tidegate.kernels.inputs import Inputs, Outputs, Plan, gate_names, split

Shape = tuple[int, ...]
Given = Sequence[Tensor | None]

_ABSENT = [0] * (library.SEQUENCE.places["y"] - library.SEQUENCE.places["h0"])
# Multiply-adds that one thread does in about 15 microseconds. To wake another takes as long, and,
# if all cores are busy, a thousand times that.
_SMALL = 500_000

_UNWANTED = [0] * (len(library.GRADIENT.places) - library.GRADIENT.places["dh0"])


def allocate(layer: Sequence[Inputs], keep: bool) -> tuple[Tensor, list[Outputs]]:
    """Make room for what a forward pass gives, unfilled.

    Args:
        layer: What goes in, a sequence for each direction.
        keep: Whether gates and cells are kept.

    Returns:
        The outputs side by side, and those of each direction: views of it.
    """
    joined = _strided(layer[0], sum(inputs.output_size for inputs in layer))
    parts = zip(layer, split(joined, layer), strict=True)
    return joined, [_allocate(inputs, y, keep) for inputs, y in parts]


def _allocate(inputs: Inputs, y: Tensor, keep: bool) -> Outputs:
    plan = inputs.plan()
    rows, steps, _ = inputs.x.shape
    hidden = plan.hidden_size
    h_n = inputs.state[0].new_empty(rows, plan.output_size)
    c_n = h_n.new_empty(rows, hidden) if plan.has_cells else None
    if not keep:
        return Outputs(y, h_n, c_n, None, None)
    cells = loans.empty(h_n, rows, steps, hidden) if plan.has_cells else None
    return Outputs(y, h_n, c_n, loans.empty(y, rows, steps, *plan.kept), cells)


def forward(layer: Sequence[Inputs], keep: bool, show: bool) -> tuple[Tensor, list[Outputs]]:
    """Run the directions of a layer.

    Args:
        layer: What goes in, a sequence for each direction.
        keep: Keep the gates and the cell states, for the backward pass or to be seen.
        show: They will be seen: zero where a row has ended.

    Returns:
        See `allocate`.

    Raises:
        InputError: If a type, shape, device or length is wrong.
        BackendError: If there is no library, or it cannot do this.
        MemoryError: If there is not enough memory.
    """
    held = list[Tensor]()
    calls = [_fill(inputs.plan(), inputs, held) for inputs in layer]
    joined, made = allocate(layer, keep)
    for call, (y, h_n, c_n, gates, cells) in zip(calls, made, strict=True):
        row, step, _ = y.stride()
        call += (y.data_ptr(), row, step, h_n.data_ptr())
        call += [0 if part is None else part.data_ptr() for part in (c_n, gates, cells)]
    packed = b"".join([library.SEQUENCE.pack(*call) for call in calls])
    library.check(library.opened().tidegate_forward_all(packed, len(layer)))
    if show:
        for inputs, outputs in zip(layer, made, strict=True):
            if inputs.lengths is not None:
                _clear(inputs.lengths, outputs.gates, outputs.cells)
    return joined, made


def allocate_gradients(inputs: Inputs, want_x: bool, want_weights: bool) -> list[Tensor]:
    """Make room for what a backward pass gives, unfilled.

    Args:
        inputs: What went into the forward pass.
        want_x: Whether the gradient of x is wanted.
        want_weights: Whether that of any weight is wanted.

    Returns:
        The gradients of x, of the states and of the weights; what is not wanted is empty.
    """
    x, make = inputs.x, inputs.state[0].new_empty
    dx = _strided(inputs, x.shape[2]) if want_x else x.new_empty(0)
    made = [dx, *[make(*part.shape) for part in inputs.state]]
    if not want_weights:
        return made + [make(0) for _ in inputs.weights]
    return made + [make(*part.shape) for part in inputs.weights]


def backward(
    layer: Sequence[Inputs],
    kept: Sequence[Given],
    given: Sequence[Given],
    want_x: bool,
    want_weights: bool,
) -> list[list[Tensor]]:
    """Run the backward pass of the directions of a layer.

    Args:
        layer: What went into the forward pass, a sequence for each direction.
        kept: Their y, gates and cells.
        given: Their gradients of y, h_n, c_n, gates and cells; None for zeros.
        want_x: Whether the gradient of x is wanted.
        want_weights: Whether that of any weight is wanted.

    Returns:
        For each direction, see `allocate_gradients`.

    Raises:
        InputError: If a type, shape, device or length is wrong.
        BackendError: If there is no library, or it cannot do this.
        MemoryError: If there is not enough memory.
    """
    held = list[Tensor]()
    made = [allocate_gradients(inputs, want_x, want_weights) for inputs in layer]
    parts = zip(layer, kept, given, made, strict=True)
    calls = [_fill_backward(*part, held) for part in parts]
    packed = b"".join([call for call, _ in calls]), b"".join([slopes for _, slopes in calls])
    library.check(library.opened().tidegate_backward_all(*packed, len(layer)))
    return made


def _fill_backward(
    inputs: Inputs, kept: Given, given: Given, made: Sequence[Tensor], held: list[Tensor]
) -> tuple[bytes, bytes]:
    """Check what goes into a backward pass: the two structs of the library."""
    plan = inputs.plan()
    call = _fill(plan, inputs, held)
    rows, steps, _ = inputs.x.shape
    hidden, output = plan.hidden_size, plan.output_size
    like_gates, like_cells = (rows, steps, *plan.kept), (rows, steps, hidden)
    dy, dh_n, dc_n, dgates, dcells = given
    if not plan.has_cells:
        kept, dc_n, dcells = (kept[0], kept[1], None), None, None
    call += (
        *_rows("y", kept[0], (rows, steps, output), held, plan.dtype),
        *(0, 0),  # h_n and c_n
        _address("gates", kept[1], like_gates, held, plan.dtype),
        _address("cells", kept[2], like_cells, held),
    )
    slopes = [
        *_rows("dy", dy, (rows, steps, output), held, plan.dtype),
        _address("dh_n", dh_n, (rows, output), held),
        _address("dc_n", dc_n, (rows, hidden), held),
        _address("dgates", dgates, like_gates, held, plan.dtype),
        _address("dcells", dcells, like_cells, held),
    ]
    dx, *others = made
    slopes += (dx.data_ptr(), *dx.stride()[:2]) if dx.numel() else (0, 0, 0)
    slopes += _UNWANTED
    for place, part in zip(plan.slopes, others, strict=True):
        slopes[place] = part.data_ptr()  # 0 for an empty tensor
    return library.SEQUENCE.pack(*call), library.GRADIENT.pack(*slopes)


def slots(inputs: Inputs, gates: Tensor) -> dict[str, Tensor]:
    """The gates of all steps by name, `[B, T, H]` each, or their gradients.

    Args:
        inputs: What went into the pass.
        gates: `[B, T, slots, units]`.

    Returns:
        Views, no copies.
    """
    names = gate_names(inputs.kind, inputs.options)
    parts = gates[:, :, : len(names), : inputs.hidden_size]
    return dict(zip(names, parts.unbind(2), strict=True))


def _fill(plan: Plan, inputs: Inputs, held: list[Tensor]) -> list[float]:
    """Check what goes in: the fields of the library's struct, up to those of the output.

    Args:
        plan: That of the inputs.
        inputs: What goes in.
        held: Takes the tensors that had to be made; they must live as long as the addresses.
    """
    x = inputs.x
    if x.ndim != 3:
        raise InputError(message("native", "x", "[B, T, D]", list(x.shape)))
    shapes, small = _measure(plan, *x.shape)
    threads = 1 if small else torch.get_num_threads()
    call: list[float] = [inputs.kind, inputs.options, inputs.reverse, threads]
    call += (*x.shape, plan.hidden_size, plan.output_size)
    call += (inputs.cell_clip, inputs.hidden_rate, inputs.cell_rate, 0.0)
    call += _rows("x", x, x.shape, held, plan.dtype)
    call += _ABSENT
    tensors = (*inputs.state, *inputs.weights, *inputs.extras())
    if len(tensors) != len(plan.fields):
        given = f"{len(inputs.state)} states and {len(inputs.weights)} weights"
        raise InputError(message("native", "weights", f"those of {plan.cell}", given))
    for index, tensor in enumerate(tensors):
        if tensor is not None:
            field, dtype = plan.fields[index], plan.dtypes[index]
            call[plan.places[index]] = _address(field, tensor, shapes[index], held, dtype)
    return call


@functools.lru_cache(maxsize=1024)
def _measure(plan: Plan, rows: int, steps: int, features: int) -> tuple[tuple[Shape, ...], bool]:
    """Shapes of the arguments after x, and whether the work is too small for a second thread."""
    # To pack the weights takes as long as about eight steps.
    work = plan.cell.multiply_adds(features) * (rows * steps + 8)
    shapes = (
        *[(rows, size) for size in plan.cell.state_sizes],
        *plan.cell.shapes(features).values(),
        (rows,),
        (rows, steps),
        (rows, plan.output_size),
        (rows, steps, plan.output_size),
        (rows, steps, plan.hidden_size),
    )
    return shapes, work < _SMALL


def _address(
    field: str,
    tensor: Tensor | None,
    shape: Shape,
    held: list[Tensor],
    dtype: torch.dtype = torch.float32,
) -> int:
    """Check a tensor and say where it stands, made contiguous; 0 for None."""
    if tensor is None:
        return 0
    if tensor.shape != shape or tensor.dtype is not dtype or not tensor.is_cpu:
        raise _mismatch(field, tensor, shape, dtype)
    if tensor.is_neg() or not tensor.is_contiguous():
        tensor = tensor.resolve_neg().contiguous()
        held.append(tensor)
    return tensor.data_ptr()


def _rows(
    field: str, tensor: Tensor | None, shape: Shape, held: list[Tensor], dtype: torch.dtype
) -> tuple[int, int, int]:
    """Check `[B, T, size]`: where it stands, and the strides of rows and steps.

    The last axis must be dense, so that it has to be copied if it is not.
    """
    if tensor is None:
        return 0, 0, 0
    if tensor.shape != shape or tensor.dtype is not dtype or not tensor.is_cpu:
        raise _mismatch(field, tensor, shape, dtype)
    row, step, feature = tensor.stride()
    if tensor.is_neg() or (feature != 1 and shape[2] > 1):
        tensor = tensor.resolve_neg().contiguous()
        held.append(tensor)
        row, step, _ = tensor.stride()
    return tensor.data_ptr(), row, step


def _mismatch(field: str, tensor: Tensor, shape: Shape, dtype: torch.dtype) -> InputError:
    got = f"{list(tensor.shape)} {tensor.dtype} on {tensor.device}"
    return InputError(message("native", field, f"{list(shape)} {dtype} on cpu", got))


def _strided(inputs: Inputs, size: int) -> Tensor:
    """Make room for `[B, T, size]`, laid out as `[T, B, size]` in memory if asked for."""
    rows, steps, _ = inputs.x.shape
    if inputs.time_major:
        return loans.empty(inputs.x, steps, rows, size).transpose(0, 1)
    return loans.empty(inputs.x, rows, steps, size)


def _clear(lengths: Tensor, *kept: Tensor | None) -> None:
    """Put zeros where a row has ended, which the library leaves as it was."""
    for values in kept:
        if values is not None:
            steps = torch.arange(values.shape[1], device=lengths.device)
            ended = (steps >= lengths[:, None]).flatten().nonzero().squeeze(1)
            values.flatten(0, 1).index_fill_(0, ended, 0.0)

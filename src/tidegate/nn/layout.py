"""Between the shapes users pass and the one the kernels run: `[B, T, D]` and `[B, T]` masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tidegate.cells import Cell
from tidegate.errors import InputError, message

Lengths = Tensor | Sequence[int]


@dataclass(frozen=True)
class Layout:
    """How one call lays out its tensors.

    Attributes:
        owner: The layer's name, for messages.
        batched: False for a single sequence `[T, D]`.
        batch_first: Whether input and output are `[B, T, ...]`.
        state_batch_first: Whether states are `[B, layers*directions, H]`.
    """

    owner: str
    batched: bool
    batch_first: bool
    state_batch_first: bool

    @property
    def time_first(self) -> bool:
        """Whether input and output are `[T, B, ...]`."""
        return self.batched and not self.batch_first

    def enter(self, x: Tensor) -> Tensor:
        """Bring an input to `[B, T, D]`."""
        if not self.batched:
            return x[None]
        return x if self.batch_first else x.transpose(0, 1)

    def leave(self, output: Tensor) -> Tensor:
        """Bring an output from `[B, T, P]` to what the caller expects."""
        if not self.batched:
            return output[0]
        # Contiguous as in torch.nn, so that programs may call view() on it.
        return output if self.batch_first else output.transpose(0, 1).contiguous()

    def enter_state(self, state: Tensor) -> Tensor:
        """Bring a state to `[layers*directions, B, size]`."""
        if not self.batched:
            return state[:, None]
        return state.transpose(0, 1) if self.state_batch_first else state

    def leave_state(self, state: Tensor) -> Tensor:
        """Bring a state from `[layers*directions, B, size]` to what the caller expects."""
        if not self.batched:
            return state[:, 0]
        return state.transpose(0, 1) if self.state_batch_first else state


def read_lengths(owner: str, lengths: Lengths | None, x: Tensor) -> Tensor | None:
    """Check `lengths` and bring it to `[B]` int64 on the device of `x`.

    Args:
        owner: The layer's name.
        lengths: Valid steps of each row: a tensor on any device, or a list; or None.
        x: Inputs `[B, T, D]`.

    Raises:
        InputError: If the number, type or range of the lengths is wrong.
    """
    if lengths is None:
        return None
    try:
        given = torch.as_tensor(lengths)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(message(owner, "lengths", "integers", lengths)) from error
    rows, steps = x.shape[:2]
    # An empty list makes a tensor of floats.
    if given.numel() and (given.dtype == torch.bool or given.dtype.is_floating_point):
        raise InputError(message(owner, "lengths", "integers", given.dtype))
    if given.is_complex():
        raise InputError(message(owner, "lengths", "integers", given.dtype))
    given = given.to(torch.int64)  # torch has no min for some unsigned types
    given = given.reshape(1) if given.ndim == 0 else given
    if given.shape != (rows,):
        raise InputError(message(owner, "lengths", f"of shape [B] = [{rows}]", list(given.shape)))
    # A look at the values would break the graph that torch.compile draws.
    if given.numel() and not torch.compiler.is_compiling():
        values = _unwrapped(given)
        low, high = int(values.min()), int(values.max())
        if low < 0 or high > steps:
            rule = f"between 0 and T = {steps}"
            raise InputError(message(owner, "lengths", rule, low if low < 0 else high))
    return given.to(x.device)


def _unwrapped(lengths: Tensor) -> Tensor:
    """The values themselves: vmap lets nobody look at those of one of its rows."""
    while torch._C._functorch.is_functorch_wrapped_tensor(lengths):
        lengths = torch._C._functorch.get_unwrapped(lengths)
    return lengths


def read_resets(owner: str, reset_mask: object, x: Tensor) -> Tensor | None:
    """Check `reset_mask` and bring it to `[B, T]` bool on the device of `x`.

    Raises:
        InputError: If its shape or dtype is wrong.
    """
    if reset_mask is None:
        return None
    if not isinstance(reset_mask, Tensor):
        raise InputError(message(owner, "reset_mask", "a tensor", type(reset_mask).__name__))
    mask = reset_mask[None] if reset_mask.ndim == 1 else reset_mask
    if mask.dtype != torch.bool:
        rule = "of dtype bool"
        raise InputError(message(owner, "reset_mask", rule, mask.dtype, "Convert it with .bool()"))
    if mask.shape != x.shape[:2]:
        rule = f"of shape [B, T] = {list(x.shape[:2])}, whatever batch_first says"
        raise InputError(message(owner, "reset_mask", rule, list(mask.shape)))
    return mask.to(x.device)


def walk_resets(resets: Tensor | None, lengths: Tensor | None, reverse: bool) -> Tensor | None:
    """Turn "a segment starts here" into "the state is zero before this step of the walk".

    Walking backwards, the state crosses from the first step of a segment to the last step of the
    one before; a row's own last step starts from its initial state. What the mask holds in the
    padding has no effect.
    """
    if resets is None:
        return None
    steps = torch.arange(resets.shape[1], device=resets.device)
    ends = len(steps) if lengths is None else lengths[:, None]
    if reverse:
        return resets.roll(-1, 1) & (steps < ends - 1)
    return resets & (steps < ends)


def read_state(layout: Layout, cell: Cell, hx: object, count: int, x: Tensor) -> tuple[Tensor, ...]:
    """Check the initial states and bring them to `[count, B, size]` each; zeros for None.

    Args:
        layout: How the caller lays out tensors.
        cell: The cell, which knows its states.
        hx: A tensor for a cell with one state, else a tuple of tensors; or None.
        count: Number of layers times directions.
        x: Inputs `[B, T, D]`.

    Raises:
        InputError: If number, shape, dtype or device of the states is wrong.
    """
    rows = x.shape[0]
    if hx is None:
        return tuple(x.new_zeros(count, rows, size) for size in cell.state_sizes)
    given = (hx,) if isinstance(hx, Tensor) else tuple(hx) if isinstance(hx, (tuple, list)) else ()
    if len(given) != len(cell.states) or not all(isinstance(s, Tensor) for s in given):
        rule = f"{len(cell.states)} tensor(s): {', '.join(cell.states)}"
        raise InputError(message(layout.owner, "hx", rule, type(hx).__name__))
    states = []
    for name, size, state in zip(cell.states, cell.state_sizes, given, strict=True):
        if state.ndim != 2 + layout.batched:
            rule = f"{2 + layout.batched}-D for {3 if layout.batched else 2}-D input"
            raise InputError(message(layout.owner, f"hx ({name})", rule, list(state.shape)))
        entered = layout.enter_state(state)
        if entered.shape != (count, rows, size):
            rule = f"of shape [layers*directions, B, size] = {[count, rows, size]}"
            raise InputError(message(layout.owner, f"hx ({name})", rule, list(entered.shape)))
        mixed = entered.dtype != x.dtype and not torch.is_autocast_enabled(x.device.type)
        if mixed or entered.device != x.device:
            rule = f"{x.dtype} on {x.device}, as the input is"
            got = f"{entered.dtype} on {entered.device}"
            raise InputError(message(layout.owner, f"hx ({name})", rule, got))
        states.append(entered)
    return tuple(states)


def check_input(
    owner: str, x: object, input_size: int, weight: Tensor, ndims: tuple[int, int] = (2, 3)
) -> None:
    """Raise InputError unless `x` is a tensor of `ndims` axes, D, device and dtype of the layer."""
    if not isinstance(x, Tensor):
        raise InputError(message(owner, "input", "a tensor", type(x).__name__))
    if x.ndim not in ndims:
        rule = " or ".join(f"{ndim}-D" for ndim in ndims)
        raise InputError(message(owner, "input", rule, f"{x.ndim}-D"))
    if x.shape[-1] != input_size:
        rule = f"of size input_size = {input_size} on its last axis"
        raise InputError(message(owner, "input", rule, list(x.shape)))
    if x.device != weight.device:
        remedy = "Move one of them with .to(device)"
        rule = f"on the layer's device, {weight.device}"
        raise InputError(message(owner, "input", rule, x.device, remedy))
    if x.dtype != weight.dtype and not torch.is_autocast_enabled(x.device.type):
        remedy = "Convert the input or the layer with .to(dtype)"
        raise InputError(message(owner, "input", f"of dtype {weight.dtype}", x.dtype, remedy))

"""The native library: every cell of the package on a CPU, near the machine's limit.

`library` loads it, `inputs` says what it takes, `passes` calls it on tensors, `operator` makes it
differentiable and known to torch.compile and torch.export. Its results depend neither on the other
rows of a batch, nor on the cut of a sequence into chunks, nor on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch._subclasses.functional_tensor import FunctionalTensor
from torch.autograd import forward_ad

from tidegate.cells import GRU, LSTM, RNN
from tidegate.kernels import library, operator, passes
from tidegate.kernels.inputs import Inputs, describe, supports
from tidegate.kernels.request import Request, Result

F = TypeVar("F", bound=Callable[..., bool])

# Other tensor classes, such as those of nested or quantized tensors, have rules of their own.
_PLAIN = (Tensor, torch.nn.Parameter)
_TRACED = (FakeTensor, FunctionalTensor)


def refuses(request: Request) -> str | None:
    """Say why this backend cannot run the request, or None if it can."""
    cell = request.cell
    if type(cell) not in (LSTM, GRU, RNN):
        return f"The native library has no cell '{cell.name}'"
    if library.LIBRARY is None:
        return library.PROBLEM
    kind, options, _ = describe(cell)
    if not _supports(kind, options, cell.hidden_size, cell.output_size):
        return f"The native library has no such variant of the {cell.title}"
    if 0 in request.x.shape:
        return "The native library refuses empty sequences and batches"
    for part in (request.x, *request.state, *request.weights.values()):
        reason = _refuses_tensor(part)
        if reason is not None:
            return reason
    return _refuses_mode(request)


def _refuses_tensor(part: Tensor) -> str | None:
    if type(part) not in _PLAIN and type(part) not in _TRACED:
        return f"The native library knows plain tensors, not {type(part).__name__}"
    if not part.is_cpu:
        return f"The native library runs on a CPU, not on {part.device}"
    if part.dtype is not torch.float32:
        return f"The native library computes in float32, not in {part.dtype}"
    if part.layout is not torch.strided:
        return f"The native library knows dense tensors, not {part.layout}"
    return None


def _refuses_mode(request: Request) -> str | None:
    """Say what is going on around the call that the library knows nothing of, or None."""
    mask = request.noise.recurrent
    if mask is not None and mask.requires_grad:
        return "The native library gives no gradient of a mask"
    if torch._C._are_functorch_transforms_active():
        return "The native library has no rule for torch.func transforms such as vmap"
    if forward_ad._current_level >= 0:
        return "The native library has no derivatives in forward mode"
    if torch.is_autocast_enabled("cpu"):
        return "The native library computes in float32, and autocast asks for less"
    if torch._C._get_tracing_state() is not None:
        return "The native library leaves no trace for torch.jit"
    if torch.compiler.is_compiling() and _exports_to_onnx():
        return "ONNX has no operator for the native library"
    return None


def run(request: Request) -> Result:
    """Run one sequence with the native library.

    Args:
        request: One that `refuses` has nothing against.

    Returns:
        See `Result`.

    Raises:
        InputError: If a type, shape, device or length is wrong.
        MemoryError: If there is not enough memory.
    """
    inputs = _inputs(request)
    show = request.return_gates and bool(request.cell.gates)
    y, h_n, c_n, gates, cells = _outputs(inputs, show)
    state = (h_n, c_n)[: len(inputs.state)]
    trace = _trace(request, inputs, y, gates, cells) if request.return_gates else None
    return Result(y, state, trace)


def _outputs(inputs: Inputs, show: bool) -> tuple[Any, ...]:
    """The fields of `Outputs`, by the shortest way that fits what goes on around."""
    leaves = (inputs.x, *inputs.state, *inputs.weights)
    train = torch.is_grad_enabled() and any(part.requires_grad for part in leaves)
    if _is_traced(inputs.x):
        made: tuple[Any, ...] = operator.sequence(*inputs, train or show, show)
        return made
    if train:
        return operator.train(inputs, show, leaves)
    return passes.forward(inputs, keep=show, show=show)


def _inputs(request: Request) -> Inputs:
    cell, noise, x = request.cell, request.noise, request.x
    kind, options, clip = describe(cell)
    masks: list[Tensor | None] = [None, None]
    rates = [0.0, 0.0]
    for index, zone in enumerate(noise.zoneout):
        if isinstance(zone, Tensor):
            masks[index] = zone
        elif zone is not None:
            rates[index] = float(zone)
    return Inputs(
        x=x,
        state=list(request.state),
        weights=[request.weights[name] for name in cell.shapes(x.shape[-1])],
        lengths=request.lengths,
        resets=request.resets,
        recurrent_mask=noise.recurrent,
        zone_hidden=masks[0],
        zone_cell=masks[1],
        kind=kind,
        options=options,
        hidden_size=cell.hidden_size,
        output_size=cell.output_size,
        bias=cell.bias,
        cell_clip=clip,
        hidden_rate=rates[0],
        cell_rate=rates[1],
        reverse=request.reverse,
        time_major=0 < x.stride(0) < x.stride(1),
    )


def _trace(
    request: Request, inputs: Inputs, y: Tensor, gates: Tensor, cells: Tensor
) -> dict[str, Tensor]:
    """Every gate and state by name, `[B, T, H]`, zero where a row has ended."""
    cell, mask = request.cell, request.mask
    named = {"hidden": y, "cell": cells}
    if cell.gates:
        named |= passes.slots(inputs, gates)
    if "input" in cell.gates and "input" not in named:
        entry = 1 - named["forget"]
        named["input"] = entry if mask is None else entry.masked_fill(~mask[..., None], 0)
    return {name: named[name] for name in cell.gates + cell.states}


def _is_traced(x: Tensor) -> bool:
    """Whether somebody draws a graph or watches operators, so that one has to be called."""
    return (
        torch.compiler.is_compiling()
        or torch._C._len_torch_dispatch_stack() > 0
        or type(x) in _TRACED
    )


def _constant(function: F) -> F:
    """Let torch.compile take what a function returns for a constant: it cannot look into it.

    This is the mark of torch.compiler.assume_constant_result, which would import the compiler.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


@_constant
def _supports(kind: int, options: int, hidden_size: int, output_size: int) -> bool:
    return supports(kind, options, hidden_size, output_size)


@_constant
def _exports_to_onnx() -> bool:
    return bool(torch.onnx.is_in_onnx_export())

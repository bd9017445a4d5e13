"""The native library: every cell of the package on a CPU, near the machine's limit.

`library` loads it, `inputs` says what it takes, `passes` calls it on tensors, `operator` makes it
differentiable and known to torch.compile and torch.export. Its results depend neither on the other
rows of a batch, nor on the cut of a sequence into chunks, nor on the number of threads.

Under autocast to bfloat16, and in layers of bfloat16, x, the output and the gates are bfloat16 and
so are the factors of the products; sums, states and the gradients of the weights are float32.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch._subclasses.functional_tensor import FunctionalTensor
from torch.autograd import forward_ad

from tidegate.cells import Cell
from tidegate.cells.base import State
from tidegate.kernels import library, operator, passes
from tidegate.kernels.compiling import constant
from tidegate.kernels.inputs import Inputs, Numbers, Outputs, describe, supports
from tidegate.kernels.request import Noise, Request, Result

# Other tensor classes, such as those of nested or quantized tensors, have rules of their own.
_TRACED = (FakeTensor, FunctionalTensor)
_KNOWN = (Tensor, torch.nn.Parameter, *_TRACED)
_TYPES = {torch.float32, torch.bfloat16}


def refuses(request: Request) -> str | None:
    """Say why this backend cannot run the request, or None if it can."""
    cell = request.cell
    if cell.native is None:
        return f"The native library has no cell '{cell.name}'"
    if library.LIBRARY is None:
        return library.PROBLEM
    if not _supports(*_terms(cell)[0][:4]):
        return f"The native library has no such variant of the {cell.title}"
    if 0 in request.x.shape:
        return "The native library refuses empty sequences and batches"
    parts = (request.x, *request.state, *request.weights.values())
    for part in parts:
        if type(part) not in _KNOWN:
            return f"The native library knows plain tensors, not {type(part).__name__}"
        if not part.is_cpu:
            return f"The native library runs on a CPU, not on {part.device}"
        if part.layout is not torch.strided:
            return f"The native library knows dense tensors, not {part.layout}"
    return _refuses_types({part.dtype for part in parts}) or _refuses_mode(request)


def _refuses_types(given: set[torch.dtype]) -> str | None:
    """Say why the library does not compute with these types, or None if it does."""
    autocast = torch.is_autocast_enabled("cpu")
    if autocast and torch.get_autocast_dtype("cpu") is not torch.bfloat16:
        asked = torch.get_autocast_dtype("cpu")
        return f"The native library computes in float32 and bfloat16, and autocast asks for {asked}"
    for dtype in given - _TYPES:
        return f"The native library computes in float32 and bfloat16, not in {dtype}"
    if len(given) > 1 and not autocast:
        return "The native library mixes float32 and bfloat16 only under autocast"
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
    return run_layer([request])[1][0]


def joins(requests: Sequence[Request]) -> bool:
    """Whether the directions of a layer can be run at once: not where a graph is drawn.

    Args:
        requests: A sequence for each direction.
    """
    return not _is_traced(requests[0].x)


def run_layer(requests: Sequence[Request]) -> tuple[Tensor, list[Result]]:
    """Run the directions of a layer with the native library.

    Args:
        requests: A sequence for each direction, which `refuses` has nothing against.

    Returns:
        The outputs side by side, `[B, T, directions * P]`, and the result of each.

    Raises:
        InputError: If a type, shape, device or length is wrong.
        MemoryError: If there is not enough memory.
    """
    if not _is_low(requests[0]):
        return _run(requests)
    y, results = _run([_lowered(request) for request in requests])
    wanted = [request.weights["weight_hh"].dtype for request in requests]
    return y.bfloat16(), [_raised(*each) for each in zip(results, wanted, strict=True)]


def precision(request: Request) -> str:
    """Say in which type the library runs a request, if not simply in float32.

    Args:
        request: One that `refuses` has nothing against.
    """
    if not _is_low(request):
        return ""
    if _has_low(request.cell):
        return "in bfloat16"
    return "in float32, between a bfloat16 input and output"


def _is_low(request: Request) -> bool:
    """Whether what goes in and comes out is bfloat16."""
    return request.x.dtype is torch.bfloat16 or torch.is_autocast_enabled("cpu")


def _has_low(cell: Cell) -> bool:
    """Whether the library computes a cell in bfloat16 too."""
    (kind, options, *sizes, _, _), _ = _terms(cell)
    return _supports(kind, options | library.BFLOAT16, *sizes)


def _lowered(request: Request) -> Request:
    """The same with a bfloat16 input and all else float32."""
    noise = request.noise
    mask = None if noise.recurrent is None else noise.recurrent.float()
    return replace(
        request,
        x=request.x.to(torch.bfloat16 if _has_low(request.cell) else torch.float32),
        state=tuple([part.float() for part in request.state]),
        weights={name: part.float() for name, part in request.weights.items()},
        noise=Noise(mask, noise.zoneout),
    )


def _raised(result: Result, states: torch.dtype) -> Result:
    """A result with bfloat16 output and gates, and states in the type of the weights.

    That is float32 under autocast, so that chunks of a sequence fit together exactly.
    """
    trace = result.trace and {
        name: part if name == "cell" else part.bfloat16() for name, part in result.trace.items()
    }
    state = tuple([part.to(states) for part in result.state])
    return Result(result.output.bfloat16(), state, trace)


def _run(requests: Sequence[Request]) -> tuple[Tensor, list[Result]]:
    """Run requests whose x is float32 or bfloat16 and all else float32."""
    layer = [_inputs(request) for request in requests]
    show = requests[0].return_gates and bool(requests[0].cell.gates)
    y, made = _outputs(layer, show)
    return y, [_result(*each) for each in zip(requests, layer, made, strict=True)]


def _result(request: Request, inputs: Inputs, outputs: Outputs) -> Result:
    state: State = (outputs.h_n,)
    if len(inputs.state) > 1:
        state += (_given(outputs.c_n),)
    trace = _trace(request, inputs, outputs) if request.return_gates else None
    return Result(outputs.y, state, trace)


def _outputs(layer: Sequence[Inputs], show: bool) -> tuple[Tensor, list[Outputs]]:
    """What comes out, by the shortest way that fits what goes on around."""
    train = torch.is_grad_enabled() and any(_trains(inputs) for inputs in layer)
    if _is_traced(layer[0].x):
        (inputs,) = layer
        made = Outputs(*operator.sequence(*inputs, train or show, show))
        # The caller may write to it, and the operator's rule keeps its own; a compiler that fuses
        # what comes next does without the copy.
        y = made.y.clone() if train else made.y
        return y, [made._replace(y=y)]
    if train:
        return operator.train(layer, show)
    return passes.forward(layer, keep=show, show=show)


def _trains(inputs: Inputs) -> bool:
    return any(part.requires_grad for part in (inputs.x, *inputs.state, *inputs.weights))


def _inputs(request: Request) -> Inputs:
    cell, noise, x, weights = request.cell, request.noise, request.x, request.weights
    masks: list[Tensor | None] = [None, None]
    rates = [0.0, 0.0]
    for index, zone in enumerate(noise.zoneout):
        if isinstance(zone, Tensor):
            masks[index] = zone
        elif zone is not None:
            rates[index] = float(zone)
    (kind, options, hidden_size, output_size, bias, clip), names = _terms(cell)
    if x.dtype is torch.bfloat16:
        options |= library.BFLOAT16
    strides = x.stride()
    return Inputs(  # in the order of its fields: names would take twice as long
        x,
        list(request.state),
        [weights[name] for name in names],
        request.lengths,
        request.resets,
        noise.recurrent,
        masks[0],
        masks[1],
        kind,
        options,
        hidden_size,
        output_size,
        bias,
        clip,
        rates[0],
        rates[1],
        request.reverse,
        0 < strides[0] < strides[1],
    )


def _trace(request: Request, inputs: Inputs, outputs: Outputs) -> dict[str, Tensor]:
    """Every gate and state by name, `[B, T, H]`, zero where a row has ended."""
    cell, mask = request.cell, request.mask
    named = {"hidden": outputs.y}
    if "cell" in cell.states:
        named["cell"] = _given(outputs.cells)
    if cell.gates:
        kept = passes.slots(inputs, _given(outputs.gates))
        named |= kept
        for name, part in cell.derived_gates(kept).items():
            named[name] = part if mask is None else part.masked_fill(~mask[..., None], 0)
    return {name: named[name] for name in cell.gates + cell.states}


def _given(part: Tensor | None) -> Tensor:
    """A cell state has cells, and what is to be seen was kept."""
    assert part is not None
    return part


def _is_traced(x: Tensor) -> bool:
    """Whether somebody draws a graph or watches operators, so that one has to be called."""
    return (
        torch.compiler.is_compiling()
        or torch._C._len_torch_dispatch_stack() > 0
        or type(x) in _TRACED
    )


def _terms(cell: Cell) -> tuple[Numbers, tuple[str, ...]]:
    """A cell in the library's terms, and the names of its weights."""
    if torch.compiler.is_compiling():  # it warns of functools.lru_cache
        return describe(cell), tuple(cell.shapes(1))
    return _known_terms(cell)


@functools.lru_cache(maxsize=1024)
def _known_terms(cell: Cell) -> tuple[Numbers, tuple[str, ...]]:
    return describe(cell), tuple(cell.shapes(1))


@constant
def _supports(kind: int, options: int, hidden_size: int, output_size: int) -> bool:
    return supports(kind, options, hidden_size, output_size)


@constant
def _exports_to_onnx() -> bool:
    return bool(torch.onnx.is_in_onnx_export())

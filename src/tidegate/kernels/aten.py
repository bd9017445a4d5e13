"""PyTorch's own fused operators for the plain cells: oneDNN on a CPU, cuDNN on a GPU.

Never through PackedSequence: on a CPU, packed training runs step by step and is 10 to 20 times
slower than padded. Rows that end early are handled around the padded operator instead.
"""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from tidegate.cells import GRU, LSTM, RNN, Cell
from tidegate.cells.base import State
from tidegate.kernels.compiling import constant
from tidegate.kernels.request import Request, Result

# sigmoid(+-this) is exactly 1 or 0 in every float type, float16 included.
_SATURATED = 3e4


def refuses(request: Request) -> str | None:
    """Say why this backend cannot run the request, or None if it can."""
    cell, noise = request.cell, request.noise
    if type(cell) not in (LSTM, GRU, RNN):
        return f"PyTorch has no operator for the cell '{cell.name}'"
    if not cell.is_plain:
        return f"PyTorch's {cell.title} has no such variant"
    if noise.recurrent is not None or noise.zoneout:
        return "PyTorch's operators take no recurrent dropout and no zoneout"
    if request.resets is not None:
        return "PyTorch's operators cannot reset a state in mid-sequence"
    if request.return_gates:
        return "PyTorch's operators do not return their gates"
    if 0 in request.x.shape:
        return "PyTorch's operators refuse empty sequences and batches"
    if torch._C._are_functorch_transforms_active():
        return "PyTorch's operators have no rule for torch.func transforms such as vmap"
    return _refuses_types(request)


def _refuses_types(request: Request) -> str | None:
    """Say so where autocast asks for an LSTM that this processor has not.

    Under autocast PyTorch hands an LSTM to oneDNN without asking whether it has one of that type;
    outside, and for every other operator, it asks, and has code of its own.
    """
    cell, x = request.cell, request.x
    if not isinstance(cell, LSTM) or cell.proj_size or x.device.type != "cpu":
        return None
    if not torch.is_autocast_enabled("cpu"):
        return None
    low, train = torch.get_autocast_dtype("cpu"), torch.is_grad_enabled()
    if has_mixed_lstm(x.dtype, low, train):
        return None
    what = "train" if train else "run"
    return f"PyTorch cannot {what} an LSTM under autocast to {low} on this processor"


@constant
def has_mixed_lstm(dtype: torch.dtype, low: torch.dtype, train: bool) -> bool:
    """Whether torch.lstm runs on this CPU under autocast.

    Args:
        dtype: Type of its input and weights.
        low: What autocast computes in.
        train: Whether with gradients.
    """
    return _tried(dtype, low, train, torch.backends.mkldnn.enabled)


@functools.cache
def _tried(dtype: torch.dtype, low: torch.dtype, train: bool, onednn: bool) -> bool:
    """Run a tiny one, in a thread of its own: there none of the caller's modes is on."""
    del onednn  # a program may switch it off and on: the answers are two
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_try, dtype, low, train).result()


def _try(dtype: torch.dtype, low: torch.dtype, train: bool) -> bool:
    sizes = ((1, 1, 1), (1, 1, 1), (1, 1, 1), (4, 1), (4, 1), (4,), (4,))
    x, h, c, *weights = (torch.zeros(size, dtype=dtype, device="cpu") for size in sizes)
    for weight in weights:
        weight.requires_grad_(train)
    try:
        with torch.set_grad_enabled(train), torch.autocast("cpu", low):
            output, *_ = torch.lstm(x, [h, c], weights, True, 1, 0.0, train, False, True)
        if train:
            output.sum().backward()
    except RuntimeError:
        return False
    return True


def run(request: Request) -> Result:
    """Run one sequence with torch.lstm, torch.gru, torch.rnn_tanh or torch.rnn_relu.

    Args:
        request: One that `refuses` has nothing against.

    Returns:
        See `Result`.
    """
    mask = request.mask
    x = request.x if mask is None else request.x.masked_fill(~mask[..., None], 0)
    x = _flip(x, request.lengths) if request.reverse else x
    output, state = _operator(request, x, mask)
    if mask is not None and request.lengths is not None:
        state = (_last(output, request.state[0], request.lengths), *state[1:])
        output = output.masked_fill(~mask[..., None], 0)
    return Result(_flip(output, request.lengths) if request.reverse else output, state)


def _operator(request: Request, x: Tensor, mask: Tensor | None) -> tuple[Tensor, State]:
    """Call the operator on `[B, T, D]`; it wants a leading layer axis on the states."""
    cell, weights = request.cell, dict(request.weights)
    first = [state[None].contiguous() for state in request.state]
    # has_biases, num_layers, dropout, train, bidirectional, batch_first. With one layer `train`
    # has no effect but that cuDNN can run backward afterwards, in eval mode too. What torch.jit
    # traces keeps the flag for good, whatever it is run for later.
    train = torch.is_grad_enabled() or torch._C._get_tracing_state() is not None
    flags = (cell.bias, 1, 0.0, train, False, True)
    if mask is not None:
        x, weights = _drive(x, weights, mask, _pull(cell, x))
    if isinstance(cell, LSTM):
        output, hidden, cell_state = torch.lstm(x, first, list(weights.values()), *flags)
        return output, (hidden[0], cell_state[0])
    if isinstance(cell, GRU):
        operator = torch.gru
    else:
        assert isinstance(cell, RNN)
        operator = torch.rnn_tanh if cell.nonlinearity == "tanh" else torch.rnn_relu
    output, hidden = operator(x, first[0], list(weights.values()), *flags)
    return output, (hidden[0],)


def _pull(cell: Cell, x: Tensor) -> Tensor | None:
    """What to add to the pre-activations in the padding, one number a row of the weights.

    An LSTM has its forget gate driven to exactly 1 and its input gate to exactly 0, so that it
    keeps its cell state: the operator returns c of step T alone, and that is each row's own c_n.
    Under a ReLU h could grow without bound there, and infinity times the zero gradient of the
    padding is NaN, so it is put to 0. Everything else is bounded and goes on unseen.
    """
    if isinstance(cell, LSTM):
        gates = x.new_tensor([-_SATURATED, _SATURATED, 0.0, 0.0])  # input, forget, cell, output
        return gates.repeat_interleave(cell.hidden_size)
    if isinstance(cell, RNN) and cell.nonlinearity == "relu":
        device = x.device.type
        mixed = torch.is_autocast_enabled(device)
        lowest = torch.finfo(torch.get_autocast_dtype(device) if mixed else x.dtype).min
        return x.new_full((cell.hidden_size,), lowest)
    return None


def _drive(
    x: Tensor, weights: dict[str, Tensor], mask: Tensor, pull: Tensor | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Add `pull` in the padding by one more input feature, which is 1 there and 0 elsewhere."""
    if pull is None:
        return x, weights
    ended = (~mask)[..., None].to(x.dtype)
    wider = torch.cat([weights["weight_ih"], pull[:, None]], 1)
    return torch.cat([x, ended], -1), weights | {"weight_ih": wider}


def _last(output: Tensor, initial: Tensor, lengths: Tensor) -> Tensor:
    """The output of each row's last valid step, `[B, P]`; the initial state of an empty row."""
    rows = torch.arange(len(lengths), device=output.device)
    last = output[rows, (lengths - 1).clamp(min=0)]
    return torch.where(lengths[:, None] > 0, last, initial.to(output.dtype))


def _flip(values: Tensor, lengths: Tensor | None) -> Tensor:
    """Reverse `[B, T, ...]` in time, each row within its own length; the padding stays."""
    if lengths is None:
        return values.flip(1)
    steps = torch.arange(values.shape[1], device=values.device)
    mirrored = lengths[:, None] - 1 - steps
    index = torch.where(mirrored >= 0, mirrored, steps)
    return values.gather(1, index[..., None].expand_as(values))

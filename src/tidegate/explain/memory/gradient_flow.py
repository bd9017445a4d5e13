"""Gradient flow: how much of the gradient of a loss arrives at the steps before it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from tidegate.batch import Batch
from tidegate.errors import InputError, message
from tidegate.explain.memory.flow_curves import GradientFlow
from tidegate.explain.memory.stepped import Walk, step, stepwise
from tidegate.nn import Recurrent
from tidegate.nn.layout import Lengths
from tidegate.nn.trace.trace import DIRECTIONS
from tidegate.training.network import Network
from tidegate.waiting import waiting

Loss = Callable[[Tensor], Tensor]


def gradient_flow(
    model: nn.Module,
    x: Tensor | PackedSequence | Batch,
    *,
    lengths: Lengths | None = None,
    loss: Loss | None = None,
) -> GradientFlow:
    """Measure how much of the gradient of a loss arrives at every step before it.

    It works on a copy of the model in float64 and evaluation mode: a float32 gradient would be
    gone below 1e-45. The gradients are those along all paths that lead from a state to the loss.

    Args:
        model: A layer of `tidegate.nn`, or a network that holds one as `recurrent` and maps a
            Batch to outputs.
        x: The layer's input, as for its `forward`; or the network's Batch.
        lengths: Valid steps of each row, `[B]`, for a layer; None if every row has T.
        loss: Maps the output, laid out as it leaves the model, to one number. Default for a
            layer: the sum of the output at each row's last valid step, of a reverse direction
            where it ends. Default for a network: its own `loss` if the Batch has targets, else the
            sum of each row's highest output.

    Returns:
        See `GradientFlow`.

    Raises:
        InputError: If the model, the input or the loss cannot be used.

    Example:
        >>> from tidegate.nn import LSTM
        >>> layer = LSTM(3, 8, forget_bias=1.0)
        >>> flow = gradient_flow(layer, torch.randn(30, 2, 3))
        >>> flow.curves, list(flow.gradients["cell"].shape)
        (('hidden', 'cell', 'highway'), [1, 2, 30, 8])
        >>> flow.decay("cell").factor < 1
        True
    """
    layer = _recurrent(model)
    _check(layer is model, x, lengths)
    twin = copy.deepcopy(model).double().eval().requires_grad_()
    with torch.enable_grad(), stepwise(_recurrent(twin)) as walks:
        value = _loss(twin, x, lengths, loss, walks, next(layer.parameters()).dtype)
        gradients = _gradients(value, walks)
        gate = layer.cell.keep_gate
        return GradientFlow(
            family=layer.cell.name,
            gradients=gradients,
            highway=None if gate is None else torch.stack([_highway(w, gate) for w in walks]),
            chain=None if gate is not None else torch.stack([_chain(w) for w in walks]),
            lengths=walks[0].lengths,
            rows=_rows(layer),
        )


def _recurrent(model: nn.Module) -> Recurrent:
    """The layer itself, or the one that a network holds."""
    layer = model if isinstance(model, Recurrent) else getattr(model, "recurrent", None)
    if isinstance(layer, Recurrent):
        return layer
    rule = "a layer of tidegate.nn, or a network with one as `recurrent`"
    remedy = "Convert a layer of torch.nn by from_torch, as in tidegate.nn.LSTM.from_torch"
    raise InputError(message("gradient_flow", "model", rule, type(model).__name__, remedy))


def _rows(layer: Recurrent) -> tuple[str, ...]:
    directions = DIRECTIONS if layer.bidirectional else DIRECTIONS[:1]
    return tuple(f"layer {k} {way}" for k in range(layer.num_layers) for way in directions)


def _check(is_layer: bool, x: object, lengths: Lengths | None) -> None:
    """Raise InputError unless the input is of the kind that the model takes."""
    rule = "a tensor or PackedSequence for a layer" if is_layer else "a Batch for a network"
    if not isinstance(x, (Tensor, PackedSequence) if is_layer else Batch):
        raise InputError(message("gradient_flow", "x", rule, type(x).__name__))
    if lengths is not None and not is_layer:
        rule = "left out for a network, whose Batch has them"
        raise InputError(message("gradient_flow", "lengths", rule, "it set"))


def _loss(
    twin: nn.Module,
    x: Tensor | PackedSequence | Batch,
    lengths: Lengths | None,
    loss: Loss | None,
    walks: list[Walk],
    dtype: torch.dtype,
) -> Tensor:
    """Run the model, which fills the walks, and make one number of its output."""
    if isinstance(x, Batch):
        x = _double(x)
        outputs = twin(x)
    else:
        outputs, _ = twin(x.double(), lengths=lengths)
    rows = _rows(_recurrent(twin))
    if len(walks) != len(rows):
        rule = "a network that runs its `recurrent` once"
        raise InputError(message("gradient_flow", "model", rule, f"{len(walks)} passes"))
    if loss is not None:
        # Whatever the caller's loss holds is of the type of the model.
        return _one_number(loss(outputs.to(dtype)))
    if isinstance(x, Batch):
        return _one_number(_own_loss(twin, outputs, x))
    directions = 2 if _recurrent(twin).bidirectional else 1
    return torch.stack([walk.end[0].sum() for walk in walks[-directions:]]).sum()


def _double(batch: Batch) -> Batch:
    """The batch with its floating-point numbers in float64."""

    def wide(tensor: Tensor | None) -> Tensor | None:
        return tensor.double() if tensor is not None and tensor.is_floating_point() else tensor

    values = batch.values.double() if batch.values.is_floating_point() else batch.values
    return replace(batch, values=values, targets=wide(batch.targets), weights=wide(batch.weights))


def _own_loss(network: nn.Module, outputs: Tensor, batch: Batch) -> Tensor:
    if isinstance(network, Network) and batch.targets is not None:
        return network.loss(outputs, batch)
    return outputs.amax(-1).sum()


def _one_number(value: object) -> Tensor:
    """Raise InputError unless a loss is one number that hangs on the network."""
    rule = "a function that makes one number, a tensor of no axes, of the output"
    if not isinstance(value, Tensor):
        raise InputError(message("gradient_flow", "loss", rule, type(value).__name__))
    if value.ndim:
        got = f"shape {list(value.shape)}"
        raise InputError(message("gradient_flow", "loss", rule, got, "Sum it up or take its mean"))
    if not value.requires_grad:
        got = "a number that does not depend on it"
        raise InputError(message("gradient_flow", "loss", rule, got))
    return value


def _gradients(value: Tensor, walks: Sequence[Walk]) -> dict[str, Tensor]:
    """Differentiate the loss by every state of every step, `[N, B, T, size]` by state."""
    nodes = [part for walk in walks for state in walk.after for part in state]
    found = iter(torch.autograd.grad(value, nodes, allow_unused=True, materialize_grads=True))
    names = walks[0].request.cell.states
    parts: dict[str, list[Tensor]] = {name: [] for name in names}
    for walk in walks:
        steps = [[next(found) for _ in names] for _ in walk.after]
        for name, of_state in zip(names, zip(*steps, strict=True), strict=True):
            parts[name].append(walk.by_distance(torch.stack(of_state, 1)))
    return {name: torch.stack(of_state) for name, of_state in parts.items()}


def _highway(walk: Walk, gate: str) -> Tensor:
    """Logarithm of the product of a gate over the steps nearer to the end, `[B, T, H]`."""
    logs = walk.by_distance(walk.trace[gate].detach()).log()
    nearer = torch.cat([torch.zeros_like(logs[:, :1]), logs[:, :-1]], 1).cumsum(1)
    return nearer.masked_fill(logs.isnan(), torch.nan)


def _chain(walk: Walk) -> Tensor:
    """Logarithm of the spectral norm of the product of the nearer Jacobians, `[B, T]`."""
    end = walk.end[0]
    rows, size = end.shape
    # The rows of the product walk back through one step after the other; their common size is
    # kept apart as a logarithm, so that a thousand steps neither vanish nor overflow.
    product = torch.eye(size, dtype=end.dtype, device=end.device)[:, None].repeat(1, rows, 1)
    scale = end.new_zeros(rows)
    request = replace(walk.request, x=walk.request.x.detach())
    norms = torch.empty(rows, len(walk.after), dtype=end.dtype, device=end.device)
    for t in waiting(walk.steps[::-1], "Jacobians"):
        norms[:, t] = scale + torch.linalg.matrix_norm(product.transpose(0, 1), 2).log()
        before = tuple(part.detach().requires_grad_() for part in walk.before[t])
        after = step(request, t, before).state[0]
        (product,) = torch.autograd.grad(after, before[:1], product, is_grads_batched=True)
        largest = product.abs().amax((0, 2))
        scale = scale + largest.log()
        product = product / largest.where(largest > 0, 1)[:, None]
    return walk.by_distance(norms[..., None])[..., 0]

"""What several tests share: the bounds of the design, cases, and torch.nn run row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

import tidegate.nn as tn

# max|a - b| / (1 + max|b|): outputs and states, gradients.
BOUNDS = {torch.float32: (1e-5, 1e-4), torch.float64: (1e-10, 1e-10)}

# The layers that torch.nn has too: class name, and the arguments beyond the common ones.
PLAIN = {
    "lstm": ("LSTM", {}),
    "lstm-projected": ("LSTM", {"proj_size": 3}),
    "gru": ("GRU", {}),
    "rnn-tanh": ("RNN", {}),
    "rnn-relu": ("RNN", {"nonlinearity": "relu"}),
}

# Every variant of every cell, and the pairs of options that meet in one equation.
VARIANTS = {
    "lstm": ("LSTM", {}),
    "lstm-no-bias": ("LSTM", {"bias": False}),
    "lstm-projected": ("LSTM", {"proj_size": 2}),
    "lstm-peephole": ("LSTM", {"peephole": True}),
    "lstm-coupled": ("LSTM", {"coupled": True}),
    "lstm-coupled-peephole": ("LSTM", {"coupled": True, "peephole": True}),
    "lstm-norm": ("LSTM", {"layer_norm": True}),
    "lstm-norm-no-bias": ("LSTM", {"layer_norm": True, "bias": False}),
    "lstm-clip": ("LSTM", {"cell_clip": 0.2}),
    "lstm-all": (
        "LSTM",
        {"proj_size": 2, "peephole": True, "coupled": True, "layer_norm": True, "cell_clip": 0.3},
    ),
    "gru": ("GRU", {}),
    "gru-reset-before": ("GRU", {"reset_after": False}),
    "gru-norm": ("GRU", {"layer_norm": True}),
    "gru-norm-no-bias": ("GRU", {"layer_norm": True, "bias": False}),
    "gru-reset-before-norm": ("GRU", {"reset_after": False, "layer_norm": True}),
    "gru-reset-before-no-bias": ("GRU", {"reset_after": False, "bias": False}),
    "rnn": ("RNN", {}),
    "rnn-relu": ("RNN", {"nonlinearity": "relu"}),
    "rnn-norm": ("RNN", {"layer_norm": True}),
}


def make(case: str, input_size: int = 3, hidden_size: int = 4, **options: Any) -> tn.Recurrent:
    """A layer of one of VARIANTS, in float64 unless asked otherwise."""
    name, own = VARIANTS[case]
    options = {"dtype": torch.float64, **own, **options}
    layer = getattr(tn, name)(input_size, hidden_size, **options)
    # Gains of one and shifts of zero would hide a norm that mixes them up.
    with torch.no_grad():
        for key, weight in layer.named_parameters():
            if key.startswith("norm"):
                weight += torch.rand_like(weight)
    return layer


def states_of(state: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return state if isinstance(state, tuple) else (state,)


def as_hx(states: tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
    """States as a layer takes them: a tuple for an LSTM, a tensor for the others."""
    return states if len(states) > 1 else states[0]


def random_states(layer: Any, rows: int | None, dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Non-zero initial states for a layer of torch.nn or ours; rows None for unbatched input."""
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    batch = () if rows is None else (rows,)
    hidden = torch.randn(count, *batch, getattr(layer, "proj_size", 0) or layer.hidden_size)
    states = (hidden, torch.randn(count, *batch, layer.hidden_size))
    kept = states if isinstance(layer, nn.LSTM | tn.LSTM) else states[:1]
    return tuple(state.to(dtype).requires_grad_() for state in kept)


def difference(actual: Tensor, expected: Tensor) -> float:
    """max|a - b| / (1 + max|b|); infinite where either is not a number."""
    assert actual.shape == expected.shape, f"{list(actual.shape)} != {list(expected.shape)}"
    if not actual.numel():
        return 0.0
    a, b = actual.detach().double(), expected.detach().double()
    return ((a - b).abs().max() / (1 + b.abs().max())).nan_to_num(torch.inf).item()


def assert_close(
    actual: Mapping[str, Tensor], expected: Mapping[str, Tensor], output: float, gradient: float
) -> None:
    """Compare named results; the names of gradients start with "grad"."""
    assert actual.keys() == expected.keys()
    far = {}
    for name, value in expected.items():
        distance = difference(actual[name], value)
        if not distance <= (gradient if name.startswith("grad") else output):
            far[name] = distance
    assert not far, f"too far apart: {far}"


def results(
    output: Tensor,
    state: Tensor | tuple[Tensor, ...],
    wanted: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]],
) -> dict[str, Tensor]:
    """Output, states and the gradients of a loss that treats every number of them differently."""
    states, inputs = states_of(state), dict(wanted)
    loss = sum((_ramp(part) * part + part**2).sum() for part in (output, *states))
    # Both sides of a comparison may hang on one graph, that of a packed sequence.
    gradients = torch.autograd.grad(loss, list(inputs.values()), retain_graph=True)
    named = {"output": output} | {f"state {i}": part for i, part in enumerate(states)}
    return named | {f"grad {key}": grad for key, grad in zip(inputs, gradients, strict=True)}


def _ramp(part: Tensor) -> Tensor:
    return torch.linspace(-1, 1, part.numel(), dtype=part.dtype).view(part.shape)


def inputs_of(layer: nn.Module, x: Tensor, states: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """All that a gradient is wanted for, by name."""
    named = {"x": x} | {f"hx {index}": state for index, state in enumerate(states)}
    return named | dict(layer.named_parameters())


def row_by_row(
    module: nn.RNNBase, x: Tensor, states: tuple[Tensor, ...] | None, lengths: list[int]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run torch.nn on each row cut to its length: no padding, no packing, no other row.

    `x` is laid out as the module says; a row of no steps gives its initial states and zeros.
    """
    rows = x if module.batch_first else x.transpose(0, 1)
    width = (module.proj_size or module.hidden_size) * (2 if module.bidirectional else 1)
    states = states or tuple(s.detach() * 0 for s in random_states(module, len(rows), x.dtype))
    outputs, ends = [], []
    for row, length in enumerate(lengths):
        end = tuple(state[:, row] for state in states)
        output = rows.new_zeros(0, width)
        if length:
            output, after = module(rows[row, :length], as_hx(end))
            end = states_of(after)
        padding = rows.new_zeros(rows.shape[1] - length, width)
        outputs.append(torch.cat([output, padding]))
        ends.append(end)
    output = torch.stack(outputs, 0 if module.batch_first else 1)
    return output, tuple(torch.stack(part, 1) for part in zip(*ends, strict=True))


def saved_bytes(layer: tn.Recurrent, x: torch.Tensor) -> int:
    """What autograd keeps of a pass, each storage once, parameters not counted."""
    own = {weight.untyped_storage().data_ptr() for weight in layer.parameters()}
    kept: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        output, _ = layer(x)
    assert output.requires_grad
    return sum(storage.nbytes() for storage in kept.values())

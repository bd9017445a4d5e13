"""What takes the steps of a stream: the native library, or the layers in torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tidegate.errors import BackendError, message
from tidegate.kernels import choose
from tidegate.kernels.stream import NativeStream, check_weights, refuses
from tidegate.nn.stack_pass import StackPass

Array = npt.NDArray[Any]


class Stepper(Protocol):
    """Takes steps, and holds the weights and the state.

    Attributes:
        parts: For each layer its states, `[B, size]` each, to read and to write between steps.
    """

    parts: tuple[tuple[Array, ...], ...]

    def step(self, x: Array) -> Array:
        """Advance by `[B, D]`, or `[D]` if B is 1, to an output laid out alike."""

    def fork(self) -> Stepper:
        """The same weights, and a copy of the state."""


class _ResidualStepper:
    """Layers that add to their output what came in, all but the first."""

    def __init__(self, layers: Sequence[Stepper]) -> None:
        self._layers = layers
        self.parts = tuple(part for layer in layers for part in layer.parts)

    def step(self, x: Array) -> Array:
        features = self._layers[0].step(x)
        for layer in self._layers[1:]:
            features = layer.step(features) + features
        return features

    def fork(self) -> _ResidualStepper:
        return _ResidualStepper([layer.fork() for layer in self._layers])


class _TorchStepper:
    """Any stack, a sequence of one step a time."""

    def __init__(self, stack: StackPass, states: tuple[Tensor, ...]) -> None:
        self._stack, self._states = stack, states
        arrays = [state.numpy() for state in states]  # the same memory
        self.parts = tuple(tuple(layer) for layer in zip(*arrays, strict=True))

    def step(self, x: Array) -> Array:
        rows = np.array(x, order="C").reshape(self._states[0].shape[1], 1, -1)
        with torch.no_grad():
            output, after = self._stack.run(torch.from_numpy(rows), self._states)
            for state, new in zip(self._states, _tuple(after), strict=True):
                state.copy_(new)
        y: Array = output.numpy().reshape(*x.shape[:-1], -1)
        return y

    def fork(self) -> _TorchStepper:
        return _TorchStepper(self._stack, tuple(state.clone() for state in self._states))


def make_stepper(stack: StackPass, rows: int) -> tuple[Stepper, str, str]:
    """Copy the weights of a stack and choose who takes its steps.

    Args:
        stack: A stack of one direction.
        rows: B.

    Returns:
        Who takes them, its name, and a sentence that says why.

    Raises:
        InputError: If a weight has another shape or type than the cell says.
        BackendError: If the backend asked for cannot.
    """
    _check(stack)
    frozen = _freeze(stack)
    weights = [frozen.weights(layer, "") for layer in range(stack.num_layers)]
    dtype = weights[0]["weight_ih"].dtype
    cell, options = stack.cell, stack.options
    low = options.precision == "bfloat16"
    reason = refuses(cell, dtype, options.backend, low_precision=low)
    if reason is None:
        rates = options.zoneout_rates(cell)
        groups = [[layer] for layer in weights] if options.residual else [weights]
        parts = [NativeStream(cell, group, rows, rates, low_precision=low) for group in groups]
        steps: Stepper = parts[0] if len(parts) == 1 else _ResidualStepper(parts)
        return steps, "native", "native runs it."
    if options.backend == "native":
        rule = "a backend that can run this"
        remedy = f'{reason}; use backend="auto"'
        raise BackendError(message(cell.title, "backend", rule, "'native'", remedy))
    states = tuple(
        torch.zeros(stack.num_layers, rows, size, dtype=dtype) for size in cell.state_sizes
    )
    x = torch.zeros(rows, 1, stack.input_size, dtype=dtype)
    with frozen.autocast(x):
        name = choose(frozen.first_request(x), options.backend)
    return (
        _TorchStepper(frozen, states),
        name,
        f"{name} runs it in torch; native does not: {reason}.",
    )


def _check(stack: StackPass) -> None:
    """Check the weights, which somebody may have replaced since the layer was made."""
    features, dtype = stack.input_size, stack.weights(0, "")["weight_ih"].dtype
    for layer in range(stack.num_layers):
        check_weights(stack.cell, stack.weights(layer, ""), features, layer, dtype)
        features = stack.cell.output_size


def _freeze(stack: StackPass) -> StackPass:
    """The stack in evaluation, on a CPU, with a copy of its weights."""
    weights = [
        {
            name: weight.detach().to("cpu", copy=True)
            for name, weight in stack.weights(layer, "").items()
        }
        for layer in range(stack.num_layers)
    ]
    return replace(
        stack,
        options=replace(stack.options, state_batch_first=False, checkpoint_every=None),
        batch_first=True,
        training=False,
        weights=lambda layer, _: weights[layer],
        drop=lambda features: features,
    )


def _tuple(state: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return state if isinstance(state, tuple) else (state,)

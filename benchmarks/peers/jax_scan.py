"""JAX: lax.scan over time, compiled with its vector-Jacobian product; time-major."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from jax import Array
from torch import Tensor

from benchmarks.peers import Run, UnableError
from benchmarks.suite.case import TRAINING, Case, Problem

jax.config.update("jax_platforms", "cpu")

Weights = dict[str, Array]


def prepare(problem: Problem, phase: str) -> Run:
    """Compile the case."""
    case = problem.case
    if not case.is_plain or problem.lengths is not None or case.dtype != "float32":
        raise UnableError("only plain cells over rows of one length, in float32")
    x, dy = _time_major(problem.x), _time_major(problem.dy)
    weights = {name: jnp.asarray(weight.numpy()) for name, weight in problem.weights.items()}
    forward = stack(case)

    @jax.jit
    def train(x: Array, weights: Weights, dy: Array) -> tuple[Array, Array, Weights]:
        output, backward = jax.vjp(forward, x, weights)
        return output, *backward(dy)

    infer = jax.jit(lambda x, weights: (forward(x, weights),))
    training = phase == TRAINING

    def call() -> Any:
        return jax.block_until_ready(train(x, weights, dy) if training else infer(x, weights))

    return Run(call, results)


def results(value: tuple[Any, ...]) -> dict[str, Tensor]:
    """Output, gradient of x, gradients of the weights by name; the first two are time-major."""
    named = {"output": to_torch(value[0]).transpose(0, 1)}
    if len(value) > 1:
        named["grad x"] = to_torch(value[1]).transpose(0, 1)
        named |= {f"grad {name}": to_torch(grad) for name, grad in value[2].items()}
    return named


def to_torch(array: Any) -> Tensor:
    """A copy that torch may write to."""
    return torch.from_numpy(np.array(array))


def _time_major(values: Tensor) -> Array:
    return jnp.asarray(values.transpose(0, 1).contiguous().numpy())


def stack(case: Case) -> Callable[[Array, Weights], Array]:
    """The whole net as a function of `[T, B, I]` and its weights."""
    step = STEPS[case.kind]

    def direction(x: Array, weights: Weights, suffix: str, reverse: bool) -> Array:
        w = {name: weights[name + suffix] for name in ("weight_ih", "weight_hh")}
        w |= {name: weights[name + suffix] for name in ("bias_ih", "bias_hh")}
        sums = x @ w["weight_ih"].T + w["bias_ih"]
        state = (jnp.zeros((x.shape[1], case.H)),) * (2 if case.kind == "LSTM" else 1)
        advance = lambda state, inputs: step(inputs, state, w)  # noqa: E731
        return jax.lax.scan(advance, state, sums, reverse=reverse)[1]

    def forward(x: Array, weights: Weights) -> Array:
        for layer in range(case.layers):
            parts = [direction(x, weights, f"_l{layer}", False)]
            if case.bidirectional:
                parts.append(direction(x, weights, f"_l{layer}_reverse", True))
            x = jnp.concatenate(parts, -1)
        return x

    return forward


def lstm_step(inputs: Array, state: tuple[Array, ...], w: Weights) -> tuple[Any, Array]:
    """One step, from W x + b to the new state and the output."""
    h, c = state
    i, f, g, o = jnp.split(inputs + h @ w["weight_hh"].T + w["bias_hh"], 4, -1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def _gru_step(inputs: Array, state: tuple[Array, ...], w: Weights) -> tuple[Any, Array]:
    (h,) = state
    product = jnp.split(h @ w["weight_hh"].T + w["bias_hh"], 3, -1)
    of_r, of_z, of_n = jnp.split(inputs, 3, -1)
    r, z = jax.nn.sigmoid(of_r + product[0]), jax.nn.sigmoid(of_z + product[1])
    h = (1 - z) * jnp.tanh(of_n + r * product[2]) + z * h
    return (h,), h


def _rnn_step(inputs: Array, state: tuple[Array, ...], w: Weights) -> tuple[Any, Array]:
    h = jnp.tanh(inputs + state[0] @ w["weight_hh"].T + w["bias_hh"])
    return (h,), h


STEPS = {"LSTM": lstm_step, "GRU": _gru_step, "RNN": _rnn_step}

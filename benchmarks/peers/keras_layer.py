"""Keras on its JAX backend: LSTM, GRU and SimpleRNN, compiled with their gradients."""

from __future__ import annotations

import os
from typing import Any

# Keras reads this once, when it is imported.
os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import keras
import numpy as np
import torch
from torch import Tensor

from benchmarks.peers import Run, UnableError
from benchmarks.peers.jax_scan import to_torch
from benchmarks.suite.case import TRAINING, Problem


def prepare(problem: Problem, phase: str) -> Run:
    """Build a layer with the case's weights and compile its call."""
    case = problem.case
    if not case.is_plain or problem.lengths is not None or case.dtype != "float32":
        raise UnableError("only plain cells over rows of one length, in float32")
    if case.layers > 1 or case.bidirectional:
        raise UnableError("only one layer in one direction")
    kinds = {"LSTM": keras.layers.LSTM, "GRU": keras.layers.GRU, "RNN": keras.layers.SimpleRNN}
    layer = kinds[case.kind](case.H, return_sequences=True)
    layer.build((case.B, case.T, case.I))
    layer.set_weights(_to_keras(case.kind, problem.weights))
    x, dy = jnp.asarray(problem.x.numpy()), jnp.asarray(problem.dy.numpy())
    variables = [variable.value for variable in layer.trainable_variables]
    rest = [variable.value for variable in layer.non_trainable_variables]

    def forward(x: Any, variables: list[Any]) -> Any:
        return layer.stateless_call(variables, rest, x)[0]

    @jax.jit
    def train(x: Any, variables: list[Any], dy: Any) -> Any:
        output, backward = jax.vjp(forward, x, variables)
        return output, *backward(dy)

    infer = jax.jit(lambda x, variables: (forward(x, variables),))
    training = phase == TRAINING

    def call() -> Any:
        return jax.block_until_ready(train(x, variables, dy) if training else infer(x, variables))

    def results(value: tuple[Any, ...]) -> dict[str, Tensor]:
        named = {"output": to_torch(value[0])}
        if training:
            named["grad x"] = to_torch(value[1])
            named |= _from_keras(case.kind, [to_torch(gradient) for gradient in value[2]])
        return named

    return Run(call, results)


def _swap(kind: str, rows: Tensor) -> Tensor:
    """Exchange the first two blocks of a GRU's rows: Keras has update, reset, new."""
    if kind != "GRU":
        return rows
    reset, update, new = rows.chunk(3)
    return torch.cat((update, reset, new))


def _to_keras(kind: str, weights: dict[str, Tensor]) -> list[np.ndarray]:
    """Kernels are transposed; one bias for both products, but for a GRU, which has two rows."""
    w = {name.removesuffix("_l0"): _swap(kind, weight) for name, weight in weights.items()}
    bias = w["bias_ih"] + w["bias_hh"]
    if kind == "GRU":
        bias = torch.stack((w["bias_ih"], w["bias_hh"]))
    return [part.numpy() for part in (w["weight_ih"].t(), w["weight_hh"].t(), bias)]


def _from_keras(kind: str, gradients: list[Tensor]) -> dict[str, Tensor]:
    """The gradient of a shared bias is that of both biases."""
    kernel, recurrent, bias = gradients
    biases = bias if kind == "GRU" else (bias, bias)
    found = (kernel.t(), recurrent.t(), *biases)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return {f"grad {name}_l0": _swap(kind, grad) for name, grad in zip(names, found, strict=True)}

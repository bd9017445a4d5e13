"""The published equations in NumPy, one function a paper, to check the cells against.

Every function takes one row: x `[D]`, the states `[H]`, and the weights W, U and b of each gate by
its name, as the papers write them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]
Gate = tuple[Array, Array, Array]


def by_gate(weights: Mapping[str, Tensor], names: Sequence[str]) -> dict[str, Gate]:
    """Take stacked weights apart: W, U and the sum of the two biases of each gate."""
    bias = weights["bias_ih"] + weights["bias_hh"]
    stacked = (weights["weight_ih"], weights["weight_hh"], bias)
    parts = (np.split(part.numpy(), len(names)) for part in stacked)
    return dict(zip(names, zip(*parts, strict=True), strict=True))


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def affine(gate: Gate, x: Array, h: Array) -> Array:
    W, U, b = gate
    return W @ x + U @ h + b


def lstm(x: Array, h: Array, c: Array, gates: Mapping[str, Gate]) -> tuple[Array, Array]:
    """Gers, Schmidhuber & Cummins 2000: the LSTM with a forget gate."""
    i = sigmoid(affine(gates["input"], x, h))
    f = sigmoid(affine(gates["forget"], x, h))
    g = np.tanh(affine(gates["candidate"], x, h))
    o = sigmoid(affine(gates["output"], x, h))
    c = f * c + i * g
    return o * np.tanh(c), c


def peephole(
    x: Array, h: Array, c: Array, gates: Mapping[str, Gate], p: Mapping[str, Array]
) -> tuple[Array, Array]:
    """Gers & Schmidhuber 2000: i and f see the old cell state, o sees the new one."""
    i = sigmoid(affine(gates["input"], x, h) + p["input"] * c)
    f = sigmoid(affine(gates["forget"], x, h) + p["forget"] * c)
    g = np.tanh(affine(gates["candidate"], x, h))
    c = f * c + i * g
    o = sigmoid(affine(gates["output"], x, h) + p["output"] * c)
    return o * np.tanh(c), c


def coupled(x: Array, h: Array, c: Array, gates: Mapping[str, Gate]) -> tuple[Array, Array]:
    """Greff et al. 2015, CIFG: what is forgotten makes room for what comes in."""
    f = sigmoid(affine(gates["forget"], x, h))
    g = np.tanh(affine(gates["candidate"], x, h))
    o = sigmoid(affine(gates["output"], x, h))
    c = f * c + (1 - f) * g
    return o * np.tanh(c), c


def norm(a: Array, gain: Array, shift: Array) -> Array:
    """Ba et al. 2016, equation 4, with torch's epsilon under the root."""
    return gain * (a - a.mean()) / np.sqrt(a.var() + 1e-5) + shift


def normed_lstm(x: Array, h: Array, c: Array, w: Mapping[str, Array]) -> tuple[Array, Array]:
    """Ba et al. 2016, equations 20 to 22, on the stacked matrices in the order i, f, g, o."""
    a = norm(w["weight_hh"] @ h, w["norm_hh"], w["bias_hh"])
    a = a + norm(w["weight_ih"] @ x, w["norm_ih"], w["bias_ih"])
    i, f, g, o = np.split(a, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(norm(c, w["norm_cell"], w["norm_cell_bias"])), c


def gru_before(x: Array, h: Array, gates: Mapping[str, Gate]) -> Array:
    """Cho et al. 2014, equations 5 to 8: the reset gate acts on h, before the product."""
    r = sigmoid(affine(gates["reset"], x, h))
    z = sigmoid(affine(gates["update"], x, h))
    candidate = np.tanh(affine(gates["new"], x, r * h))
    return z * h + (1 - z) * candidate

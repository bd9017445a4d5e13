"""The published equations in NumPy, one function a paper, to check the cells against.

Every function takes one row: x `[D]`, the states `[H]`, and the weights of each gate by name,
`W` (input), `U` (recurrent) and `b` (bias), as the papers write them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Blocks = dict[str, Array]


def sigmoid(a: Array) -> Array:
    return 1 / (1 + np.exp(-a))


def lstm(x: Array, h: Array, c: Array, W: Blocks, U: Blocks, b: Blocks) -> tuple[Array, Array]:
    """Gers, Schmidhuber & Cummins 2000: the LSTM with a forget gate."""
    i = sigmoid(W["input"] @ x + U["input"] @ h + b["input"])
    f = sigmoid(W["forget"] @ x + U["forget"] @ h + b["forget"])
    g = np.tanh(W["candidate"] @ x + U["candidate"] @ h + b["candidate"])
    o = sigmoid(W["output"] @ x + U["output"] @ h + b["output"])
    c = f * c + i * g
    return o * np.tanh(c), c


def peephole(
    x: Array, h: Array, c: Array, W: Blocks, U: Blocks, b: Blocks, p: Blocks
) -> tuple[Array, Array]:
    """Gers & Schmidhuber 2000: i and f see the old cell state, o sees the new one."""
    i = sigmoid(W["input"] @ x + U["input"] @ h + p["input"] * c + b["input"])
    f = sigmoid(W["forget"] @ x + U["forget"] @ h + p["forget"] * c + b["forget"])
    g = np.tanh(W["candidate"] @ x + U["candidate"] @ h + b["candidate"])
    c = f * c + i * g
    o = sigmoid(W["output"] @ x + U["output"] @ h + p["output"] * c + b["output"])
    return o * np.tanh(c), c


def coupled(x: Array, h: Array, c: Array, W: Blocks, U: Blocks, b: Blocks) -> tuple[Array, Array]:
    """Greff et al. 2015, CIFG: what is forgotten makes room for what comes in."""
    f = sigmoid(W["forget"] @ x + U["forget"] @ h + b["forget"])
    g = np.tanh(W["candidate"] @ x + U["candidate"] @ h + b["candidate"])
    o = sigmoid(W["output"] @ x + U["output"] @ h + b["output"])
    c = f * c + (1 - f) * g
    return o * np.tanh(c), c


def norm(a: Array, gain: Array, shift: Array) -> Array:
    """Ba et al. 2016, equation 4, with torch's epsilon under the root."""
    return gain * (a - a.mean()) / np.sqrt(a.var() + 1e-5) + shift


def normed_lstm(
    x: Array, h: Array, c: Array, Wx: Array, Wh: Array, gains: Blocks, shifts: Blocks
) -> tuple[Array, Array]:
    """Ba et al. 2016, equations 20 to 22, on the stacked matrices in the order i, f, g, o."""
    a = norm(Wh @ h, gains["h"], shifts["h"]) + norm(Wx @ x, gains["x"], shifts["x"])
    i, f, g, o = np.split(a, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(norm(c, gains["c"], shifts["c"])), c


def gru_before(x: Array, h: Array, W: Blocks, U: Blocks, b: Blocks) -> Array:
    """Cho et al. 2014, equations 5 to 8: the reset gate acts on h, before the product."""
    r = sigmoid(W["reset"] @ x + U["reset"] @ h + b["reset"])
    z = sigmoid(W["update"] @ x + U["update"] @ h + b["update"])
    candidate = np.tanh(W["new"] @ x + U["new"] @ (r * h) + b["new"])
    return z * h + (1 - z) * candidate

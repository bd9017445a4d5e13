"""One step of a stream, one row, 64 units: from NumPy to NumPy, whoever does it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from benchmarks.peers import OURS, PEERS, UnableError
from benchmarks.suite.case import Case, Problem
from benchmarks.suite.measure import Row, Session
from benchmarks.suite.target import Group, at_least, at_most
from tidegate.bench import difference

Array = np.ndarray
Step = Callable[[Array], Array]

# 200 steps are compared with the layer over the whole sequence.
CASE = Case("LSTM", 1, 200, 64, 64)


def streaming(session: Session) -> Group:
    """tidegate's stream against one-step models of the others."""
    case = session.sized(CASE)
    problem, row = session.problem(case), Row(replace(case, T=1), "one step")
    xs = problem.x.numpy()[0]
    layer = case.layer(backend=problem.backend)
    layer.load_state_dict(problem.weights)
    with torch.no_grad():
        expected = layer(problem.x)[0][0]
    calls, notes = {}, []
    for name, make in STEPS.items():
        if name not in session.peers:
            continue
        try:
            step = _made(name, make, problem)
        except UnableError as reason:
            row.skipped[name] = str(reason)
            continue
        actual = torch.from_numpy(np.stack([np.ravel(step(x)) for x in xs]))
        far = difference(actual, expected)
        row.differences[name] = {"output": far}
        if far > 1e-5:
            row.wrong[name] = f"output {far:.1e}"
            continue
        if name == OURS:
            same = "bit for bit" if torch.equal(actual, expected) else f"but for {far:.1e}"
            notes.append(f"{len(xs)} steps give what the layer gives at once, {same}.")
        calls[name] = lambda step=step, x=xs[0]: step(x)
    row.seconds = session.interleave(calls)
    median = row.median(OURS)
    targets = [
        at_most("one step", 3.0, None if median is None else 1e6 * median, " µs"),
        at_least("one step: ONNX Runtime", 2.0, row.ratio("onnxruntime")),
        at_least("one step: torch", 15.0, row.ratio("torch")),
    ]
    return Group("streaming", "one streaming step, NumPy in and out", [row], targets, notes)


def _made(name: str, make: Callable[[Problem], Step], problem: Problem) -> Step:
    if PEERS[name].missing:
        raise UnableError(f"{', '.join(PEERS[name].missing)} not installed")
    return make(problem)


def _ours(problem: Problem) -> Step:
    layer = problem.case.layer(backend=problem.backend)
    layer.load_state_dict(problem.weights)
    step: Step = layer.eval().stream(batch_size=1).step
    return step


def _torch(problem: Problem) -> Step:
    layer = torch.nn.LSTM(problem.case.I, problem.case.H)
    layer.load_state_dict(problem.weights)
    state: Any = None

    def step(x: Array) -> Array:
        nonlocal state
        with torch.inference_mode():
            output, state = layer(torch.from_numpy(x)[None], state)
            return output.numpy()

    return step


def _jax(problem: Problem) -> Step:
    import jax
    import jax.numpy as jnp

    scan = importlib.import_module("benchmarks.peers.jax_scan")
    weights = {n.removesuffix("_l0"): jnp.asarray(w.numpy()) for n, w in problem.weights.items()}

    @jax.jit
    def advance(x: Any, state: Any) -> Any:
        sums = x[None] @ weights["weight_ih"].T + weights["bias_ih"]
        return scan.lstm_step(sums, state, weights)

    state = (jnp.zeros((1, problem.case.H)),) * 2

    def step(x: Array) -> Array:
        nonlocal state
        state, output = advance(x, state)
        return np.asarray(output)

    return step


def _onnx_runtime(problem: Problem) -> Step:
    graph = importlib.import_module("benchmarks.peers.onnx_graph")
    runtime = importlib.import_module("benchmarks.peers.onnx_runtime")
    session = runtime.open_session(graph.build_step(problem), threads=1)
    h = c = np.zeros((1, 1, problem.case.H), np.float32)

    def step(x: Array) -> Array:
        nonlocal h, c
        h, c = session.run(None, {"x": x[None, None], "h": h, "c": c})
        return h

    return step


def _openvino(problem: Problem) -> Step:
    graph = importlib.import_module("benchmarks.peers.onnx_graph")
    model = importlib.import_module("benchmarks.peers.openvino_model")
    request = model.open_request(graph.build_step(problem), threads=1)
    h = c = np.zeros((1, 1, problem.case.H), np.float32)

    def step(x: Array) -> Array:
        nonlocal h, c
        found = request.infer([x[None, None], h, c], share_inputs=True)
        h, c = found[0], found[1]
        return h

    return step


STEPS: dict[str, Callable[[Problem], Step]] = {
    OURS: _ours,
    "torch": _torch,
    "jax": _jax,
    "onnxruntime": _onnx_runtime,
    "openvino": _openvino,
}

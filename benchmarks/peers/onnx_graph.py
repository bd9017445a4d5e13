"""A case as an ONNX model, for the runtimes that read one; built by hand, so no exporter counts."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from benchmarks.peers import UnableError
from benchmarks.suite.case import INFERENCE, Case, Problem

# Where ONNX has torch.nn's row blocks: LSTM input, output, forget, candidate; GRU update, reset.
_ORDER = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
_OPSET, _FORMAT = 17, 8


def build(problem: Problem, phase: str) -> bytes:
    """A model from "x" `[T, B, I]` to "output" `[T, B, directions*H]`.

    Raises:
        UnableError: If ONNX has no such operator, or the phase is training.
    """
    case = problem.case
    if phase != INFERENCE:
        raise UnableError("runs models, does not train them")
    if not case.is_plain or problem.lengths is not None or case.dtype != "float32":
        raise UnableError("only plain cells over rows of one length, in float32")
    nodes, constants, name = [], [], "x"
    for layer in range(case.layers):
        below, above = name, "output" if layer == case.layers - 1 else f"features{layer}"
        inputs, weights = _weights(problem, layer)
        constants += weights
        recurrent = [below, *inputs]
        nodes.append(_recurrent(case, recurrent, [f"y{layer}"]))
        # [T, directions, B, H] to [T, B, directions*H].
        nodes.append(helper.make_node("Transpose", [f"y{layer}"], [f"z{layer}"], perm=[0, 2, 1, 3]))
        nodes.append(helper.make_node("Reshape", [f"z{layer}", "shape"], [above]))
        name = above
    constants.append(
        numpy_helper.from_array(np.array([case.T, case.B, case.directions * case.H]), "shape")
    )
    x = _value("x", (case.T, case.B, case.I))
    output = _value("output", (case.T, case.B, case.directions * case.H))
    return _model(nodes, [x], [output], constants)


def build_step(problem: Problem) -> bytes:
    """One step: "x" `[1, B, I]`, "h" and (LSTM) "c" `[1, B, H]` to "h_n" and "c_n"."""
    case = problem.case
    inputs, weights = _weights(problem, 0)
    names = ["h", "c"] if case.kind == "LSTM" else ["h"]
    state = (1, case.B, case.H)
    node = _recurrent(case, ["x", *inputs, "", *names], ["", *(f"{n}_n" for n in names)])
    entering = [_value("x", (1, case.B, case.I)), *(_value(n, state) for n in names)]
    leaving = [_value(f"{n}_n", state) for n in names]
    return _model([node], entering, leaving, weights)


def _recurrent(case: Case, inputs: list[str], outputs: list[str]) -> onnx.NodeProto:
    options = {"linear_before_reset": 1} if case.kind == "GRU" else {}
    direction = "bidirectional" if case.bidirectional else "forward"
    return helper.make_node(
        case.kind, inputs, outputs, hidden_size=case.H, direction=direction, **options
    )


def _weights(problem: Problem, layer: int) -> tuple[list[str], list[onnx.TensorProto]]:
    """W, R and B of one layer `[directions, ...]`: their names, and the constants."""
    kind = problem.case.kind
    suffixes = ("", "_reverse") if problem.case.bidirectional else ("",)

    def rows(name: str, suffix: str) -> Tensor:
        return _ordered(kind, problem.weights[f"{name}_l{layer}{suffix}"])

    parts = {
        "W": [rows("weight_ih", suffix).numpy() for suffix in suffixes],
        "R": [rows("weight_hh", suffix).numpy() for suffix in suffixes],
        "B": [
            np.concatenate((rows("bias_ih", suffix).numpy(), rows("bias_hh", suffix).numpy()))
            for suffix in suffixes
        ],
    }
    names = [f"{name}{layer}" for name in parts]
    constants = [
        numpy_helper.from_array(np.stack(found), name)
        for name, found in zip(names, parts.values(), strict=True)
    ]
    return names, constants


def _ordered(kind: str, rows: Tensor) -> Tensor:
    blocks = rows.chunk(len(_ORDER[kind]))
    return rows.new_tensor(np.concatenate([blocks[index].numpy() for index in _ORDER[kind]]))


def _value(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: list[onnx.TensorProto],
) -> bytes:
    graph = helper.make_graph(nodes, "recurrent", inputs, outputs, constants)
    opset = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=_FORMAT)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())

"""OpenVINO on a CPU, told to stay in float32."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor

from benchmarks.peers import Run
from benchmarks.peers.onnx_graph import build
from benchmarks.suite.case import Problem


def prepare(problem: Problem, phase: str) -> Run:
    """Compile the case as a model."""
    request = open_request(build(problem, phase), problem.threads)
    feed = [problem.x.transpose(0, 1).contiguous().numpy()]

    def call() -> Any:
        return request.infer(feed, share_inputs=True, share_outputs=True)[0]

    def results(value: Any) -> dict[str, Tensor]:
        # The array is the request's own, and the next call writes to it.
        return {"output": torch.from_numpy(value.copy()).transpose(0, 1)}

    return Run(call, results)


def open_request(model: bytes, threads: int) -> Any:
    """An inference request of a compiled model."""
    # Where it finds its telemetry package, OpenVINO reports its use over the network.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        # Where the processor has bfloat16 it would compute in that.
        "INFERENCE_PRECISION_HINT": "f32",
    }
    compiled = core.compile_model(core.read_model(model), "CPU", settings)
    return compiled.create_infer_request()

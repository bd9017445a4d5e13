"""ONNX Runtime on its CPU provider."""

from __future__ import annotations

from typing import Any

import onnxruntime
import torch
from torch import Tensor

from benchmarks.peers import Run
from benchmarks.peers.onnx_graph import build
from benchmarks.suite.case import Problem


def prepare(problem: Problem, phase: str) -> Run:
    """Load the case as a model."""
    session = open_session(build(problem, phase), problem.threads)
    feed = {"x": problem.x.transpose(0, 1).contiguous().numpy()}

    def call() -> Any:
        return session.run(None, feed)[0]

    def results(value: Any) -> dict[str, Tensor]:
        return {"output": torch.from_numpy(value).transpose(0, 1)}

    return Run(call, results)


def open_session(model: bytes, threads: int) -> Any:
    """A session that runs one operator at a time on so many threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

"""The peers: who else computes recurrent nets on a CPU, each in a module with `prepare`.

`prepare(problem, phase)` returns a `Run`, or raises `UnableError` with the reason. Whatever a peer
can do before the clock starts, it does there: compiling, packing weights, laying out its input.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from benchmarks.suite.case import Problem


class UnableError(Exception):
    """A peer cannot do a case, and this is why."""


@dataclass(frozen=True)
class Run:
    """One peer, ready to compute one case in one phase.

    Attributes:
        call: What is timed; it returns when all is computed.
        results: From what a call returned to tensors by name: "output" `[B, T, F]`, in training
            "grad x" and "grad WEIGHT" by torch.nn's names, and what else the variant returns.
        comparable: Whether the results are those that the others should have, too.
    """

    call: Callable[[], Any]
    results: Callable[[Any], Mapping[str, Tensor]]
    comparable: bool = True


@dataclass(frozen=True)
class Peer:
    """Someone to compare with.

    Attributes:
        module: Where its `prepare` stands, below `benchmarks.peers`.
        needs: The packages that must be installed.
        function: The name of the function there.
    """

    module: str
    needs: tuple[str, ...] = ()
    function: str = "prepare"

    @property
    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [name for name in self.needs if importlib.util.find_spec(name) is None]

    def prepare(self, problem: Problem, phase: str) -> Run:
        """Make a run.

        Raises:
            UnableError: If a package is not installed, or the peer does not do this.
        """
        if self.missing:
            raise UnableError(f"{', '.join(self.missing)} not installed")
        found = getattr(importlib.import_module(f"benchmarks.peers.{self.module}"), self.function)
        made = found(problem, phase)
        assert isinstance(made, Run)
        return made


OURS = "tidegate"
PEERS: dict[str, Peer] = {
    OURS: Peer("tidegate_layer"),
    "plain": Peer("tidegate_layer", function="prepare_plain"),
    "equal": Peer("tidegate_layer", function="prepare_equal"),
    "float32": Peer("tidegate_layer", function="prepare_float32"),
    "torch": Peer("torch_layer"),
    "packed": Peer("torch_layer", function="prepare_packed"),
    "loop": Peer("torch_loop"),
    "compiled": Peer("torch_loop", function="prepare_compiled"),
    "jax": Peer("jax_scan", ("jax",)),
    "keras": Peer("keras_layer", ("keras", "jax")),
    "onnxruntime": Peer("onnx_runtime", ("onnx", "onnxruntime")),
    "openvino": Peer("openvino_model", ("onnx", "openvino")),
}
# What a reader of the table should know them by.
TITLES = {
    OURS: "tidegate",
    "plain": "plain cell",
    "equal": "equal lengths",
    "float32": "in float32",
    "torch": "torch",
    "packed": "torch packed",
    "loop": "torch loop",
    "compiled": "compiled loop",
    "jax": "JAX scan",
    "keras": "Keras (JAX)",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
}

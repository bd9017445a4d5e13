"""tidegate itself: the layer of the case, and those it is compared with."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from benchmarks.peers import Run, UnableError
from benchmarks.peers.torch_call import torch_run
from benchmarks.suite.case import INFERENCE, Problem
from tidegate.errors import BackendError


def prepare(problem: Problem, phase: str, *, comparable: bool = True) -> Run:
    """The case itself."""
    case = problem.case
    layer = case.layer(backend=problem.backend)
    layer.load_state_dict(problem.weights)
    layer.train(phase != INFERENCE)
    x = problem.x.clone()
    call = {"lengths": problem.lengths, "reset_mask": problem.resets}
    call["return_gates"] = case.variant == "gates returned"

    def forward() -> tuple[Tensor, dict[str, Tensor]]:
        output, _, *gates = layer(x, **call)
        return output, {name: values[0] for name, values in gates[0].items()} if gates else {}

    try:
        layer.explain_backend(x, **call)
    except BackendError as error:
        raise UnableError(str(error)) from error
    wanted = {"x": x} | dict(layer.named_parameters())
    return torch_run(forward, wanted, problem.dy, phase, comparable=comparable)


def prepare_plain(problem: Problem, phase: str) -> Run:
    """The plain cell of the same shape."""
    plain = Problem(replace(problem.case, variant="plain"), problem.backend)
    return prepare(plain, phase, comparable=False)


def prepare_equal(problem: Problem, phase: str) -> Run:
    """As many useful steps, in rows of one length: the mean, rounded up."""
    case = problem.case
    T = -(-case.useful_steps // case.B)
    equal = Problem(replace(case, T=T, shortest=0), problem.backend)
    return prepare(equal, phase, comparable=False)


def prepare_float32(problem: Problem, phase: str) -> Run:
    """The same weights and input in float32."""
    single = Problem(replace(problem.case, dtype="float32"), problem.backend)
    single.weights = {name: weight.float() for name, weight in problem.weights.items()}
    single.x, single.dy = problem.x.float(), problem.dy.float()
    return prepare(single, phase)

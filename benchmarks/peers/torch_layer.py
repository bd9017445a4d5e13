"""torch.nn: padded in time-major order, which it likes best, and packed for ragged rows."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.peers import Run, UnableError
from benchmarks.peers.torch_call import torch_run
from benchmarks.suite.case import Problem


def prepare(problem: Problem, phase: str) -> Run:
    """Padded rows of one length."""
    if problem.lengths is not None:
        raise UnableError("padded layers compute something else past the end of a row")
    module, x = _module(problem), problem.x.transpose(0, 1).contiguous()

    def forward() -> tuple[Tensor, dict[str, Tensor]]:
        return module(x)[0], {}

    dy = problem.dy.transpose(0, 1).contiguous()
    wanted = {"x": x} | dict(module.named_parameters())
    return torch_run(forward, wanted, dy, phase, time_major=True)


def prepare_packed(problem: Problem, phase: str) -> Run:
    """Ragged rows, packed and unpacked in each call as a model must do."""
    module, x, lengths = _module(problem), problem.x.transpose(0, 1).contiguous(), problem.lengths
    if lengths is None:
        raise UnableError("all rows have one length")

    def forward() -> tuple[Tensor, dict[str, Tensor]]:
        packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
        return pad_packed_sequence(module(packed)[0], total_length=len(x))[0], {}

    dy = problem.dy.transpose(0, 1).contiguous()
    wanted = {"x": x} | dict(module.named_parameters())
    return torch_run(forward, wanted, dy, phase, time_major=True)


def _module(problem: Problem) -> nn.RNNBase:
    case = problem.case
    if not case.is_plain:
        raise UnableError("torch.nn has no such variant")
    dtype = getattr(torch, case.dtype)
    module = getattr(nn, case.kind)(
        case.I, case.H, case.layers, bidirectional=case.bidirectional, dtype=dtype
    )
    module.load_state_dict(problem.weights)
    return module

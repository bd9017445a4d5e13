"""Run recurrent sequences, fast: `run_sequence` runs one, `run_layer` all directions of a layer.

Each backend is a module with `refuses(request)`, the reason why it cannot do the job exactly or
None, and `run(request)`. They stand in order of speed; "auto" takes the first that refuses not.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import TypeGuard

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from tidegate.errors import BackendError, InputError, message, suggest
from tidegate.kernels import aten, native, reference
from tidegate.kernels.request import Noise, Request, Result

__all__ = [
    "BACKENDS",
    "Noise",
    "Request",
    "Result",
    "check_backend",
    "choose",
    "explain",
    "run_layer",
    "run_sequence",
    "side_by_side",
]

BACKENDS: dict[str, ModuleType] = {"native": native, "aten": aten, "reference": reference}

_log = logging.getLogger("tidegate.kernels")


def run_sequence(
    request: Request, *, backend: str = "auto", checkpoint_every: int | None = None
) -> Result:
    """Run a recurrent cell over a sequence with the fastest backend that can do it exactly.

    Args:
        request: The cell, its weights, inputs, states and options.
        backend: "auto", or the name of one of `BACKENDS`, which then raises when it cannot.
        checkpoint_every: Keep the states of every k-th step alone and compute the rest again in
            the backward pass: less memory for more time. None keeps all.

    Returns:
        See `Result`.

    Raises:
        BackendError: If the backend asked for cannot run the request.
        InputError: If `backend` is not the name of one.
    """
    module = BACKENDS[choose(request, backend)]
    if not _checkpoints(checkpoint_every) or request.x.shape[1] == 0:
        return _result(module.run(request))
    return _run_checkpointed(request, module, checkpoint_every)


def _checkpoints(every: int | None) -> TypeGuard[int]:
    """Whether states are to be dropped: not in a trace of torch.jit, which keeps what it sees."""
    return every is not None and torch.is_grad_enabled() and torch._C._get_tracing_state() is None


def run_layer(
    requests: Sequence[Request], *, backend: str = "auto", checkpoint_every: int | None = None
) -> tuple[Tensor, list[Result]]:
    """Run the directions of a layer, at the same time where the backend can.

    Args:
        requests: A sequence for each direction, over the same x.
        backend: As in `run_sequence`.
        checkpoint_every: As in `run_sequence`.

    Returns:
        The outputs side by side, `[B, T, directions * P]`, and the result of each.

    Raises:
        BackendError: If the backend asked for cannot run the requests.
        InputError: If `backend` is not the name of one.
    """
    whole = not _checkpoints(checkpoint_every)
    joins = len(requests) > 1 and whole and native.joins(requests)
    if joins and {choose(request, backend) for request in requests} == {"native"}:
        return native.run_layer(requests)
    results = [
        run_sequence(request, backend=backend, checkpoint_every=checkpoint_every)
        for request in requests
    ]
    return side_by_side([result.output for result in results]), results


def side_by_side(outputs: Sequence[Tensor]) -> Tensor:
    """Join the outputs of the directions of a layer.

    Args:
        outputs: `[B, T, P]` each.

    Returns:
        `[B, T, directions * P]`.
    """
    if len(outputs) == 1:
        return outputs[0]
    if 0 < outputs[0].stride(0) < outputs[0].stride(1):  # steps first in memory, and so it stays
        return torch.cat([part.transpose(0, 1) for part in outputs], -1).transpose(0, 1)
    return torch.cat(list(outputs), -1)


def choose(request: Request, backend: str = "auto") -> str:
    """Name the backend that will run the request.

    Args:
        request: The request.
        backend: As in `run_sequence`. The environment variable `TIDEGATE_BACKEND` takes the
            place of "auto".

    Returns:
        A key of `BACKENDS`.

    Raises:
        BackendError: If the backend asked for cannot run the request.
        InputError: If `backend` is not the name of one.
    """
    if backend == "auto":
        backend = os.environ.get("TIDEGATE_BACKEND", "auto")
    check_backend("run_sequence", backend)
    if backend == "auto":
        return _choose_fastest(request)
    reason = BACKENDS[backend].refuses(request)
    if reason is not None:
        rule = "a backend that can run this"
        remedy = f'{reason}; use backend="auto"'
        raise BackendError(message("run_sequence", "backend", rule, repr(backend), remedy))
    return backend


def explain(request: Request, backend: str = "auto") -> str:
    """Say in one sentence which backend runs the request, and why the faster ones do not."""
    chosen = choose(request, backend)
    precision = native.precision(request) if chosen == "native" else ""
    refusals = [f"{name} does not: {reason}" for name, reason in _refusals(request, chosen)]
    return "; ".join([f"{chosen} runs it {precision}".rstrip(), *refusals]) + "."


def check_backend(owner: str, backend: str) -> None:
    """Raise InputError unless `backend` is "auto" or the name of a backend."""
    if backend not in BACKENDS and backend != "auto":
        names = ["auto", *BACKENDS]
        rule = f"one of {', '.join(names)}"
        raise InputError(
            message(owner, "backend", rule, repr(backend), suggest(backend, names, listed=True))
        )


def _refusals(request: Request, chosen: str) -> Iterator[tuple[str, str]]:
    """Which backends faster than the chosen one refuse the request, and why."""
    for name, module in BACKENDS.items():
        if name == chosen:
            return
        reason = module.refuses(request)
        if reason is not None:
            yield name, reason


def _choose_fastest(request: Request) -> str:
    for name, module in BACKENDS.items():
        reason = module.refuses(request)
        if reason is None:
            return name
        if not torch.compiler.is_compiling():
            _log_once(request.cell.name, name, reason)
    raise AssertionError("the reference refuses nothing")


@functools.cache
def _log_once(cell: str, backend: str, reason: str) -> None:
    _log.info("%s: backend '%s' is not used: %s", cell, backend, reason)


def _run_checkpointed(request: Request, module: ModuleType, every: int) -> Result:
    """Run chunk after chunk, each one recomputed when its gradient is wanted."""
    starts = list(range(0, request.x.shape[1], every))
    state, parts = request.state, []
    for start in reversed(starts) if request.reverse else starts:
        piece = request.chunk(start, min(start + every, request.x.shape[1]), state)
        # Backends draw no random numbers, so that there is no state of a generator to keep.
        part = _result(checkpoint(module.run, piece, use_reentrant=False, preserve_rng_state=False))
        state = part.state
        parts.append(part)
    if request.reverse:
        parts.reverse()
    output = torch.cat([part.output for part in parts], 1)
    return Result(output, state, _join([part.trace for part in parts]))


def _join(traces: list[dict[str, Tensor] | None]) -> dict[str, Tensor] | None:
    kept = [trace for trace in traces if trace is not None]
    if not kept:
        return None
    return {name: torch.cat([trace[name] for trace in kept], 1) for name in kept[0]}


def _result(value: object) -> Result:
    """Modules and checkpoint() are untyped; a backend that returns anything else is broken."""
    assert isinstance(value, Result)
    return value

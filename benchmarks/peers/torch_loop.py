"""A loop over time in PyTorch, as one writes it for a variant that torch.nn does not have.

All inputs go through one matrix product before the loop. The random masks are drawn in the order
in which a tidegate layer draws them, so that one seed gives both the same ones.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.peers import Run, UnableError
from benchmarks.peers.torch_call import torch_run
from benchmarks.suite.case import TRAINING, VARIANTS, Problem
from tidegate.nn.stack_pass import draw_masks

Weights = dict[str, Tensor]
Trace = dict[str, list[Tensor]]
# Compiling unrolls the loop: a third of a second for each step.
_LONGEST_COMPILED = 64


def prepare(problem: Problem, phase: str) -> Run:
    """The loop as PyTorch runs it."""
    return _run(problem, phase, lambda loop: loop)


def prepare_compiled(problem: Problem, phase: str) -> Run:
    """The loop through torch.compile."""
    if problem.case.T > _LONGEST_COMPILED:
        raise UnableError(f"{problem.case.T} steps would compile for minutes")
    if not (shutil.which("g++") or shutil.which("clang++")) or not importlib.util.find_spec(
        "torch._inductor"
    ):
        raise UnableError("torch.compile needs a C++ compiler")
    return _run(problem, phase, lambda loop: torch.compile(loop, dynamic=False))


def _run(problem: Problem, phase: str, wrap: Callable[[Any], Any]) -> Run:
    case = problem.case
    if case.layers > 1 or case.bidirectional or problem.lengths is not None:
        raise UnableError("the loop is one layer in one direction over rows of one length")
    if case.kind not in _LOOPS:
        raise UnableError(f"there is no loop for the {case.kind}")
    weights = {name.removesuffix("_l0"): w.clone() for name, w in problem.weights.items()}
    loop, x = wrap(_LOOPS[case.kind]), problem.x.transpose(0, 1).contiguous()

    def forward() -> tuple[Tensor, dict[str, Tensor]]:
        masks = _masks(problem, phase, x)
        output, trace = loop(x, weights, case.variant, masks)
        return output, {name: torch.stack(steps, 1) for name, steps in trace.items()}

    wanted = {"x": x} | {f"{name}_l0": weight for name, weight in weights.items()}
    dy = problem.dy.transpose(0, 1).contiguous()
    return torch_run(forward, wanted, dy, phase, time_major=True)


def _masks(problem: Problem, phase: str, x: Tensor) -> dict[str, Any]:
    """What is drawn once a pass, and the resets."""
    case, (T, B, _) = problem.case, x.shape
    masks: dict[str, Any] = {}
    if case.variant == "recurrent dropout" and phase == TRAINING:
        rate = VARIANTS[case.variant]["recurrent_dropout"]
        masks["recurrent"] = F.dropout(x.new_ones(B, case.H), rate)
    if case.variant == "zoneout":
        cell, hidden = VARIANTS[case.variant]["zoneout"]
        masks["zone"] = (hidden, cell)
        if phase == TRAINING:
            drawn = draw_masks((hidden, cell), [(B, T, case.H)] * 2, x.device)
            masks["zone"] = tuple(mask.unbind(1) for mask in drawn if mask is not None)
    if problem.resets is not None:
        masks["keep"] = (~problem.resets).to(x.dtype).t()[..., None]
    return masks


def _zone(new: Tensor, old: Tensor, zone: Any, t: int) -> Tensor:
    if isinstance(zone, float):
        return torch.lerp(new, old, zone)
    return torch.where(zone[t], old, new)


def _lstm(x: Tensor, w: Weights, variant: str, masks: dict[str, Any]) -> tuple[Tensor, Trace]:
    """Every LSTM variant; what one does not have costs it a branch, no operation."""
    h = c = x.new_zeros(x.shape[1], w["weight_hh"].shape[1])
    rows = (w["weight_ih"].shape[0],)
    normed, coupled = variant == "layer norm", variant == "coupled"
    if normed:
        sums = F.layer_norm(F.linear(x, w["weight_ih"]), rows, w["norm_ih"], w["bias_ih"])
    else:
        sums = F.linear(x, w["weight_ih"], w["bias_ih"] + w["bias_hh"])
    recurrent, outputs = w["weight_hh"].t(), []
    peep = w["weight_ch"].chunk(3) if variant == "peephole" else None
    trace: Trace = {}
    for t, inputs in enumerate(sums.unbind(0)):
        if "keep" in masks:
            h, c = h * masks["keep"][t], c * masks["keep"][t]
        seen = h * masks["recurrent"] if "recurrent" in masks else h
        if normed:
            product = F.layer_norm(seen @ recurrent, rows, w["norm_hh"], w["bias_hh"])
            gates = inputs + product
        else:
            gates = torch.addmm(inputs, seen, recurrent)
        i, f, g, o = (None, *gates.chunk(3, 1)) if coupled else gates.chunk(4, 1)
        if peep is not None:
            i, f = i + peep[0] * c, f + peep[1] * c
        f, g = torch.sigmoid(f), torch.tanh(g)
        i = 1 - f if coupled else torch.sigmoid(i)
        new_c = f * c + i * g
        o = torch.sigmoid(o if peep is None else o + peep[2] * new_c)
        read = new_c
        if normed:
            read = F.layer_norm(new_c, new_c.shape[1:], w["norm_cell"], w["norm_cell_bias"])
        new_h = o * torch.tanh(read)
        if "zone" in masks:
            new_h = _zone(new_h, h, masks["zone"][0], t)
            new_c = _zone(new_c, c, masks["zone"][1], t)
        h, c = new_h, new_c
        outputs.append(h)
        if variant == "gates returned":
            seen_now = {"input": i, "forget": f, "candidate": g, "output": o}
            for name, values in (seen_now | {"hidden": h, "cell": c}).items():
                trace.setdefault(name, []).append(values)
    return torch.stack(outputs), trace


def _gru(x: Tensor, w: Weights, variant: str, _: dict[str, Any]) -> tuple[Tensor, Trace]:
    """Both forms: the reset gate after the recurrent product, or before it."""
    H = w["weight_hh"].shape[1]
    h, outputs = x.new_zeros(x.shape[1], H), []
    before = variant == "reset before"
    bias = w["bias_hh"].split((2 * H, H))
    # What is added outside the reset gate joins the inputs before the loop.
    added = torch.cat((bias[0], bias[1] if before else torch.zeros_like(bias[1])))
    sums = F.linear(x, w["weight_ih"], w["bias_ih"] + added)
    both, new = (part.t() for part in w["weight_hh"].split((2 * H, H)))
    for inputs in sums.unbind(0):
        of_gates, of_new = inputs.split((2 * H, H), 1)
        r, z = torch.sigmoid(torch.addmm(of_gates, h, both)).chunk(2, 1)
        if before:
            n = torch.tanh(torch.addmm(of_new, r * h, new))
        else:
            n = torch.tanh(of_new + r * torch.addmm(bias[1], h, new))
        h = torch.lerp(n, h, z)
        outputs.append(h)
    return torch.stack(outputs), {}


_LOOPS = {"LSTM": _lstm, "GRU": _gru}

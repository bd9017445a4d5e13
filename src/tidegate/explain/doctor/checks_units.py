"""What can be wrong with units and gates: stuck, idle, doubled, run away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps

import torch
from torch import Tensor

from tidegate.cells import LSTM, RNN
from tidegate.explain.doctor import checks_weights
from tidegate.explain.doctor.case import (
    FEWEST_ROWS,
    NEEDS_DATA,
    Case,
    CheckResult,
    Finding,
    Severity,
    Skip,
    percent,
)
from tidegate.explain.memory.memory import STILL, STUCK
from tidegate.explain.units.activity import FLAT

# Shares of the units of a layer and direction. A gate that stays open can be a counter's, so a
# few are no fault; units that do nothing, or what others do, cost time, but to save less than a
# tenth of it nobody trains again.
MANY = 0.25
SOME = 0.1

KEPT = 0.9  # of what a row began with, still there at its end: forgetting has done nothing
ALWAYS = 0.95  # of the steps
ALIKE = 0.99
GROWTH = 2.0  # from the first quarter of a row to the last
RUNAWAY = 0.1  # of the units

_NO_STACK = Skip("the network shows no recurrent layer")
_TOO_FEW = Skip(f"needs data of at least {FEWEST_ROWS} rows")


def _on_units(check: Callable[[Case], CheckResult]) -> Callable[[Case], CheckResult]:
    """Make a check only where there is a stack, and no rows or enough of them."""

    @wraps(check)
    def made(case: Case) -> CheckResult:
        if case.stack is None:
            return _NO_STACK
        read = sum(int((batch.lengths > 0).sum()) for batch in case.batches)
        return _TOO_FEW if case.batches and read < FEWEST_ROWS else check(case)

    return made


@_on_units
def saturated(case: Case) -> CheckResult:
    """Find gates of the memory that stay open, or shut, whatever the input is.

    Open: above 0.999 at 95 % of the steps, while nine tenths of what a row began with are still
    there at its end, so that a unit with a long memory for long rows is none. Shut: below 0.001.
    Without rows, the bounds that the weights set to the gate are read.
    """
    assert case.stack is not None
    gate = case.stack.cell.keep_gate
    if gate is None:
        return Skip(f"{case.stack.cell.title} has no gate that keeps its memory")
    if case.batches:
        seen = case.activity
        assert seen.open is not None
        assert seen.shut is not None
        assert seen.kept is not None
        names, opened = seen.names, (seen.open >= ALWAYS) & (seen.kept > KEPT)
        shut = seen.shut >= ALWAYS
        where = f"at {percent(ALWAYS)} or more of {seen.steps:,} steps"
    else:
        bounds = checks_weights.gate_bounds(case.stack, gate, _vectors(case))
        if not bounds:
            return NEEDS_DATA
        names, where = tuple(bounds), "whatever is read"
        opened, shut = (torch.stack([bound[i] for bound in bounds.values()]) for i in (0, 1))
    worst = float((opened | shut).float().mean(1).max())
    if worst < MANY:
        return None
    lower, higher = f"Lower --forget-bias{_now(case, 'forget_bias')}", "--forget-bias 1 or more"
    kinds = [(opened, f"above {1 - STUCK}", lower), (shut, f"below {STUCK}", higher)]
    told = [(f"{at} {where}: {_where(names, hit)}", to) for hit, at, to in kinds if hit.any()]
    return Finding(
        name=f"saturated {gate} gates",
        severity="serious" if worst >= 0.75 else "warning",
        evidence=f"The {gate} gate is " + "; ".join(said for said, _ in told),
        cost="These units cannot learn what to forget: a gate so near to 0 or 1 lets under a "
        "thousandth of a gradient through",
        remedy=" and ".join(to for _, to in told) + ", or --learning-rate, and train again",
    )


@_on_units
def dead(case: Case) -> CheckResult:
    """Find units that hardly move: at no step are they 0.01 apart in any two rows.

    Where activations are not bound to -1 to 1, it is a two-hundredth of the widest unit's range.
    Without rows, units whose weights are all but zero are looked for.
    """
    stack = case.stack
    assert stack is not None
    if case.batches:
        spread, names = case.activity.spread, case.activity.names
        bound = spread.amax(1, keepdim=True) * STILL / 2
        limit = bound if _unbounded(case) else torch.full_like(bound, STILL)
        hit = spread <= limit
        seen = f"tell no two of {case.activity.rows:,} rows apart"
    else:
        idle = checks_weights.idle(stack)
        if not idle:
            return NEEDS_DATA
        names, hit = tuple(idle), torch.stack(list(idle.values()))
        seen = "have weights of zero"
    return _costs_time(
        hit,
        "dead units",
        f"{_where(names, hit)} {seen}",
        f"--hidden-size{_smaller(case, hit)}, or --learning-rate lower if they died in training",
    )


@_on_units
def redundant(case: Case) -> CheckResult:
    """Find units that follow another one: a correlation beyond 0.99 over all steps.

    Without rows, units with the same incoming weights are looked for.
    """
    stack = case.stack
    assert stack is not None
    if case.batches:
        names, likeness = case.activity.names, case.activity.likeness
        seen = f"correlation beyond {ALIKE} over {case.activity.steps:,} steps"
    else:
        alike = checks_weights.likeness(stack)
        names, likeness = tuple(alike), torch.stack(list(alike.values()))
        seen = "the same incoming weights"
    pairs = likeness.abs().tril(-1) > ALIKE
    hit = pairs.any(-1)
    entry, unit, other = (int(number) for number in pairs.nonzero()[0]) if hit.any() else (0, 0, 0)
    return _costs_time(
        hit,
        "redundant units",
        f"{_where(names, hit)} follow another one ({seen}); in {names[entry]}, unit {unit} "
        f"follows unit {other}",
        f"--hidden-size{_smaller(case, hit)}, or --dropout higher, which makes units differ",
    )


@_on_units
def exploding(case: Case) -> CheckResult:
    """Find states that run away: beyond 10 in the last quarter of a row, and twice the first's.

    tanh of such a cell state is 1 to the last bit of float32.
    """
    assert case.stack is not None
    cell = case.stack.cell
    grows = isinstance(cell, LSTM) or (isinstance(cell, RNN) and cell.nonlinearity == "relu")
    if not grows:
        return Skip(f"the state of {cell.title} cannot leave -1 to 1")
    if isinstance(cell, LSTM) and cell.layer_norm:
        return Skip("layer_norm reads a normalised cell state")
    if not case.batches:
        return NEEDS_DATA
    seen = case.activity
    if not seen.finite:
        evidence = f"states are not numbers any more somewhere in {seen.steps:,} steps"
        cost = "The answers mean nothing"
        return Finding("exploding state", "serious", evidence, cost, _tame(case))
    hit = (seen.flat >= 0.5) & (seen.late >= GROWTH * seen.early)
    share = float(hit.float().mean(1).max())
    if share < RUNAWAY:
        return None
    first, last = float(seen.early[hit].median()), float(seen.late[hit].median())
    evidence = (
        f"{_where(seen.names, hit)} grow beyond {FLAT:.0f}: {first:.1f} in the first quarter of a "
        f"row, {last:.1f} in the last (medians)"
    )
    cost = (
        "tanh of such a state is 1 to the last bit, no gradient comes through, and longer rows "
        "than those of training leave everything that was learned"
    )
    severity: Severity = "serious" if share >= 0.5 else "warning"
    return Finding("exploding state", severity, evidence, cost, _tame(case))


def _vectors(case: Case) -> Tensor | None:
    """What the stack reads for each word, `[V, D]`; None if the words are not known."""
    if case.words is None:
        return None
    words = case.words.to(next(case.network.parameters()).device)
    with torch.inference_mode():
        vectors: Tensor = case.network.embed(words)  # type: ignore[operator]
    return vectors[0]


def _unbounded(case: Case) -> bool:
    assert case.stack is not None
    cell = case.stack.cell
    relu = isinstance(cell, RNN) and cell.nonlinearity == "relu"
    return relu or cell.output_size != cell.hidden_size


def _costs_time(hit: Tensor, name: str, evidence: str, remedy: str) -> CheckResult:
    shares = hit.float().mean(1)
    worst, mean = float(shares.max()), float(shares.mean())
    if worst < SOME:
        return None
    severity: Severity = "warning" if worst >= MANY else "note"
    cost = f"About {percent(mean)} of the time and memory of the layers do nothing for the answer"
    return Finding(name, severity, evidence, cost, remedy)


def _where(names: Sequence[str], hit: Tensor) -> str:
    """Count the units by layer and direction: "12 of 64 units (layer 0 forward)"."""
    size = hit.shape[1]
    found = [(name, int(row.sum())) for name, row in zip(names, hit, strict=True) if row.any()]
    return ", ".join(f"{count} of {size} units of {name}" for name, count in found)


def _now(case: Case, option: str) -> str:
    value = (case.settings.get("layer_options") or {}).get(option)
    return "" if value is None else f" (now {value:g})"


def _smaller(case: Case, hit: Tensor) -> str:
    """Propose a size that still has a unit for each one that works."""
    needed = int((~hit).sum(1).max())
    step = 8 if hit.shape[1] >= 32 else 1
    return f" {max(1, -(-needed // step) * step)}" if "hidden_size" in case.settings else " smaller"


def _tame(case: Case) -> str:
    assert case.stack is not None
    if isinstance(case.stack.cell, RNN):
        return "--nonlinearity tanh, or --gradient-clip and --learning-rate lower"
    bias = _now(case, "forget_bias")
    return f"--cell-clip 5, or --forget-bias lower{bias}, or --weight-decay higher"

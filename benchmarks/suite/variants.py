"""The variants of the LSTM and GRU: against the plain cell, and against a loop in PyTorch."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.suite.case import INFERENCE, TRAINING, VARIANTS, Case
from benchmarks.suite.layers import BASE, SMALL
from benchmarks.suite.measure import Row, Session
from benchmarks.suite.target import Group, Target, at_least, at_most, largest, smallest

# How much longer than the plain cell a variant may take; the other form of the GRU has no bound.
BOUNDS = {
    "peephole": 1.25,
    "coupled": 1.25,
    "recurrent dropout": 1.25,
    "zoneout": 1.25,
    "gates returned": 1.25,
    "resets": 1.25,
    "layer norm": 1.5,
}
LOOP = 10.0
# Compiling the loop takes a while: one variant shows what it brings.
COMPILED = replace(SMALL, variant="peephole")


def variants(session: Session) -> Group:
    """Every variant in both phases, at a common and at a small shape."""
    rows, targets = [], []
    for variant in VARIANTS:
        found = [
            session.measure(case, phase, _peers(case, phase))
            for case in _cases(variant)
            for phase in (TRAINING, INFERENCE)
        ]
        rows += found
        targets += _targets(variant, found)
    return Group("variants", "variants of the cells", rows, targets)


def _cases(variant: str) -> list[Case]:
    kind = "GRU" if variant == "reset before" else "LSTM"
    return [replace(case, kind=kind, variant=variant) for case in (BASE, SMALL)]


def _peers(case: Case, phase: str) -> tuple[str, ...]:
    if case.is_plain:
        return ("loop",)
    compiled = case == COMPILED and phase == TRAINING
    return ("loop", "plain", "compiled") if compiled else ("loop", "plain")


def _targets(variant: str, rows: list[Row]) -> list[Target]:
    """The worst of all shapes and phases counts."""
    targets = []
    if variant in BOUNDS:
        slowest = largest(row.ratio("tidegate", to="plain") for row in rows)
        what = f"{variant}: time against the plain cell, the worst of {len(rows)}"
        targets.append(at_most(what, BOUNDS[variant], slowest))
    least = smallest(row.ratio("loop") for row in rows)
    what = f"{variant}: a loop in PyTorch, the worst of {len(rows)}"
    return [*targets, at_least(what, LOOP, least)]

"""Session: checks that peers compute the same, then times them in turn; Row: what came out."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from benchmarks.peers import OURS, PEERS, Run, UnableError
from benchmarks.suite.case import Case, Problem
from tidegate import bench
from tidegate.kernels.library import LIBRARY

# max|a - b| / (1 + max|b|): outputs, gradients. Rounding to bfloat16 alone makes 4e-3.
BOUNDS = {"float32": bench.BOUNDS, "bfloat16": (3e-2, 6e-2)}


@dataclass
class Row:
    """What was measured of one case in one phase.

    Attributes:
        case: The case.
        phase: What was timed.
        seconds: The samples of each column; the first one is tidegate's.
        skipped: Peers that did not take part, and why.
        differences: Of each peer compared, the largest of its outputs and of its gradients.
        wrong: Peers whose results are too far from the reference; they are not timed.
    """

    case: Case
    phase: str
    seconds: dict[str, list[float]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    differences: dict[str, dict[str, float]] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)

    def median(self, name: str) -> float | None:
        """Median seconds of a column; None if it was not timed."""
        return statistics.median(self.seconds[name]) if self.seconds.get(name) else None

    def ratio(self, name: str, to: str = OURS) -> float | None:
        """How many times as long one column takes as another; None if either was not timed."""
        above, below = self.median(name), self.median(to)
        return None if above is None or below is None else above / below

    @property
    def gflops(self) -> float | None:
        """Billions of floating-point operations a second, tidegate's."""
        median = self.median(OURS)
        return None if median is None else self.case.flops(self.phase) / median / 1e9


@dataclass(frozen=True)
class Session:
    """How to measure.

    Attributes:
        backend: What runs tidegate's layers.
        seconds: How long to time each peer in each row, about.
        rounds: Samples of each instead, or None.
        quick: Whether to shrink all shapes, to see that everything runs.
        peers: The peers that may take part.
    """

    backend: str = "auto"
    seconds: float = 1.0
    rounds: int | None = None
    quick: bool = False
    peers: frozenset[str] = frozenset(PEERS)

    def sized(self, case: Case) -> Case:
        """The case, shrunk if all are."""
        return case.shrunk() if self.quick else case

    def problem(self, case: Case) -> Problem:
        """Draw the numbers of a case."""
        return Problem(case, self.backend)

    def peak(self) -> float | None:
        """GFLOP/s of fused multiply-adds now; None without the native library."""
        return bench.peak(0.05 if self.quick else 0.4) if LIBRARY is not None else None

    def interleave(self, calls: Mapping[str, Any]) -> dict[str, list[float]]:
        """Time calls in turn."""
        return bench.interleave(calls, seconds=self.seconds, rounds=self.rounds) if calls else {}

    def measure(self, case: Case, phase: str, peers: Sequence[str]) -> Row:
        """Check and time one case in one phase.

        Args:
            case: The case.
            phase: Training or inference.
            peers: Who takes part beside tidegate; the first that can is the reference.

        Returns:
            The row; nobody is timed where tidegate cannot take part.
        """
        row = Row(self.sized(case), phase)
        problem, runs = self.problem(row.case), dict[str, Run]()
        for name in (OURS, *peers):
            if name in self.peers:
                try:
                    runs[name] = _prepare(name, problem, phase)
                except UnableError as reason:
                    row.skipped[name] = str(reason)
        if OURS not in runs:
            return row
        _check(row, runs)
        calls = {name: run.call for name, run in runs.items() if name not in row.wrong}
        row.seconds = self.interleave(calls)
        return row


def _prepare(name: str, problem: Problem, phase: str) -> Run:
    """Prepare a peer; one that breaks is a peer fewer, not the end of a long measurement.

    Raises:
        UnableError: If it cannot take part.
    """
    if name == OURS:
        return PEERS[name].prepare(problem, phase)
    try:
        return PEERS[name].prepare(problem, phase)
    except UnableError:
        raise
    except Exception as error:  # whatever another library raises
        raise UnableError(f"failed: {type(error).__name__}: {error}".splitlines()[0]) from error


def _check(row: Row, runs: Mapping[str, Run]) -> None:
    """Compare all results with those of the first comparable peer that is not tidegate."""
    found: dict[str, Mapping[str, Tensor]] = {}
    for name, run in runs.items():
        if run.comparable:
            torch.manual_seed(1)  # for the variants that draw masks
            found[name] = run.results(run.call())
    reference = next((name for name in found if name != OURS), None)
    if reference is None:
        return
    bounds = BOUNDS[row.case.dtype]
    for name, results in found.items():
        if name == reference:
            continue
        far = compare(results, found[reference])
        row.differences[name] = far
        if not (far["output"] <= bounds[0] and far["gradient"] <= bounds[1]):
            row.wrong[name] = ", ".join(f"{what} {value:.1e}" for what, value in far.items())


def compare(actual: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, float]:
    """The largest differences of outputs and of gradients; infinite where a name is missing."""
    far = {"output": 0.0, "gradient": 0.0}
    for name in actual.keys() | expected.keys():
        kind = "gradient" if name.startswith("grad ") else "output"
        if name in actual and name in expected:
            found = bench.difference(actual[name].float(), expected[name].float())
        else:
            found = math.inf
        far[kind] = max(far[kind], found)
    return far

"""What a table of warm medians hides: the first call at a new shape, and a busy machine."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.peers import OURS, PEERS
from benchmarks.suite.case import INFERENCE, TRAINING, Case
from benchmarks.suite.layers import BASE, STREAM
from benchmarks.suite.measure import Row, Session
from benchmarks.suite.target import Group, at_most

NEW_SHAPES = 12
# Half of one core of two is gone: 1.5 is fair, 2 is work split evenly, and there is some noise.
SLOWEST = 2.5

_BURN = "import os, sys\nif hasattr(os, 'sched_setaffinity') and len(sys.argv) > 1:\n"
_BURN += "    os.sched_setaffinity(0, {int(sys.argv[1])})\nprint(flush=True)\nwhile True: pass"


def first_call(session: Session) -> Group:
    """Shapes that nothing in this process has seen: the first call against the next ones."""
    rows, targets, notes = [], [], []
    for phase in (TRAINING, INFERENCE):
        # No other part of the table has these sizes.
        cases = [Case("LSTM", 17 + i, 83 + 3 * i, 19 + i, 71 + 5 * i) for i in range(NEW_SHAPES)]
        row = Row(session.sized(cases[0]), phase)
        extra: dict[str, list[float]] = {}
        for name in (OURS, "torch"):
            if name in session.peers:
                times = [_first_and_warm(session, name, case, phase) for case in cases]
                row.seconds[name] = [warm for _, warm in times]
                row.seconds[f"{name}, first"] = [first for first, _ in times]
                extra[name] = [1e3 * (first - warm) for first, warm in times]
        rows.append(row)
        ours = statistics.median(extra[OURS]) if OURS in extra else None
        targets.append(at_most(f"{phase}: first call over a warm one, median", 5.0, ours, " ms"))
        worst = [f"{name} {max(found):.2f} ms" for name, found in extra.items()]
        notes.append(f"{phase}: the worst of {len(cases)} shapes, {', '.join(worst)}.")
    notes.append("The shape in the table is the first of them; the medians are of all.")
    return Group("first-call", "first call at a new shape", rows, targets, notes)


def _first_and_warm(session: Session, name: str, case: Case, phase: str) -> tuple[float, float]:
    """Seconds of the first call, and the median of the five after it."""
    run = PEERS[name].prepare(session.problem(session.sized(case)), phase)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        run.call()
        times.append(time.perf_counter() - start)
    return times[0], statistics.median(times[1:])


def busy(session: Session) -> Group:
    """The same calls on an idle machine, and while one core is loaded by something else."""
    rows, targets = [], []
    for case in (BASE, STREAM):
        row = Row(session.sized(case), TRAINING)
        problem = session.problem(row.case)
        calls: dict[str, Callable[[], Any]] = {
            name: PEERS[name].prepare(problem, TRAINING).call
            for name in (OURS, "torch")
            if name in session.peers
        }
        row.seconds = session.interleave(calls)
        with _one_core_loaded():
            loaded = session.interleave(calls)
        row.seconds |= {f"{name}, busy": times for name, times in loaded.items()}
        rows.append(row)
        what = f"{row.case.name} {row.case.shape}, training: time beside a loaded core"
        targets.append(at_most(what, SLOWEST, row.ratio(f"{OURS}, busy")))
    return Group("busy", "one core loaded by something else", rows, targets)


@contextlib.contextmanager
def _one_core_loaded() -> Iterator[None]:
    """Keep one core of this process's busy."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    command = [sys.executable, "-c", _BURN, *map(str, cores[:1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as burner:
        try:
            assert burner.stdout is not None
            burner.stdout.readline()  # it has begun
            yield
        finally:
            burner.kill()

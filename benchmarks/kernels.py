"""Recurrent kernels: every case, peer and target of the table; what runs when none is named.

Every case first checks that all compute the same, outputs and gradients, then times them in turn,
round after round. Peers that are not installed are left out: benchmarks/requirements.txt has them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.common import RESULTS, machine, parser, write
from benchmarks.peers import OURS, PEERS
from benchmarks.suite.chart import draw
from benchmarks.suite.conditions import busy, first_call
from benchmarks.suite.layers import bfloat16, inference, others, ragged, shares, training
from benchmarks.suite.measure import Session
from benchmarks.suite.report import document, summary, table, verdicts
from benchmarks.suite.streaming import streaming
from benchmarks.suite.target import Group
from benchmarks.suite.variants import variants
from tidegate.kernels import BACKENDS
from tidegate.kernels.library import LIBRARY, PROBLEM, describe

GROUPS: dict[str, Callable[[Session], Group]] = {
    "training": training,
    "gru-rnn": others,
    "inference": inference,
    "ragged": ragged,
    "variants": variants,
    "streaming": streaming,
    "bfloat16": bfloat16,
    "first-call": first_call,
    "busy": busy,
}

ELSEWHERE = "An epoch of IMDb: python -m benchmarks imdb_epoch --data DIR"


def options() -> argparse.ArgumentParser:
    """The command line."""
    made = parser(__doc__, data=False)
    made.set_defaults(out=None)
    made.add_argument("--only", nargs="+", choices=list(GROUPS), help="groups; default: all")
    made.add_argument("--peers", nargs="+", choices=list(PEERS), help="besides tidegate")
    made.add_argument("--seconds", type=float, default=1.0, help="for each peer in each row")
    made.add_argument("--repeats", type=int, help="samples of each, instead of --seconds")
    made.add_argument("--threads", type=int, help="default: as many as torch takes by itself")
    made.add_argument("--backend", choices=["auto", *BACKENDS], help="default: native")
    made.add_argument("--quick", action="store_true", help="toy shapes: does everything run?")
    return made


def main(arguments: list[str]) -> None:
    """Print the table; write results/kernels.json and .png if it is the whole one, or to --out."""
    chosen = options().parse_args(arguments)
    if chosen.threads is not None:
        torch.set_num_threads(chosen.threads)
    if not chosen.quick:
        _limit()
    backend = chosen.backend or ("native" if LIBRARY is not None else "auto")
    if backend == "auto" and LIBRARY is None:
        print(f"tidegate without its native library: {PROBLEM}.")
    session = Session(
        backend,
        chosen.seconds,
        chosen.repeats,
        chosen.quick,
        frozenset({OURS, *(chosen.peers or PEERS)}),
    )
    facts = machine()
    print(*(f"{name}: {value}" for name, value in facts.items()), sep="\n")
    _name_missing(session)
    if session.quick:
        print("Toy shapes: they show that everything runs; their times mean nothing.")
    groups = [_run(GROUPS[name], session) for name in chosen.only or GROUPS]
    print(f"\n{summary(groups)}\n{ELSEWHERE}")
    whole = not (chosen.only or chosen.peers or chosen.quick or chosen.repeats)
    folder = chosen.out or (RESULTS if whole else None)
    if folder is not None:
        _keep(groups, Path(folder), {"seconds": chosen.seconds, "backend": backend})
    if any(row.wrong for group in groups for row in group.rows):
        sys.exit(1)


def _limit() -> None:
    """Keep to as many cores as torch has threads, for those who take all that they find."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[: torch.get_num_threads()])


def _name_missing(session: Session) -> None:
    missing = sorted({name for peer in session.peers for name in PEERS[peer].missing})
    if missing:
        print(f"not installed, so left out: {', '.join(missing)} (`make peers`)")


def _run(make: Callable[[Session], Group], session: Session) -> Group:
    """Measure a group, the peak before and after it, and print it."""
    start, peak = time.perf_counter(), [session.peak()]
    group = make(session)
    peak.append(session.peak())
    group.peak = [found for found in peak if found is not None]
    group.targets += shares(group)
    if session.quick:
        group.targets = [replace(target, met=None) for target in group.targets]
    group.seconds = time.perf_counter() - start
    print(f"\n{table(group)}\n{verdicts(group.targets)}\n  ({group.seconds:.0f} s)", flush=True)
    return group


def _keep(groups: list[Group], folder: Path, settings: dict[str, object]) -> None:
    library = {"library": describe()}
    write(folder, "kernels", library | {"settings": settings, "groups": document(groups)})
    chart = folder / "kernels.png"
    if draw(groups, chart):
        print(f"written: {chart}")

"""Memory that training takes above the process before it: one long sequence, each in a process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import torch

import tidegate.nn as tn
from benchmarks.common import machine, parser, write

MIB = 2**20
CASES: dict[str, dict[str, Any]] = {
    "LSTM, checkpoint_every=1000": {"cell": "lstm", "checkpoint_every": 1000},
    "GRU, checkpoint_every=1000": {"cell": "gru", "checkpoint_every": 1000},
    "LSTM": {"cell": "lstm"},
    "torch.nn.LSTM": {"cell": None},
}


def resident() -> int:
    """Bytes of memory that this process holds; Linux alone tells."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


class Peak:
    """The most memory that the process held while the block ran."""

    def __enter__(self) -> Peak:
        self.before = self.most = resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._done.wait(0.005):
            self.most = max(self.most, resident())

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def above(self) -> float:
        """MiB above what it held before."""
        return (self.most - self.before) / MIB


def measure(case: str, steps: int, size: int) -> dict[str, float]:
    """Train one step on one sequence, in this process."""
    options = dict(CASES[case])
    cell = options.pop("cell")
    if cell is None:
        layer: torch.nn.Module = torch.nn.LSTM(size, size, batch_first=True)
    else:
        layer = tn.recurrent_layer(cell, size, size, batch_first=True, **options)
    layer(torch.randn(1, 10, size))[0].sum().backward()  # libraries load at their first use
    x = torch.randn(1, steps, size)
    start = time.perf_counter()
    with Peak() as peak:
        layer(x)[0].square().mean().backward()
    return {"mib": peak.above, "seconds": time.perf_counter() - start}


def main(arguments: list[str]) -> None:
    """Measure each case in a process of its own."""
    options = parser(__doc__, data=False)
    options.add_argument("--steps", type=int, default=100_000, help="T")
    options.add_argument("--size", type=int, default=256, help="I and H")
    options.add_argument("--case", choices=CASES, help="this one alone, here")
    chosen = options.parse_args(arguments)
    if chosen.case:
        print(json.dumps(measure(chosen.case, chosen.steps, chosen.size)))
        return
    print(machine())
    results = {}
    for case in CASES:
        command = [sys.executable, "-m", "benchmarks", "footprint", "--case", case]
        command += ["--steps", str(chosen.steps), "--size", str(chosen.size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        results[case] = json.loads(done.stdout)
        print(f"{case:<28} {results[case]['mib']:7.0f} MiB {results[case]['seconds']:6.1f} s")
    write(chosen.out, "footprint", {"steps": chosen.steps, "size": chosen.size, "results": results})

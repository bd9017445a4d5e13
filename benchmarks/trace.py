"""What a trace costs over a plain forward pass: the ratio of median times, measured in turns.

A trace keeps gates and states as the kernels wrote them, and puts them in order, layer by layer
and unit by unit, when they are first looked at; "looked at" has the time of both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.common import machine, parser, write
from tidegate import nn

# B, T, D, H, directions: a training batch, a small one, and long texts read both ways.
SHAPES = ((64, 200, 128, 128, 1), (32, 60, 1, 50, 1), (8, 400, 100, 64, 2))
TARGET = 1.25


def main(arguments: list[str]) -> None:
    """Time forward, trace, and trace with every gate looked at, for each shape and family."""
    options = parser(__doc__, data=False)
    options.add_argument("--seconds", type=float, default=5.0, help="of each case; default 5")
    chosen = options.parse_args(arguments)
    about = machine()
    print(about)
    results = []
    for rows, steps, features, hidden, ways in SHAPES:
        for family in (nn.LSTM, nn.GRU):
            layer = family(
                features, hidden, batch_first=True, bidirectional=ways == 2, backend="native"
            ).eval()
            x = torch.randn(rows, steps, features)
            found = _compare(layer, x, chosen.seconds)
            shape = f"{rows}x{steps}x{features}x{hidden}x{ways}"
            results.append({"layer": family.__name__, "shape": shape, **found})
            ratios = ", ".join(
                f"{name} {found[name] / found['forward']:.2f}" for name in list(found)[1:]
            )
            print(f"{family.__name__:<5} {shape:<18} forward {found['forward']:.3f} ms; {ratios}")
    write(chosen.out, "trace", {"target": TARGET, "results": results})


def _compare(layer: nn.Recurrent, x: torch.Tensor, seconds: float) -> dict[str, float]:
    """Median milliseconds of each way, run in turns so that a busy neighbour slows all alike."""
    ways: dict[str, Callable[[], Any]] = {
        "forward": lambda: layer(x),
        "return_gates": lambda: layer(x, return_gates=True),
        "trace": lambda: layer.trace(x),
        "trace, looked at": lambda: layer.trace(x).numpy(),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    with torch.no_grad():
        for run in ways.values():
            run()
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for name, run in ways.items():
                start = time.perf_counter()
                run()
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(part) for name, part in times.items()}

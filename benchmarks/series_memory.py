"""Memory that a forecaster's `fit` takes above the loaded data: 1,000 series of 10,000 steps."""

from __future__ import annotations

import time

import numpy as np

import tidegate
from benchmarks.common import machine, parser, write
from benchmarks.footprint import MIB, Peak
from tidegate.data import Panel


def made_up(series: int, steps: int) -> Panel:
    """Daily rhythms with noise, each series of its own size and phase, laid out once."""
    random = np.random.default_rng(0)
    values = random.standard_normal((series * steps, 1))
    hours = np.arange(steps)
    for number in range(series):
        rows = slice(number * steps, (number + 1) * steps)
        phase, size = random.uniform(0, 24), random.lognormal(0, 2)
        values[rows, 0] = size * (5 + np.sin((hours + phase) * np.pi / 12) + 0.3 * values[rows, 0])
    offsets = np.arange(series + 1, dtype=np.int64) * steps
    template = Panel.from_arrays([[0.0, 1.0]])
    return Panel(values, offsets, np.zeros(series, np.int64), template.clock)


def main(arguments: list[str]) -> None:
    """Fit once on a small part, so that libraries are loaded, and then on all of it."""
    options = parser(__doc__, data=False)
    options.add_argument("--series", type=int, default=1_000)
    options.add_argument("--steps", type=int, default=10_000, help="of each series")
    options.add_argument("--windows", type=int, default=50_000, help="of the one epoch")
    chosen = options.parse_args(arguments)
    print(machine())
    settings = {"lookback": 96, "horizon": 24, "epochs": 1, "verbose": False}
    tidegate.Forecaster(**settings, max_windows=500).fit(made_up(3, 500))
    data = made_up(chosen.series, chosen.steps)
    model = tidegate.Forecaster(**settings, max_windows=chosen.windows)
    start = time.perf_counter()
    with Peak() as peak:
        model.fit(data)
    found = {
        "data_mib": data.values.nbytes / MIB,
        "growth_mib": peak.above,
        "seconds": time.perf_counter() - start,
    }
    print("data {data_mib:.0f} MiB, growth in fit {growth_mib:.0f} MiB, {seconds:.0f} s"
          .format(**found))  # fmt: skip
    sizes = {"series": chosen.series, "steps": chosen.steps, "windows": chosen.windows}
    write(chosen.out, "series_memory", sizes | found)

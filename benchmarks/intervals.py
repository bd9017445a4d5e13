"""How much of the truth the 80 % and 95 % intervals cover on the CO2 series that ships."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import tidegate
from benchmarks.common import machine, parser, write
from tidegate.data import read_series
from tidegate.datasets import load_co2

HORIZONS = (4, 13, 26, 52)
OUTPUTS = ("point", "quantile", "normal")


def measure(horizon: int, output: str, seed: int) -> dict[str, Any]:
    """Train on the first 80 % (a fifth of it held out), forecast from each week of the rest."""
    series = read_series(load_co2(), time="date", target="co2")
    start = time.perf_counter()
    model = tidegate.Forecaster(
        lookback=104, horizon=horizon, hidden_size=32, output=output, random_state=seed,
        verbose=False,
    )  # fmt: skip
    model.fit(series.cut(np.array([0]), series.lengths * 8 // 10), validation=0.2)
    told = model.backtest(series, stride=1)
    kept = ("mae", "coverage_80", "width_80", "coverage_95", "width_95")
    scores = {name: value for name, value in told.scores().items() if name in kept}
    return scores | {"forecasts": len(told.mean), "seconds": time.perf_counter() - start}


def main(arguments: list[str]) -> None:
    """Measure every horizon and output."""
    options = parser(__doc__, data=False)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args(arguments)
    print(machine())
    results = []
    for horizon in HORIZONS:
        for output in OUTPUTS:
            found = measure(horizon, output, chosen.seed)
            results.append({"horizon": horizon, "output": output} | found)
            covered = f"{found['coverage_80']:.1%} (80 %), {found['coverage_95']:.1%} (95 %)"
            print(f"horizon {horizon:2d}, {output:<8}: {covered}, error {found['mae']:.3f} ppm")
    write(chosen.out, "intervals", {"seed": chosen.seed, "results": results})

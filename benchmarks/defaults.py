"""Every task untouched, on data nobody tuned for, beside the simple baselines."""

from __future__ import annotations

import importlib
import json
import time
from typing import Any

from benchmarks.common import machine, parser, write
from benchmarks.suite.report import verdicts

PARTS = ("series", "text")


def main(arguments: list[str]) -> None:
    """Print a table a part and its targets, and write results/defaults.json."""
    options = parser(__doc__)
    options.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    what = "other draws, by number: those that settings may be chosen on; 0 are those reported"
    options.add_argument("--draws", type=int, default=0, help=what)
    chosen = options.parse_args(arguments)
    print(machine())
    found: dict[str, Any] = {}
    for name in chosen.parts:
        start = time.perf_counter()
        part = importlib.import_module(f"benchmarks.untuned.{name}").measure(
            chosen.data, chosen.draws
        )
        seconds = round(time.perf_counter() - start)
        print(f"\n{part.table()}\n\n{verdicts(part.targets)}\n{name}: {seconds} s", flush=True)
        found[name] = {"seconds": seconds, **part.document()}
    if chosen.draws:
        return
    # The parts that were not asked for keep what was found before.
    path = chosen.out / "defaults.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    write(
        chosen.out,
        "defaults",
        {name: (kept | found)[name] for name in PARTS if name in kept | found},
    )

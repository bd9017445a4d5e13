"""What benchmarks share: where data is, what machine this is, medians, and result files."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import tidegate
from tidegate.bench import processor
from tidegate.errors import InputError, message

RESULTS = Path(__file__).parent / "results"


def parser(description: str | None, *, data: bool = True) -> argparse.ArgumentParser:
    """A command line with the options every benchmark takes, or every one that reads data."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=description)
    if data:
        made.add_argument("--data", help="folder of the public data sets; or set TIDEGATE_DATA")
    made.add_argument("--out", type=Path, default=RESULTS, help="folder of the result file")
    return made


def data_file(name: str, folder: str | None) -> Path:
    """Find a data set, or say in one line which file is missing.

    Raises:
        InputError: If there is no folder or the file is not in it.
    """
    place = folder or os.environ.get("TIDEGATE_DATA")
    if place is None:
        remedy = "Pass --data DIR or set TIDEGATE_DATA"
        raise InputError(message("benchmarks", "--data", f"a folder with {name}", None, remedy))
    path = Path(place) / name
    if not path.is_file():
        raise InputError(message("benchmarks", "--data", f"a folder with {name}", place))
    return path


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        # Of the last minute; 0 is idle. Windows has none.
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "tidegate": tidegate.__version__,
    }


def median_seconds(run: Callable[[], object], repeats: int, warmup: int = 1) -> float:
    """Median wall time of a call."""
    for _ in range(warmup):
        run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def write(folder: Path, name: str, result: dict[str, Any]) -> None:
    """Keep a result with the machine it was measured on."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    document = {"date": time.strftime("%Y-%m-%d"), "machine": machine()} | result
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"written: {path}")

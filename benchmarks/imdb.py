"""IMDb, official split, command line with default settings: test accuracy and wall time."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import data_file, machine, parser, write


def main(arguments: list[str]) -> None:
    """Run `tidegate fit` as a user would, and write results/imdb.json."""
    options = parser(__doc__)
    chosen, settings = options.parse_known_args(arguments)
    print(machine())
    data = data_file("imdb.parquet", chosen.data)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        command = ["tidegate", "fit", "text-classifier", str(data), "--text", "text"]
        command += ["--label", "label", "--split", "split", "--out", str(model), *settings]
        print("$", *command)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", *command], check=True)
        seconds = time.perf_counter() - start
        metrics = json.loads((model / "metrics.json").read_text(encoding="utf-8"))
        history = (model / "history.csv").read_text(encoding="utf-8")
    print(f"test accuracy {metrics['test']['accuracy']:.4f}, {seconds / 60:.1f} minutes in all")
    result = {"settings": settings, "seconds": seconds, "metrics": metrics}
    write(chosen.out, "imdb", result | {"history": history.splitlines()})

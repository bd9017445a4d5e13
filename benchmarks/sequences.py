"""Sequences of numbers with default settings: accuracy on five official splits, and C-MAPSS."""

from __future__ import annotations

import io
import json
import statistics
import tarfile
import time
from typing import Any

import numpy as np

import tidegate
from benchmarks.common import data_file, machine, parser, write
from tidegate.tasks.core.task import Task

# The target of each set; every one keeps its official split.
TARGETS = {
    "japanesevowels": 97.5,
    "basicmotions": 97.5,
    "ecg200": 88.0,
    "gunpoint": 97.0,
    "italypowerdemand": 96.0,
}
ENGINES = "cmapss"
ENGINES_TARGET = 13.6
CAP = 125.0
# Chosen by cross-validation over whole training engines, cut where the test engines may be.
ENGINES_SETTINGS: dict[str, Any] = {
    "window": 60,
    "stride": 3,
    "convolutions": 0,
    "hidden_size": 96,
    "num_layers": 2,
    "pooling": "last",
    "noise": 0.3,
    "dropout": 0.3,
    "batch_size": 128,
    "epochs": 20,
    "members": 5,
}


def main(arguments: list[str]) -> None:
    """Print a line a set and write results/sequences.json."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options.add_argument("--sets", nargs="+", choices=[*TARGETS, ENGINES], default=None)
    chosen = options.parse_args(arguments)
    print(machine())
    found: dict[str, Any] = {}
    for name in chosen.sets or [*TARGETS, ENGINES]:
        if name == ENGINES:
            found[name] = engines(chosen.data, chosen.seeds)
        else:
            found[name] = classes(name, chosen.data, chosen.seeds)
    # The sets that were not asked for keep what was found before.
    path = chosen.out / "sequences.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known = {name: kept[name] for name in [*TARGETS, ENGINES] if name in kept}
    write(chosen.out, "sequences", known | found)


def classes(name: str, folder: str | None, seeds: list[int]) -> dict[str, Any]:
    """Fit a classifier with its default settings on all training rows, once a seed."""
    with np.load(data_file(f"tsc_{name}.npz", folder)) as parts:
        data = {key: parts[key] for key in parts.files}
    rows = []
    for seed in seeds:
        model = tidegate.SequenceClassifier(random_state=seed, verbose=False)
        taken = _fit_seconds(model, data["X_train"], data["y_train"])
        accuracy = 100 * model.score(data["X_test"], data["y_test"])
        rows.append({"seed": seed, "accuracy": accuracy, **taken})
    accuracies = [row["accuracy"] for row in rows]
    slowest, slowest_cpu = (
        max(row[name] for row in rows) for name in ("fit_seconds", "fit_cpu_seconds")
    )
    mean = statistics.mean(accuracies)
    shown = " ".join(f"{accuracy:.2f}" for accuracy in accuracies)
    print(
        f"{name:<16} accuracy {mean:.2f} (target {TARGETS[name]}) of {shown}, "
        f"slowest fit {slowest:.0f} s, {slowest_cpu:.0f} s of processor",
        flush=True,
    )
    return {"target": TARGETS[name], "mean": mean, "seeds": rows}


def engines(folder: str | None, seeds: list[int]) -> dict[str, Any]:
    """Learn remaining life of C-MAPSS FD001; the error is that at the end of each test engine."""
    train, test, lives = read_engines(folder)
    X = [engine[:, 2:] for engine in train]
    y = [np.arange(len(engine))[::-1] for engine in train]
    rows = []
    for seed in seeds:
        model = tidegate.SequenceRegressor(
            cap=CAP, random_state=seed, verbose=False, **ENGINES_SETTINGS
        )
        taken = _fit_seconds(model, X, y)
        answers = model.predict([engine[:, 2:] for engine in test])
        errors = {
            "rmse": _rmse(answers, np.minimum(lives, CAP)),
            "rmse_uncapped": _rmse(answers, lives),
        }
        rows.append({"seed": seed, **errors, **taken})
        print(f"{ENGINES:<16} seed {seed}: {rows[-1]}", flush=True)
    means = {name: statistics.mean(row[name] for row in rows) for name in errors}
    print(
        f"{ENGINES:<16} RMSE {means['rmse']:.2f} (target {ENGINES_TARGET}), "
        f"{means['rmse_uncapped']:.2f} against lives that are not capped"
    )
    return {"target": ENGINES_TARGET, "settings": ENGINES_SETTINGS, **means, "seeds": rows}


def read_engines(folder: str | None) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Read training and test engines, `[cycles, 26]` each, and the true lives of the latter."""
    path = data_file("cmapss_fd001.tar.gz", folder)
    with tarfile.open(path) as archive:

        def table(name: str) -> np.ndarray:
            file = archive.extractfile(f"cmapss_fd001/{name}")
            assert file is not None
            return np.loadtxt(io.StringIO(file.read().decode()))

        tables = table("train_FD001.txt"), table("test_FD001.txt"), table("RUL_FD001.txt")
    train, test = (
        [whole[whole[:, 0] == unit] for unit in np.unique(whole[:, 0])] for whole in tables[:2]
    )
    return train, test, tables[2]


def _fit_seconds(model: Task, X: Any, y: Any) -> dict[str, float]:
    """Fit on all rows, for so few are all needed to learn from; the last epoch is kept.

    Returns:
        Seconds on the clock, and of the processor, which other programs do not lengthen as much.
    """
    start, used = time.perf_counter(), time.process_time()
    model.fit(X, y, validation=None)
    return {
        "fit_seconds": time.perf_counter() - start,
        "fit_cpu_seconds": time.process_time() - used,
    }


def _rmse(answers: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.mean((answers - truth) ** 2)))

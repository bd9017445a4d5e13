"""Numenta Anomaly Benchmark, standard profile: one setting for all files, labels unseen.

Each file is streamed as it came: the detector is fitted on the rows of the benchmark's probation
period (15 %, 750 at most), then each value is scored before the next is read. The alarms are those
of the default settings; nothing is chosen by the labels. Beside it the score under the benchmark's
own practice, which picks one threshold for all files by the labels, as the published figures do.
"""

from __future__ import annotations

import json
import statistics
import tarfile
import time
import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

import tidegate
from benchmarks.common import data_file, machine, parser, write
from benchmarks.suite.nab_score import Marked, Result, best_threshold, mark, probation, score
from tidegate.tasks.core.examples import DataWarning

Array = np.ndarray[Any, np.dtype[Any]]

TARGET, AIM = 60.0, 70.5
# README of the benchmark; each with the threshold that the labels choose.
PUBLISHED = {
    "ARTime": 74.9, "Numenta HTM": 70.5, "CAD OSE": 69.9, "KNN-CAD": 58.0,
    "Relative Entropy": 54.6, "Random Cut Forest": 51.7, "Windowed Gaussian": 39.6,
    "no alarm": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class File:
    """A file of the benchmark.

    Attributes:
        name: Its path.
        values: The values, by time.
        marked: What its rows are worth.
    """

    name: str
    values: pd.Series[float]
    marked: Marked


@dataclass(frozen=True)
class Watched:
    """What the detector said of a file.

    Attributes:
        alarms: `[rows]` bool.
        scores: `[rows]`, 0 where there was no alarm.
        seconds: CPU time of the stream, and of the fit.
    """

    alarms: Array
    scores: Array
    seconds: tuple[float, float]


def main(arguments: list[str]) -> None:
    """Print the score of each seed and write results/nab.json."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    chosen = options.parse_args(arguments)
    print(machine())
    files = read(chosen.data)
    rows = [run(files, seed) for seed in chosen.seeds]
    mean = statistics.mean(row["score"] for row in rows)
    print(f"mean {mean:.1f} (target {TARGET}, aim {AIM}); published: {PUBLISHED}")
    found = {"target": TARGET, "aim": AIM, "mean": mean, "published": PUBLISHED}
    write(chosen.out, "nab", found | {"seeds": rows})


def run(files: list[File], seed: int) -> dict[str, Any]:
    """Watch all files and score the alarms."""
    began = time.perf_counter()
    watched = [watch(file, seed) for file in files]
    marked, alarms = [file.marked for file in files], [found.alarms for found in watched]
    result = score(marked, alarms)
    chosen, threshold = best_threshold(marked, [found.scores for found in watched])
    streamed = sum(len(file.values) - probation(len(file.values)) for file in files)
    cpu = sum(found.seconds[0] for found in watched) / streamed * 1e6
    wall = time.perf_counter() - began
    print(
        f"seed {seed}: score {result.score:.1f} ({result.found} of {result.windows} windows, "
        f"{result.false_alarms} false alarms in {streamed:,} values), {chosen:.1f} with the "
        f"threshold that labels choose; {cpu:.0f} us of CPU a value, {wall:.0f} s in all",
        flush=True,
    )
    folders = by_folder(files, alarms)
    for folder, part in folders.items():
        print(f"  {folder:<24}{part.found:>4} of {part.windows:<4}{part.false_alarms:>5} false")
    return {
        "seed": seed,
        **asdict(result),
        "score_with_chosen_threshold": chosen,
        "threshold": threshold,
        "cpu_microseconds": cpu,
        "seconds": wall,
        "folders": {folder: asdict(part) for folder, part in folders.items()},
    }


def read(folder: str | None) -> list[File]:
    """Read the benchmark's files."""
    files = []
    with tarfile.open(data_file("nab.tar.gz", folder)) as archive:
        windows = json.load(_member(archive, "labels/combined_windows.json"))
        for name, limits in windows.items():
            table = pd.read_csv(_member(archive, f"data/{name}"), parse_dates=["timestamp"])
            times = list(table["timestamp"])
            places = [
                (times.index(pd.Timestamp(first)), times.index(pd.Timestamp(last)))
                for first, last in limits
            ]
            values = pd.Series(table["value"].to_numpy(float), pd.DatetimeIndex(times))
            files.append(File(name, values, mark(len(values), places)))
    return files


def _member(archive: tarfile.TarFile, name: str) -> Any:
    found = archive.extractfile(name)
    assert found is not None
    return found


def watch(file: File, seed: int) -> Watched:
    """Fit a detector on the probation period of a file, and stream the rest of it."""
    began = time.process_time()
    first = probation(len(file.values))
    model = tidegate.AnomalyDetector(random_state=seed, verbose=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # a flat line is told of
        model.fit(file.values[:first])
    stream = model.stream()
    seconds = (pd.DatetimeIndex(file.values.index).as_unit("us").asi8 / 1e6).tolist()
    values = file.values.tolist()
    alarms, scores = np.zeros(len(values), bool), np.zeros(len(values))
    fitted = time.process_time()
    for row in range(first, len(values)):
        finding = stream.update(values[row], seconds[row])
        if finding.alarm:
            alarms[row], scores[row] = True, finding.score
    return Watched(alarms, scores, (time.process_time() - fitted, fitted - began))


def by_folder(files: list[File], alarms: list[Array]) -> dict[str, Result]:
    """Score each folder of the benchmark that has windows alone."""
    found = {}
    for folder in sorted({file.name.split("/")[0] for file in files}):
        places = [n for n, file in enumerate(files) if file.name.startswith(f"{folder}/")]
        marked = [files[n].marked for n in places]
        if any(part.windows for part in marked):
            found[folder] = score(marked, [alarms[n] for n in places])
    return found

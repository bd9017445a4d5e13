"""Processor time before anything is computed: help, import, and loading a saved tagger."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

import tidegate
from benchmarks.common import machine, parser, write
from tidegate.data.tags.table import TAGS, TOKENS, gather_sentences
from tidegate.tasks.tagging.tagger import Tagger

_HELP = "import sys; from tidegate.cli import main; sys.argv[1:] = ['--help']; main()"


def main(arguments: list[str]) -> None:
    """Time each several times, and print and keep the medians."""
    options = parser(__doc__, data=False)
    options.add_argument("--repeats", type=int, default=7)
    chosen = options.parse_args(arguments)
    torch.set_num_threads(1)  # a thread that waits for another counts as processor time
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        path = saved_tagger(Path(folder))
        runs: dict[str, Callable[[], float]] = {
            "tidegate --help": lambda: started(_HELP),
            "import tidegate": lambda: started("import tidegate"),
            "a saved tagger loaded, besides imports": lambda: loaded(path),
        }
        result = {}
        for name, run in runs.items():
            run()  # files that are read for the first time are another matter
            result[name] = {"cpu_seconds": statistics.median(run() for _ in range(chosen.repeats))}
            print(f"{name:<40} {result[name]['cpu_seconds']:.3f} s of processor time")
    write(chosen.out, "start", {"results": result})


def saved_tagger(folder: Path) -> Path:
    """Learn the parts of speech of the shipped sentences for an epoch, with the default net."""
    words = tidegate.datasets.load_ud_english_ewt()
    columns = {"sentence": "sentence", "token": "token", "tag": "upos"}
    sentences, _ = gather_sentences(words, columns, drop_missing=False, source="words")
    X, y = sentences[TOKENS].tolist(), sentences[TAGS].tolist()
    Tagger(epochs=1, verbose=False).fit(X[:500], y[:500]).save(folder / "tagger")
    return folder / "tagger"


def started(code: str) -> float:
    """Processor seconds of a Python process that runs `code` from its start to its end."""
    before = os.times()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system


def loaded(path: Path) -> float:
    """Processor seconds of `tidegate.load`, everything imported."""
    before = time.process_time()
    tidegate.load(path)
    return time.process_time() - before

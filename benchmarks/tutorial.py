"""A tutorial's comparison on IMDb: RNN, GRU, LSTM and BiLSTM alike, and the tutorial's mistake.

A much-read tutorial splits all 50,000 reviews 80/20, trains each net with embedding 128 and hidden
128, and reports 65 % for the RNN and 82.4 % for the bidirectional LSTM. Its cleaning step joins an
already joined string, so that what it trains on is single letters. Both are run here.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from typing import Any

import pandas as pd

import tidegate
from benchmarks.common import data_file, machine, parser, write
from tidegate.data.splits import split_without_overlap

CELLS: dict[str, dict[str, Any]] = {
    "RNN": {"cell": "rnn", "bidirectional": False},
    "GRU": {"cell": "gru", "bidirectional": False},
    "LSTM": {"cell": "lstm", "bidirectional": False},
    "BiLSTM": {"cell": "lstm", "bidirectional": True},
}
# The same for every cell; what is not named has its default.
COMMON: dict[str, Any] = {
    "embedding_size": 128,
    "hidden_size": 128,
    "max_length": 200,
    "batch_size": 64,
    "epochs": 3,
    "verbose": False,
}
# As in the tutorial: the last hidden state, no dropout but one before the head, all else plain.
LETTERS = COMMON | {"level": "char", "clean": (), "keep": "tail", "pooling": "last"}


def letters(text: str) -> str:
    """Clean as the tutorial does: `" ".join` of a string parts it into letters; less the blanks."""
    cleaned = re.sub(r"[^a-z ]", "", re.sub(r"<.*?>", "", text).lower())
    return " ".join(cleaned).replace(" ", "")


def run(
    frame: pd.DataFrame, settings: dict[str, Any], seed: int, prepare: Callable[[str], str]
) -> dict[str, float]:
    """Train on 80 % of all reviews and score on the rest; no review stands on both sides."""
    labels = frame["label"].tolist()
    train, test = split_without_overlap(frame["text"].tolist(), labels, test_size=0.2, seed=seed)
    texts = [prepare(text) for text in frame["text"]]
    start = time.perf_counter()
    model = tidegate.TextClassifier(random_state=seed, **settings)
    model.fit([texts[row] for row in train], [labels[row] for row in train])
    seconds = time.perf_counter() - start
    accuracy = model.score([texts[row] for row in test], [labels[row] for row in test])
    return {"seed": seed, "accuracy": accuracy, "fit_seconds": seconds}


def main(arguments: list[str]) -> None:
    """Print one table, and write results/tutorial.json after every run."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--epochs", type=int, default=COMMON["epochs"])
    chosen = options.parse_args(arguments)
    frame = pd.read_parquet(data_file("imdb.parquet", chosen.data))
    print(machine())
    runs = {name: (COMMON | cell, str) for name, cell in CELLS.items()}
    runs["BiLSTM, tutorial's letters"] = (LETTERS | CELLS["BiLSTM"], letters)
    results: dict[str, list[dict[str, float]]] = {}
    print(f"{'':<28}{'mean accuracy':>14}{'seeds':>28}{'seconds a run':>15}", flush=True)
    for name, (settings, prepare) in runs.items():
        rows = [
            run(frame, settings | {"epochs": chosen.epochs}, seed, prepare) for seed in chosen.seeds
        ]
        results[name] = rows
        mean = statistics.mean(row["accuracy"] for row in rows)
        each = " ".join(f"{row['accuracy']:.4f}" for row in rows)
        seconds = statistics.mean(row["fit_seconds"] for row in rows)
        print(f"{name:<28}{mean:>14.4f}{each:>28}{seconds:>15.0f}", flush=True)
        write(chosen.out, "tutorial", {"settings": COMMON, "results": results})

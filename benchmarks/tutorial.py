"""A tutorial's comparison on IMDb: RNN, GRU, LSTM and BiLSTM alike, and the tutorial's mistake.

A much-read tutorial splits all 50,000 reviews 80/20, trains each net with embedding 128 and hidden
128, and reports 65 % for the RNN and 82.4 % for the bidirectional LSTM. Its cleaning step joins an
already joined string, so that what it trains on is single letters. Both are run here.
"""

from __future__ import annotations

import re
import statistics
import time
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
# The same for every cell; what is not named has its default. Little regularisation for few epochs.
COMMON: dict[str, Any] = {
    "embedding_size": 128,
    "hidden_size": 128,
    "max_length": 100,
    "batch_size": 128,
    "epochs": 2,
    "word_dropout": 0.1,
    "embedding_dropout": 0.2,
    "label_smoothing": 0.0,
    "level": "word",
    "ngrams": 1,
    "wide": 0.0,
    "verbose": False,
}
LETTERS = COMMON | {"level": "char", "clean": (), "keep": "tail", "pooling": "last"}
RUNS = {name: COMMON | cell for name, cell in CELLS.items()}
RUNS["BiLSTM on letters"] = LETTERS | CELLS["BiLSTM"]


def letters(text: str) -> str:
    """Clean as the tutorial does: joining an already joined string leaves single letters."""
    cleaned = re.sub(r"[^a-z ]", "", re.sub(r"<.*?>", "", text).lower())
    return " ".join(cleaned).replace(" ", "")


def run(frame: pd.DataFrame, name: str, seed: int) -> dict[str, Any]:
    """Train on 80 % of all reviews and score on the rest; no review stands on both sides."""
    labels = frame["label"].tolist()
    train, test = split_without_overlap(frame["text"].tolist(), labels, test_size=0.2, seed=seed)
    prepare = letters if RUNS[name]["level"] == "char" else str
    texts = [prepare(text) for text in frame["text"]]
    start = time.perf_counter()
    model = tidegate.TextClassifier(random_state=seed, **RUNS[name])
    model.fit([texts[row] for row in train], [labels[row] for row in train])
    seconds = time.perf_counter() - start
    accuracy = model.score([texts[row] for row in test], [labels[row] for row in test])
    print(f"seed {seed}  {name:<18} {accuracy:.4f}  fit in {seconds:.0f} s", flush=True)
    return {"net": name, "seed": seed, "accuracy": accuracy, "fit_seconds": seconds}


def table(rows: list[dict[str, Any]]) -> str:
    """One line a net: mean accuracy and that of each seed."""
    lines = [f"{'':<20}{'mean accuracy':>14}   of each seed"]
    for name in dict.fromkeys(row["net"] for row in rows):
        found = [row["accuracy"] for row in rows if row["net"] == name]
        each = " ".join(f"{accuracy:.4f}" for accuracy in found)
        lines.append(f"{name:<20}{statistics.mean(found):>14.4f}   {each}")
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """Print one table; results/tutorial.json is written after every seed."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--nets", nargs="+", choices=list(RUNS), default=list(RUNS))
    chosen = options.parse_args(arguments)
    frame = pd.read_parquet(data_file("imdb.parquet", chosen.data))
    print(machine(), flush=True)
    rows: list[dict[str, Any]] = []
    for seed in chosen.seeds:
        rows += [run(frame, name, seed) for name in chosen.nets]
        write(chosen.out, "tutorial", {"settings": RUNS, "results": rows})
    print(table(rows))

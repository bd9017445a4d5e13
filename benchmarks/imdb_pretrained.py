"""IMDb by a classifier that begins as a language model of the reviews without labels."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import tidegate
from benchmarks.common import data_file, machine, parser, write
from tidegate.data.cleaning import clean_text

# Read from a block of neighbouring training reviews, held out (see examples/imdb.py).
LANGUAGE: dict[str, Any] = {
    "level": "word",
    "lowercase": True,
    "max_vocabulary": 30_000,
    "softmax": "adaptive",
    "embedding_size": 256,
    "hidden_size": 512,
    "num_layers": 1,
    "dropout": 0.2,
    "batch_size": 64,
    "bptt": 96,
    "learning_rate": 2e-3,
    "epochs": 3,
    "layer_options": {"precision": "bfloat16"},
}
CLASSIFIER: dict[str, Any] = {
    "max_length": 1000,
    "keep": "both",
    "epochs": 4,
    "learning_rate": 2e-3,
    "word_dropout": 0.1,
    "unfreeze": 0,
    "layer_decay": 1.0,
    "wide": 1.5,
}
TARGET, AIM = 0.919, 0.928
# Of the training reviews that settings are chosen on: neighbours, for films come in runs.
BLOCK = range(5000, 7500)
# Of the unlabelled reviews, those that the language model is measured on.
_HELD = 1000


def main(arguments: list[str]) -> None:
    """Pretrain once, fine-tune once a seed, print and write results/imdb_pretrained.json."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    options.add_argument("--rows", type=int, help="only so many reviews of each part, to try it")
    options.add_argument("--language", type=Path, help="folder that keeps the language model")
    options.add_argument(
        "--held", action="store_true", help="score on held-out training reviews, write nothing"
    )
    chosen = options.parse_args(arguments)
    print(machine())
    train, test, unlabelled = read(chosen.data, chosen.rows)
    if chosen.held:
        train, test = held_out(train)
    with tempfile.TemporaryDirectory() as folder:
        kept = chosen.language or Path(folder) / "language"
        if not kept.is_dir():
            pretrain(kept, train, unlabelled)
        told = describe(kept)
        rows = [fine_tune(kept, train, test, seed) for seed in chosen.seeds]
    # A language model that was kept took its time before.
    minutes = (told["seconds"] + sum(row["seconds"] for row in rows)) / 60
    mean = float(np.mean([row["accuracy"] for row in rows]))
    print(
        f"test accuracy {mean:.4f} (target {TARGET}, aim {AIM}), {minutes:.0f} minutes in all, "
        f"{len(rows)} seeds"
    )
    if not chosen.held and not chosen.rows:
        result = {"target": TARGET, "aim": AIM, "mean": mean, "minutes": minutes}
        settings = {"language": LANGUAGE, "classifier": CLASSIFIER}
        write(
            chosen.out, "imdb_pretrained", result | {**settings, "pretrained": told, "seeds": rows}
        )


def read(folder: str | None, rows: int | None) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Read training and test reviews, and those without labels that are neither."""
    frame = pd.read_parquet(data_file("imdb.parquet", folder))
    more = pd.read_parquet(data_file("imdb_unlabelled.parquet", folder))
    unlabelled = more.text[~more.in_labelled].tolist()
    parts = [frame[frame["split"] == part] for part in ("train", "test")]
    if rows:
        parts = [part.sample(rows, random_state=0) for part in parts]
    return parts[0], parts[1], unlabelled[:rows]


def held_out(train: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split the training reviews by the block of ids that settings are chosen on."""
    held = train["id"].isin(BLOCK)
    return train[~held], train[held]


def pretrain(path: Path, train: pd.DataFrame, unlabelled: list[str]) -> None:
    """Train the language model on all reviews but those of the test part, and save it."""
    texts = [clean_text(text, ("html", "urls"), lowercase=False) for text in unlabelled]
    labelled = [clean_text(text, ("html", "urls"), lowercase=False) for text in train["text"]]
    held = min(_HELD, len(texts) // 10)
    model = tidegate.LanguageModel(**LANGUAGE)
    model.fit(texts[held:] + labelled, validation=(texts[:held], None))
    model.save(path)


def describe(path: Path) -> dict[str, Any]:
    """Tell how the language model in a folder was trained."""
    history = tidegate.load(path).history_
    perplexity = history[-1]["validation_perplexity"]
    seconds = sum(row["seconds"] for row in history)
    print(f"language model: perplexity {perplexity:.1f}, {seconds / 60:.0f} minutes", flush=True)
    return {"perplexity": perplexity, "seconds": seconds, "history": history}


def fine_tune(path: Path, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Mapping[str, Any]:
    """Train the classifier on the labels, and score it on the test part."""
    start = time.perf_counter()
    model = tidegate.TextClassifier(pretrained=str(path), random_state=seed, **CLASSIFIER)
    model.fit(train["text"].tolist(), train["label"].tolist(), validation=None)
    seconds = time.perf_counter() - start
    texts, labels = test["text"].tolist(), test["label"].tolist()
    accuracy = model.score(texts, labels)
    wide, network = model.network_.wide, model.network_
    network.wide = None
    alone = model.score(texts, labels)
    network.wide = wide
    print(
        f"seed {seed}: accuracy {accuracy:.4f} (the LSTM alone {alone:.4f}), fit in "
        f"{seconds / 60:.0f} minutes",
        flush=True,
    )
    return {
        "seed": seed, "accuracy": accuracy, "lstm_alone": alone, "fit_seconds": seconds,
        "seconds": time.perf_counter() - start,
        "history": model.history_,
    }  # fmt: skip

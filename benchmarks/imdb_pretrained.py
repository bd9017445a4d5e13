"""IMDb by classifiers that begin as language models of the reviews without labels.

    python -m benchmarks imdb_pretrained [--held] [--language DIR]

One reads forwards and one backwards, each in a process on a core of its own; the answer is the mean
of their probabilities.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import tidegate
from benchmarks.common import data_file, machine, parser, write
from tidegate.data.text.cleaning import clean_text
from tidegate.data.text.encoder import TextEncoder
from tidegate.training.progress import Event, line

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
    "adversarial": 2.0,
    "wide": 1.0,
}
TARGET, AIM = 0.919, 0.928
# Of the training reviews that settings are chosen on: neighbours, for films come in runs.
BLOCK = range(5000, 7500)
# Of the unlabelled reviews, those that the language model is measured on.
_HELD = 1000
_CLEAN = ("html", "urls")


def main(arguments: list[str]) -> None:
    """Read the reviews in both directions at once, and write results/imdb_pretrained.json."""
    options = parser(__doc__)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--rows", type=int, help="only so many reviews of each part, to try it")
    options.add_argument("--language", type=Path, help="folder that keeps the language models")
    options.add_argument(
        "--held", action="store_true", help="score on held-out training reviews, write nothing"
    )
    chosen = options.parse_args(arguments)
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        job = replace(Job.of(chosen), language=chosen.language or Path(folder))
        jobs = [replace(job, backwards=backwards) for backwards in (False, True)]
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(2, spawn, torch.set_num_threads, (1,)) as pool:
            ways = dict(zip(("forwards", "backwards"), pool.map(one_way, jobs), strict=True))
    labels = job.parts()[1]["label"].to_numpy()
    answers = {name: way.pop("answers") for name, way in ways.items()}
    scores = {name: accuracy(found, labels) for name, found in answers.items()}
    both = {kind: sum(found[kind] for found in answers.values()) for kind in ("all", "lstm")}
    scores["both"] = accuracy(both, labels)
    for name, found in scores.items():
        print(f"{name:<10} accuracy {found['all']:.4f}, of the LSTM alone {found['lstm']:.4f}")
    # A language model that was kept took its time before.
    minutes = max(way["seconds"] for way in ways.values()) / 60
    print(f"target {TARGET}, aim {AIM}; {minutes:.0f} minutes in all")
    if not chosen.held and not chosen.rows:
        settings = {"language": LANGUAGE, "classifier": CLASSIFIER, "seed": chosen.seed}
        result = {"target": TARGET, "aim": AIM, "minutes": minutes, "scores": scores}
        write(chosen.out, "imdb_pretrained", result | {"settings": settings, "ways": ways})


@dataclass(frozen=True, kw_only=True)
class Job:
    """What one of the two processes does.

    Attributes:
        data: Folder of the data.
        rows: Reviews of each part, or None for all.
        held: Whether to score on training reviews that are held out.
        seed: That of the classifier.
        language: Folder that keeps the language models.
        backwards: Whether reviews are read from the last word to the first.
    """

    data: str | None
    rows: int | None
    held: bool
    seed: int
    language: Path = Path()
    backwards: bool = False

    @classmethod
    def of(cls, chosen: argparse.Namespace) -> Job:
        """Take over what the command line says."""
        return cls(data=chosen.data, rows=chosen.rows, held=chosen.held, seed=chosen.seed)

    def parts(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Read the reviews to learn from and those to score on."""
        train, test, _ = read(self.data, self.rows)
        return held_out(train) if self.held else (train, test)


def one_way(job: Job) -> dict[str, Any]:
    """Train the language model and the classifier of one direction, and answer the test part."""
    name = "backwards" if job.backwards else "forwards"
    path = job.language / name
    turn = turned if job.backwards else list
    if not path.is_dir():
        train, _, unlabelled = read(job.data, job.rows)
        pretrain(path, turn(train["text"]), turn(unlabelled), name)
    told = describe(path)
    print(f"{name}: perplexity {told['perplexity']:.1f}", flush=True)
    train, test = job.parts()
    start = time.perf_counter()
    model = tidegate.TextClassifier(
        pretrained=path, random_state=job.seed, verbose=False, **CLASSIFIER
    )
    labels = train["label"].tolist()
    model.fit(turn(train["text"]), labels, validation=None, callbacks=[teller(name)])
    fitted = time.perf_counter() - start
    texts = turn(test["text"])
    answers = {"all": model.predict_proba(texts)}
    model.network_.wide = None
    answers["lstm"] = model.predict_proba(texts)
    seconds = told["seconds"] + time.perf_counter() - start
    rest = {"fit_seconds": fitted, "seconds": seconds, "history": model.history_}
    return {"answers": answers, "pretrained": told, **rest}


def accuracy(answers: Mapping[str, Any], labels: Any) -> dict[str, float]:
    """Score the probabilities of each kind of answer."""
    return {kind: float(np.mean(found.argmax(1) == labels)) for kind, found in answers.items()}


def turned(texts: Iterable[str]) -> list[str]:
    """Put the words of texts into the opposite order."""
    words = TextEncoder(clean=_CLEAN).fit(["a b"]).tokens
    return [" ".join(reversed(words(text))) for text in texts]


def teller(name: str) -> Callable[[Event], None]:
    """Make a callback that prints a line an epoch, under a name."""

    def tell(event: Event) -> None:
        if event.kind == "epoch":
            print(f"{name}: {line(event)}", flush=True)

    return tell


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


def pretrain(path: Path, train: list[str], unlabelled: list[str], name: str) -> None:
    """Train a language model on all reviews but those of the test part, and save it."""
    texts, labelled = (
        [clean_text(text, _CLEAN, lowercase=False) for text in part] for part in (unlabelled, train)
    )
    held = min(_HELD, len(texts) // 10)
    model = tidegate.LanguageModel(verbose=False, **LANGUAGE)
    model.fit(texts[held:] + labelled, validation=(texts[:held], None), callbacks=[teller(name)])
    model.save(path)


def describe(path: Path) -> dict[str, Any]:
    """Tell how the language model in a folder was trained."""
    history = tidegate.load(path).history_
    seconds = sum(row["seconds"] for row in history)
    perplexity = history[-1]["validation_perplexity"]
    return {"perplexity": perplexity, "seconds": seconds, "history": history}

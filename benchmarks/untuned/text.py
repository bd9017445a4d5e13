"""Texts: TextClassifier untouched on subsets of six sets, beside logistic regression."""

from __future__ import annotations

import gzip
import time
import warnings
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks.common import data_file
from benchmarks.suite.target import at_least
from benchmarks.untuned.part import Part
from tidegate import TextClassifier

SIZES = (100, 300, 1_000, 5_000)
_DRAWS, _TESTED = 5, 1_000

# Texts and labels to draw from, and those to be tested on.
Split = tuple[list[str], list[str], list[str], list[str]]


def measure(data: str | None, draws: int) -> Part:
    """Fit each subset of each set, five draws each.

    Args:
        data: The folder of the data sets.
        draws: Which draws: 0 are those reported.
    """
    rows: list[Mapping[str, str | float | int | None]] = []
    for name, read in SETS.items():
        split = read(data)
        for size in (size for size in SIZES if size <= len(split[0])):
            start = time.perf_counter()
            pairs = [compare(split, size, draws * _DRAWS + draw) for draw in range(_DRAWS)]
            seconds = (time.perf_counter() - start) / _DRAWS
            ours, line = 100 * np.mean(pairs, axis=0)
            found = {"defaults": float(ours), "n-grams": float(line), "seconds a draw": seconds}
            rows.append({"set": name, "rows": size, **found})
            print(f"{name}, {size:,} rows: {ours:.1f} %, n-grams {line:.1f} %", flush=True)
    targets = []
    for size in SIZES:
        some = [row for row in rows if row["rows"] == size]
        ours, line = (float(pd.DataFrame(some)[name].mean()) for name in ("defaults", "n-grams"))
        what = f"accuracy after {size:,} rows, mean of {len(some)} sets; n-grams' the bound"
        targets.append(at_least(what, line, ours, " %"))
    notes = [
        f"Accuracy in percent, mean of {_DRAWS} draws, on at most {_TESTED:,} test texts.",
        "n-grams: scikit-learn's sublinear tf-idf of 1- and 2-grams, logistic regression, C=100.",
    ]
    return Part("Texts: small subsets", rows, targets, notes)


def compare(split: Split, size: int, draw: int) -> tuple[float, float]:
    """Return the accuracy of the defaults, and of the baseline, on one draw of so many rows."""
    texts, labels, tested, truth = split
    chosen = _drawn(labels, size, draw)
    some, known = [texts[row] for row in chosen], [labels[row] for row in chosen]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rare classes, cut texts: a benchmark has nothing to mend
        model = TextClassifier(verbose=False, random_state=draw).fit(some, known)
        ours = float(np.mean(model.predict(tested) == np.array(truth)))
        line = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            LogisticRegression(C=100, max_iter=1_000),
        ).fit(some, known)
    return ours, float(line.score(tested, truth))


def _drawn(labels: list[str], size: int, draw: int) -> list[int]:
    """Rows at random; of classes that came only once, none: no fit could hold one out."""
    rows = np.random.default_rng(draw).permutation(len(labels))[:size].tolist()
    counts = pd.Series([labels[row] for row in rows]).value_counts()
    return [row for row in rows if counts[labels[row]] > 1]


def _official(file: str, label: str) -> Callable[[str | None], Split]:
    def read(data: str | None) -> Split:
        frame = pd.read_parquet(data_file(file, data))
        train, test = frame[frame.split == "train"], frame[frame.split == "test"]
        return (*_columns(train, label), *_columns(_shuffled(test)[:_TESTED], label))

    return read


def _bbc(data: str | None) -> Split:
    frame = _shuffled(pd.read_parquet(data_file("bbc_news_summary.parquet", data)))
    return (*_columns(frame[600:], "category"), *_columns(frame[:600], "category"))


def _sms(data: str | None) -> Split:
    path, names = data_file("sms_spam.tsv.gz", data), ["label", "text"]
    frame = _shuffled(pd.read_csv(path, sep="\t", header=None, names=names, quoting=3))
    return (*_columns(frame[500:], "label"), *_columns(frame[:500], "label"))


def _atis(data: str | None) -> Split:
    def rows(part: str) -> Iterator[tuple[str, str]]:
        with gzip.open(data_file(f"atis.{part}.iob.gz", data), "rt", encoding="utf-8") as file:
            for line in filter(str.strip, file):
                words, tags = line.rstrip("\n").split("\t")
                yield " ".join(words.split()[1:-1]), tags.split()[-1]

    parts = [pd.DataFrame(rows(part), columns=["text", "label"]) for part in ("train", "test")]
    return (*_columns(parts[0], "label"), *_columns(parts[1], "label"))


def _shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    order = np.random.default_rng(0).permutation(len(frame))
    shuffled: pd.DataFrame = frame.iloc[order]
    return shuffled


def _columns(frame: pd.DataFrame, label: str) -> tuple[list[str], list[str]]:
    return frame["text"].tolist(), frame[label].astype(str).tolist()


SETS: dict[str, Callable[[str | None], Split]] = {
    "TREC coarse": _official("trec.parquet", "coarse"),
    "SST-2": _official("sst2.parquet", "label"),
    "SST-5": _official("sst5.parquet", "label"),
    "BBC topics": _bbc,
    "ATIS intents": _atis,
    "SMS": _sms,
}

"""Tagging: names of CoNLL-2003, parts of speech of UD English EWT, and words a second."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import torch

from benchmarks.common import data_file, machine, median_seconds, parser, write
from tidegate.data import read_sentences
from tidegate.tasks.tagging.tagger import Tagger

# Files of the official splits, the score, its target, and settings chosen on the development set.
SETS: dict[str, dict[str, Any]] = {
    "conll2003": {
        "files": ["conll2003.train.txt.gz", "conll2003.testa.txt.gz", "conll2003.testb.txt.gz"],
        "score": "f1",
        "target": 85.0,
        "settings": {"affixes": False, "epochs": 12},
    },
    "ud-ewt": {
        "files": [f"ud_en_ewt.{part}.conllu.gz" for part in ("train", "dev", "test")],
        "score": "accuracy",
        "target": 94.5,
        "settings": {},
    },
}
SPEED = "speed"
SPEED_TARGET = 20_000


def main(arguments: list[str]) -> None:
    """Print a line a seed and set, and write results/tagging.json."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--tasks", nargs="+", choices=[*SETS, SPEED], default=[*SETS, SPEED])
    options.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings")
    chosen = options.parse_args(arguments)
    given = dict(word.split("=", 1) for word in chosen.set)
    known = Tagger.settings_class.options()
    for name in given:
        Tagger.settings_class.check_name(name)
    settings = {name: known[name].parse(text, "Tagger") for name, text in given.items()}
    print(machine(), flush=True)
    path = chosen.out / "tagging.json"
    # The sets that were not asked for keep what was found before.
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found = {name: kept[name] for name in (*SETS, SPEED) if name in kept}
    for name in chosen.tasks:
        if name == SPEED:
            found[name] = speed(chosen.data)
        else:
            found[name] = scores(name, chosen.data, chosen.seeds, SETS[name]["settings"] | settings)
        write(chosen.out, "tagging", found)


def scores(
    name: str, folder: str | None, seeds: list[int], settings: dict[str, Any]
) -> dict[str, Any]:
    """Fit once a seed; the development set alone chooses the epoch, the test set is read once."""
    told = SETS[name]
    train, dev, test = (read_sentences(data_file(file, folder)) for file in told["files"])
    rows = []
    for seed in seeds:
        model = Tagger(random_state=seed, verbose=False, **settings)
        begun, worked = time.perf_counter(), time.process_time()
        model.fit(*train, validation=dev, callbacks=[_tell])
        row = {"seed": seed, "fit_seconds": time.perf_counter() - begun}
        row |= {"fit_cpu_seconds": time.process_time() - worked, "epoch": model.best_epoch_}
        row |= {"dev": 100 * model.metrics_["validation"][told["score"]]}
        report = model.evaluate(*test, report=True)
        rows.append(row | {"test": 100 * report[told["score"]], "report": report["per_class"]})
        print({key: value for key, value in rows[-1].items() if key != "report"}, flush=True)
    means = {part: statistics.mean(row[part] for row in rows) for part in ("dev", "test")}
    print(
        f"{name:<10} {told['score']}: test {means['test']:.2f} (target {told['target']}), "
        f"dev {means['dev']:.2f}, {len(rows)} seeds",
        flush=True,
    )
    facts = {"parameters": model.number_of_parameters, "words": sum(map(len, train[0]))}
    return {"target": told["target"], "settings": settings, **means, **facts, "seeds": rows}


def _tell(event: Any) -> None:
    """Print an epoch's validation scores."""
    if event.kind == "epoch":
        scored = {name: value for name, value in event.row.items() if name != "learning_rate"}
        print({name: round(value, 4) for name, value in scored.items()}, flush=True)


def speed(folder: str | None) -> dict[str, Any]:
    """Words a second of `predict`, texts to spans, by the default network on CoNLL-2003."""
    X, y = read_sentences(data_file("conll2003.testa.txt.gz", folder))
    # How fast it is does not depend on what it learned.
    model = Tagger(epochs=1, verbose=False).fit(X, y, validation=None)
    words = sum(map(len, X))
    found: dict[str, Any] = {"target": SPEED_TARGET, "words": words}
    for threads in sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        rate = words / median_seconds(lambda: model.predict(X), 5)
        found[f"words_per_second_{threads}"] = rate
        print(f"{SPEED:<10} {rate:,.0f} words/s with {threads} threads (target {SPEED_TARGET:,})")
    return found

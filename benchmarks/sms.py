"""SMS spam with default settings: accuracy and spam F1 over five leakage-free 80/20 splits."""

from __future__ import annotations

import statistics
import time

from sklearn.metrics import f1_score

import tidegate
from benchmarks.common import machine, parser, write
from tidegate.data.splits import split_without_overlap


def main(arguments: list[str]) -> None:
    """Print a line a seed and the mean, and write results/sms.json."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    chosen = options.parse_args(arguments)
    print(machine())
    texts, labels = tidegate.datasets.load_sms_spam(return_X_y=True)
    rows = []
    for seed in chosen.seeds:
        train, test = split_without_overlap(texts, labels, test_size=0.2, seed=seed)
        start = time.perf_counter()
        model = tidegate.TextClassifier(random_state=seed, verbose=False)
        model.fit([texts[row] for row in train], [labels[row] for row in train])
        seconds = time.perf_counter() - start
        truth = [labels[row] for row in test]
        answers = model.predict([texts[row] for row in test])
        accuracy = float((answers == truth).mean())
        f1 = float(f1_score(truth, answers, pos_label="spam"))
        rows.append({"seed": seed, "accuracy": accuracy, "spam_f1": f1, "fit_seconds": seconds})
        print(f"seed {seed}: accuracy {accuracy:.4f}, spam F1 {f1:.4f}, {seconds:.0f} s")
    mean = {name: statistics.mean(row[name] for row in rows) for name in ("accuracy", "spam_f1")}
    print(f"mean:   accuracy {mean['accuracy']:.4f}, spam F1 {mean['spam_f1']:.4f}")
    write(chosen.out, "sms", {"mean": mean, "seeds": rows})

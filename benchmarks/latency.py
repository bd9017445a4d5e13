"""One text classified by a loaded model on the CPU: median and 95th percentile milliseconds."""

from __future__ import annotations

import statistics
import tempfile
import time

import tidegate
from benchmarks.common import machine, parser, write


def main(arguments: list[str]) -> None:
    """Train one epoch on the shipped messages, load the model, and time single texts."""
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=300)
    chosen = options.parse_args(arguments)
    print(machine())
    texts, labels = tidegate.datasets.load_sms_spam(return_X_y=True)
    with tempfile.TemporaryDirectory() as folder:
        model = tidegate.TextClassifier(epochs=1, verbose=False).fit(texts, labels)
        model.save(f"{folder}/model")
        loaded = tidegate.load(f"{folder}/model")
    long = " ".join(" ".join(texts[:60]).split()[:300])  # about 400 tokens
    result = {}
    for name, text in {"a message": texts[0], "400 tokens": long}.items():
        times = []
        for _ in range(chosen.repeats):
            start = time.perf_counter()
            loaded.predict([text])
            times.append(1e3 * (time.perf_counter() - start))
        times.sort()
        result[name] = {
            "median_ms": statistics.median(times),
            "p95_ms": times[len(times) * 95 // 100],
        }
        print(f"{name:<12} median {result[name]['median_ms']:.2f} ms, ", end="")
        print(f"95 % within {result[name]['p95_ms']:.2f} ms")
    write(chosen.out, "latency", {"results": result})

"""IMDb, the LSTM alone: test accuracy in float32 and in bfloat16, mean of three seeds."""

from __future__ import annotations

import statistics
import time

import tidegate
from benchmarks.common import data_file, machine, parser, write
from tidegate.data import read_table

PRECISIONS = ("float32", "bfloat16")


def main(arguments: list[str]) -> None:
    """Print a line a seed and the means, and write results/precision.json."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--hidden-size", type=int, default=64)
    chosen = options.parse_args(arguments)
    print(machine())
    table = read_table(data_file("imdb.parquet", chosen.data), columns=["text", "label", "split"])
    train, test = (table[table["split"] == part] for part in ("train", "test"))
    rows = []
    for seed in chosen.seeds:
        for precision in PRECISIONS:
            # Without the linear part, which hides what the layer does.
            model = tidegate.TextClassifier(
                hidden_size=chosen.hidden_size,
                wide=0.0,
                layer_options={"precision": precision},
                random_state=seed,
                verbose=False,
            )
            start = time.perf_counter()
            model.fit(train["text"], train["label"])
            seconds = time.perf_counter() - start
            accuracy = model.score(test["text"], test["label"])
            row = {"seed": seed, "precision": precision, "accuracy": accuracy, "seconds": seconds}
            rows.append(row)
            print(f"seed {seed}, {precision}: {accuracy:.4f}, {seconds:.0f} s", flush=True)
    means = {
        precision: statistics.mean(r["accuracy"] for r in rows if r["precision"] == precision)
        for precision in PRECISIONS
    }
    points = 100 * (means["bfloat16"] - means["float32"])
    print(", ".join(f"{name} {mean:.4f}" for name, mean in means.items()), end="")
    print(f": bfloat16 is {points:+.2f} points off")
    settings = {"hidden_size": chosen.hidden_size, "wide": 0.0}
    write(chosen.out, "precision", {"settings": settings, "means": means, "runs": rows})

"""How long 50,000 film reviews take to become ids, fitting the vocabulary included.

The reviews are those of imdb.parquet (Maas et al. 2011), train and test together. Seconds by the
clock depend on what else the machine does; seconds of processor time do so much less.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.common import data_file, machine, parser, write
from tidegate.data import TextEncoder, read_table

COLUMNS = ("ngrams", "fit_s", "encode_s", "total_s", "cpu_s", "tokens", "words", "ngram_ids")


def measure(texts: list[str], ngrams: int) -> dict[str, Any]:
    """Fit and encode once."""
    processor = time.process_time()
    clock = [time.perf_counter()]
    encoder = TextEncoder(ngrams=ngrams, max_length=2**31 - 3).fit(texts)
    clock.append(time.perf_counter())
    encoded = encoder.encode(texts)
    clock.append(time.perf_counter())
    return {
        "ngrams": ngrams,
        "fit_s": round(clock[1] - clock[0], 2),
        "encode_s": round(clock[2] - clock[1], 2),
        "total_s": round(clock[2] - clock[0], 2),
        "cpu_s": round(time.process_time() - processor, 2),
        "tokens": len(encoded.ids),
        "words": encoder.size,
        "ngram_ids": encoder.ngram_size,
    }


def main(arguments: list[str]) -> None:
    """Print a line for each repeat, and keep them."""
    options = parser(__doc__)
    options.add_argument("--ngrams", type=int, nargs="+", default=[1, 3], help="largest n")
    options.add_argument("--repeats", type=int, default=3)
    chosen = options.parse_args(arguments)
    table = read_table(data_file("imdb.parquet", chosen.data), columns=["text"])
    texts = table["text"].tolist()
    print(machine())
    print(f"{len(texts):,} reviews, {sum(map(len, texts)):,} characters")
    print(" ".join(f"{name:>11}" for name in COLUMNS))
    results = []
    for ngrams in chosen.ngrams:
        for _ in range(chosen.repeats):
            results.append(measure(texts, ngrams))
            print(" ".join(f"{results[-1][name]:>11,}" for name in COLUMNS), flush=True)
    write(chosen.out, "encode", {"reviews": len(texts), "results": results})

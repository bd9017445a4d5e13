"""See inside a model of your own: its gates, its memory, and what other initial weights would do.

python examples/inside.py --out pictures/
python examples/inside.py --model tidegate-demo/spam/model --out pictures/
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

import tidegate
from tidegate.explain import memory, plot_gates, plot_memories
from tidegate.nn import LSTM

MESSAGE = "Sorry, I'll be late. You have WON a free prize! Call now to claim. See you at home"


def main() -> None:
    """Train or load, look inside, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a saved text classifier; default: train one on messages")
    parser.add_argument("--epochs", type=int, default=5, help="of that training; default 5")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    texts, labels = tidegate.datasets.load_sms_spam(return_X_y=True)
    if options.model:
        model = tidegate.load(options.model)
    else:
        model = tidegate.TextClassifier(
            hidden_size=32, ngrams=1, wide=0.0, epochs=options.epochs, random_state=0
        ).fit(texts, labels)

    # The gates while it reads one message.
    trace = model.trace([MESSAGE])
    print(trace)
    plot_gates(trace).savefig(options.out / "inside_gates.png", dpi=110)

    # The memory, over the longest messages.
    longest = sorted(texts, key=len)[-100:]
    trained = memory(model.trace(longest, gates="forget"))
    print(f"trained:\n{trained}")
    trained.plot().savefig(options.out / "inside_memory.png", dpi=110)

    # What fresh layers would remember of the same words.
    network = model.network_
    batch = model.encoder_.encode(longest).batch(range(100))
    with torch.no_grad():
        vectors = network.embed(batch)
    memories = {"this model, trained": trained}
    for name, start in {
        "fresh, as in PyTorch": {},
        "fresh, forget_bias=1": {"forget_bias": 1.0},
        "fresh, chrono, max_lag=100": {"init": "chrono", "max_lag": 100},
    }.items():
        torch.manual_seed(0)
        layer = LSTM(vectors.shape[-1], network.recurrent.hidden_size, batch_first=True, **start)
        memories[name] = memory(layer.trace(vectors, lengths=batch.lengths))
        print(f"{name}:\n{memories[name]}")
    plot_memories(memories).savefig(options.out / "inside_chrono.png", dpi=110)


if __name__ == "__main__":
    main()

"""See inside an LSTM: train on the shipped messages, then draw its gates under one of them.

    python examples/gates.py --out gates.png

Every gate comes from the same pass that answers, by `model.trace`.
"""

from __future__ import annotations

import argparse

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import tidegate

MESSAGE = "Sorry, I'll be late. You have WON a free prize! Call now to claim. See you at home"


def main() -> None:
    """Train, look inside, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="gates.png", help="the picture; default gates.png")
    parser.add_argument("--epochs", type=int, default=5, help="default 5")
    options = parser.parse_args()

    texts, labels = tidegate.datasets.load_sms_spam(return_X_y=True)
    model = tidegate.TextClassifier(
        hidden_size=24, bidirectional=False, pooling="last", wide=0.0, epochs=options.epochs
    ).fit(texts, labels)
    spam = model.predict_proba([MESSAGE])[0, list(model.classes_).index("spam")]

    trace = model.trace([MESSAGE])
    tokens = trace.labels[0]
    gates = trace.gates | {"cell": trace.cell}
    # Units ordered by how much their memory changes, the liveliest on top.
    order = trace.cell[0, 0].std(0).argsort(descending=True)
    rows = {"input": (0, 1), "forget": (0, 1), "output": (0, 1), "cell": (-1.5, 1.5)}
    figure, axes = plt.subplots(len(rows), 1, figsize=(10, 7), sharex=True, layout="constrained")
    for axis, (name, (low, high)) in zip(axes, rows.items(), strict=True):
        colours = "cividis" if name != "cell" else "PuOr"
        picture = gates[name][0, 0].T[order]
        image = axis.imshow(picture, aspect="auto", cmap=colours, vmin=low, vmax=high)
        axis.set_ylabel(f"{name}\n{len(order)} units")
        axis.set_yticks([])
        figure.colorbar(image, ax=axis, pad=0.01)
    axes[0].set_title(f"The gates of an LSTM reading a message (spam: {spam:.0%})")
    axes[-1].set_xticks(range(len(tokens)), tokens, rotation=60, ha="right")
    figure.savefig(options.out, dpi=110)
    print(f"spam {spam:.1%}; written: {options.out}")


if __name__ == "__main__":
    main()

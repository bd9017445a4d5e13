"""Why did it answer so, which unit follows what, and what if: asked of a spam filter.

python examples/why.py --out pictures/
python examples/why.py --model tidegate-demo/spam/model --out pictures/
"""

from __future__ import annotations

import argparse
from pathlib import Path

import tidegate
from tidegate.explain import StateChange

MESSAGE = "Sorry, I'll be late. You have WON a free prize! Call now to claim. See you at home"


def main() -> None:
    """Train or load, ask, draw."""
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

    # Why: what each word gave to the score of spam, in three ways.
    for method in ("integrated gradients", "occlusion", "gates"):
        found = model.attribute([MESSAGE], target="spam", method=method)
        total, gap = float(found.scores.sum()), float(found.gap)
        change = float(found.output - found.baseline)
        print(f"{method}: the words give {total:+.3f} of {change:+.3f}, {gap:+.5f} is left")
    why = model.attribute([MESSAGE], target="spam")
    why.plot().savefig(options.out / "inside_why.png", dpi=110)
    print(why.to_frame().nlargest(5, "score").to_string(index=False))

    # Which unit follows numbers: one half of the messages ranks, the other one judges.
    messages = texts[:1000]
    search = model.units(messages, "number")
    print(search.to_frame().head(5).round(3).to_string(index=False))
    search.plot().savefig(options.out / "inside_units.png", dpi=110)
    best = search.to_frame().iloc[0]
    places = model.contexts(messages, int(best["unit"]), row=best["row"])
    places.plot().savefig(options.out / "inside_contexts.png", dpi=110)

    # What if: another word, and a memory wiped out in the middle.
    tokens = list(model.trace([MESSAGE]).labels[0])
    changed = model.what_if(MESSAGE, steps={tokens.index("won"): "lost"})
    print(changed.change, changed.to_frame().round(3).to_string(index=False), sep="\n")
    changed.plot().savefig(options.out / "inside_what_if.png", dpi=110)
    wiped = StateChange(step=tokens.index("claim"), state="cell")
    changed = model.what_if(MESSAGE, state=wiped)
    print(changed.change, changed.to_frame().round(3).to_string(index=False), sep="\n")


if __name__ == "__main__":
    main()

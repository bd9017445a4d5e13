"""Which unit of a character model follows the line, and which one knows who speaks?

tidegate demo write
python examples/character_units.py --model tidegate-demo/model --out pictures/
"""

from __future__ import annotations

import argparse
from pathlib import Path

import tidegate

# A name or a regular expression, and what the pictures are called.
PATTERNS = {"line": "far into a line", "speaker": r"(?m)^[A-Z][A-Za-z ]+:$"}
ROWS, STEPS = 40, 400  # pieces of text that are read, and characters of each


def main() -> None:
    """Train or load, search, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a saved character model; default: train one")
    parser.add_argument("--epochs", type=int, default=1, help="of that training; default 1")
    parser.add_argument("--text", type=Path, help="a text it has not learned; default Shakespeare")
    parser.add_argument("--pattern", help="a name or a regular expression; default: two of them")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    text = tidegate.datasets.load_tiny_shakespeare()
    if options.model:
        model = tidegate.load(options.model)
    else:
        model = tidegate.LanguageModel(num_layers=1, epochs=options.epochs, dropout=0.2).fit(text)
    # What was held out: a unit must follow the pattern where nothing was learned by heart.
    held_out = (
        options.text.read_text(encoding="utf-8") if options.text else text[-len(text) // 10 :]
    )
    rows = [held_out[start : start + STEPS] for start in range(0, len(held_out), STEPS)]
    every = max(1, len(rows) // ROWS)

    patterns = {"pattern": options.pattern} if options.pattern else PATTERNS
    for name, pattern in patterns.items():
        # One half of the pieces ranks the units by their memory, the other one judges.
        search = model.units(rows[::every][:ROWS], pattern, signal="cell")
        print(f"{pattern}\n{search.to_frame().head(5).round(3).to_string(index=False)}\n")
        search.plot().savefig(options.out / f"characters_{name}.png", dpi=110)
        best = search.to_frame().iloc[0]
        unit, row = int(best["unit"]), best["row"]
        places = model.contexts(rows[::every][:ROWS], unit, row=row, signal="cell")
        places.plot().savefig(options.out / f"characters_{name}_contexts.png", dpi=110)


if __name__ == "__main__":
    main()

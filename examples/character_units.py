"""Which unit of a character model follows the line, and which one knows who speaks?

tidegate demo write
python examples/character_units.py --model tidegate-demo/write/model --out pictures/
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import tidegate
from tidegate.data.language.documents import Document
from tidegate.errors import InputError, message
from tidegate.explain import mark

# A name or a regular expression, and what the pictures are called.
PATTERNS = {"line": "far into a line", "speaker": r"(?m)^[A-Z][A-Za-z ]+:$"}
ROWS, STEPS = 40, 400  # pieces of text that are read, and characters of each


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="a saved character model; default: train one")
    parser.add_argument("--epochs", type=int, default=1, help="of that training; default 1")
    parser.add_argument("--text", type=Path, help="a text it has not learned; default Shakespeare")
    parser.add_argument("--pattern", help="a name or a regular expression; default: two of them")
    parser.add_argument("--out", type=Path, default=Path(), help="folder of the pictures")
    return parser.parse_args()


def get_model(folder: str | None, text: str, epochs: int) -> tidegate.LanguageModel:
    """Load a model of characters, or train one."""
    if folder is None:
        model = tidegate.LanguageModel(num_layers=1, epochs=epochs, dropout=0.2)
        return model.fit(text)
    loaded = tidegate.load(folder)
    level = loaded.level if isinstance(loaded, tidegate.LanguageModel) else None
    if level != "char":
        got = type(loaded).__name__ + (f" of level {level!r}" if level else "")
        remedy = "Make one: tidegate fit language-model"
        raise InputError(message(folder, "model", "a LanguageModel of characters", got, remedy))
    return loaded


def search(model: tidegate.LanguageModel, rows: list[str], pattern: str) -> tuple[Any, Any]:
    """Find the units that follow a pattern, and the places that drive the best one."""
    print(pattern, flush=True)
    # One half of the pieces ranks the units by their memory, the other one judges.
    found = model.units(rows, pattern, signal="cell")
    print(f"{found.to_frame().head(5).round(3).to_string(index=False)}\n")
    best = found.to_frame().iloc[0]
    return found, model.contexts(rows, int(best["unit"]), row=best["row"], signal="cell")


def run(options: argparse.Namespace) -> None:
    """Train or load, search, draw."""
    if options.out.exists() and not options.out.is_dir():
        raise InputError(message("character_units", "out", "a folder", options.out))
    text = tidegate.datasets.load_tiny_shakespeare()
    # What was held out: a unit must follow the pattern where nothing was learned by heart.
    unseen = Document(options.text) if options.text else Document(text, first=len(text) * 9 // 10)
    held_out = "".join(unseen.blocks()).replace("\r\n", "\n")
    pieces = [held_out[start : start + STEPS] for start in range(0, len(held_out), STEPS)]
    rows = pieces[:: max(1, len(pieces) // ROWS)][:ROWS]
    patterns = PATTERNS if options.pattern is None else {"pattern": options.pattern}
    for pattern in patterns.values():
        mark(rows, pattern)  # a wrong one shall not cost a training

    model = get_model(options.model, text, options.epochs)
    # Nothing is written before all is found.
    found = {name: search(model, rows, pattern) for name, pattern in patterns.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    for name, (units, places) in found.items():
        units.plot().savefig(options.out / f"characters_{name}.png", dpi=110)
        places.plot().savefig(options.out / f"characters_{name}_contexts.png", dpi=110)


def main() -> None:
    """Run, and tell in one line what is wrong with the input."""
    try:
        run(read_arguments())
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

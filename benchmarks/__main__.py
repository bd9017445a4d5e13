"""Run a benchmark: `python -m benchmarks [NAME] [--data DIR] ...`; `list` names them all.

Without a name, and with nothing but options, it is `kernels`.
"""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

from tidegate.errors import InputError, message, suggest

HERE = Path(__file__).parent
HELPERS = {"__init__", "__main__", "common"}
DEFAULT = "kernels"


def names() -> list[str]:
    """Every module here that is a benchmark."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in HELPERS)


def headline(name: str) -> str:
    """The first line of a benchmark's docstring, read without importing it."""
    docstring = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8")))
    return (docstring or "").splitlines()[0]


def main() -> None:
    """Run the benchmark named first on the command line with the rest of it."""
    for stream in (sys.stdout, sys.stderr):
        # Tables hold × and ≥, which a terminal without UTF-8 cannot show.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    words = sys.argv[1:]
    if words[:1] == ["list"]:
        for name in names():
            print(f"python -m benchmarks {name:<10} {headline(name)}")
        return
    name, *rest = words if words and not words[0].startswith("-") else [DEFAULT, *words]
    try:
        if name not in names():
            rule = "the name of a benchmark"
            raise InputError(message("benchmarks", "NAME", rule, name, suggest(name, names())))
        importlib.import_module(f"benchmarks.{name}").main(rest)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


main()

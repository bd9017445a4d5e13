"""Write docs/cli.md from the `--help` of `tidegate` and of every command below it.

Run it as `python docs/generate_cli.py`; a test compares the committed page with a fresh one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

PAGE = Path(__file__).with_name("cli.md")

INTRODUCTION = """# Command line

This page is what `--help` says, written by `docs/generate_cli.py`.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | the program failed |
| 2 | the input is wrong; one line says what, where, and what to do about it |
| 130 | stopped by Ctrl-C |
"""

# The same page on every terminal and every system.
PLAIN = {
    "COLUMNS": "100",
    "TERMINAL_WIDTH": "100",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PYTHONUTF8": "1",
}


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words that lead to a command and to every command below it."""
    yield path
    if hasattr(command, "list_commands"):
        context = command.make_context(" ".join(path), [], resilient_parsing=True)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


def help_of(path: tuple[str, ...]) -> str:
    """What `tidegate WORDS --help` prints, without the blanks that fill its lines."""
    from tidegate.cli import app

    done = CliRunner().invoke(app, [*path, "--help"], prog_name="tidegate", env=PLAIN)
    if done.exit_code:
        raise RuntimeError(f"tidegate {' '.join(path)} --help failed: {done.output}")
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").split("\n"))


def page() -> str:
    """The whole page."""
    from tidegate.cli import app

    sections = [INTRODUCTION]
    for path in commands(get_command(app)):
        words = " ".join(("tidegate", *path))
        sections.append(f"## {words}\n\n```text\n{help_of(path)}\n```\n")
    return "\n".join(sections)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")

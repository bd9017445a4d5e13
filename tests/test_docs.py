"""What the documentation says is true: its code runs, and the generated page is up to date."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import tidegate
from docs import generate_cli

ROOT = Path(__file__).parents[1]
PAGES = sorted(ROOT.glob("docs/*.md"))
MODULES = sorted(
    found.name
    for found in pkgutil.walk_packages(tidegate.__path__, "tidegate.")
    if "libtidegate" not in found.name  # the native library is no module of Python's
)

FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def python_blocks(page: Path) -> str:
    """All Python blocks of a page as one program, each on the line where it stands."""
    text = page.read_text(encoding="utf-8")
    program = ""
    for block in FENCE.finditer(text):
        line = text.count("\n", 0, block.start(1))
        program += "\n" * (line - program.count("\n")) + block.group(1)
    return program


def test_the_cli_page_is_what_help_says_today():
    assert generate_cli.PAGE.read_text(encoding="utf-8") == generate_cli.page(), (
        "run python docs/generate_cli.py and commit docs/cli.md"
    )


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


@pytest.mark.parametrize(
    "page", [page for page in PAGES if python_blocks(page)], ids=lambda page: page.stem
)
def test_the_code_on_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(python_blocks(page), str(page), "exec"), {"__name__": "page"})

"""What the documentation says is true: its code runs, and the generated page is up to date."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import tidegate
from docs import generate_benchmarks, generate_cli
from tidegate.cli import app

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted(ROOT.glob("docs/*.md"))]
MODULES = sorted(
    found.name
    for found in pkgutil.walk_packages(tidegate.__path__, "tidegate.")
    if "libtidegate" not in found.name  # the native library is no module of Python's
)

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Alone, behind a pipe, or as `tidegate …` in a line or a table; there only if it is whole.
COMMAND = re.compile(r"(?:^|\| )tidegate (.*?)(?= \| |$)", re.MULTILINE)
INLINE = re.compile(r"`tidegate ([^`]* --out [^`]*)`")


def python_blocks(page: Path) -> str:
    """All Python blocks of a page as one program, each on the line where it stands."""
    text = page.read_text(encoding="utf-8")
    program = ""
    for block in FENCE.finditer(text):
        if block[1] == "python":
            line = text.count("\n", 0, block.start(2))
            program += "\n" * (line - program.count("\n")) + block[2]
    return program


def commands(page: Path) -> Iterator[str]:
    """What a page tells readers to type after `tidegate`."""
    text = page.read_text(encoding="utf-8")
    for language, block in FENCE.findall(text):
        if not language:
            yield from COMMAND.findall(block)
    yield from INLINE.findall(text)


def parse(words: list[str]) -> None:
    """Parse a command line as the program does, and run nothing."""
    command, name = get_command(app), "tidegate"
    while hasattr(command, "list_commands"):
        context = command.make_context(name, [], resilient_parsing=True)
        name, *words = words
        command = command.get_command(context, name)
    command.make_context(name, words)


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


@pytest.mark.parametrize(
    ("page", "command"),
    [(page, command) for page in PAGES if page != generate_cli.PAGE for command in commands(page)],
    ids=lambda value: value.stem if isinstance(value, Path) else value,
)
def test_a_command_on_a_page_is_one_that_tidegate_takes(page, command):
    parse(shlex.split(command, comments=True))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_programs_that_a_page_names_are_there(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"python -m benchmarks (\w+)", text):
        assert name == "list" or (ROOT / "benchmarks" / f"{name}.py").is_file(), name
    for path in re.findall(r"python ((?:examples|docs)/\w+\.py)", text):
        assert (ROOT / path).is_file(), path
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


# ------------------------------------------------------------------ the front door


def test_the_readme_can_be_read_in_one_sitting():
    text = README.read_text(encoding="utf-8")
    (program,) = (block for language, block in FENCE.findall(text) if language == "python")
    assert text.count("\n") <= 120
    assert program.count("\n") <= 15


def test_what_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


# ------------------------------------------------------------------ figures


def test_the_benchmarks_page_is_what_the_result_files_say():
    assert generate_benchmarks.PAGE.read_text(encoding="utf-8") == generate_benchmarks.page(), (
        "run python -m docs.generate_benchmarks and commit docs/benchmarks.md"
    )


def test_the_figures_of_the_readme_are_what_the_result_files_say():
    assert README.read_text(encoding="utf-8") == generate_benchmarks.readme(), (
        "run python -m docs.generate_benchmarks and commit README.md"
    )


def test_a_new_measurement_changes_the_page_and_the_readme(monkeypatch):
    measured: dict[str, Any] = json.loads(json.dumps(generate_benchmarks.results()))
    measured["imdb"]["metrics"]["test"]["accuracy"] = 0.1234
    monkeypatch.setattr(generate_benchmarks, "results", lambda: measured)
    assert "0.1234" in generate_benchmarks.page()
    assert "accuracy 0.1234" in generate_benchmarks.readme()


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [(13618.29, 3, "13,600"), (0.9856, 2, "0.99"), (28.43, 2, "28"), (1.0, 2, "1.0")],
)
def test_figures_are_rounded_to_their_digits(value, digits, written):
    assert generate_benchmarks.significant(value, digits) == written

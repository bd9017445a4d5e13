"""What the code imports is what pyproject.toml declares, so that no library is there by chance."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"tidegate", "tests", "benchmarks", "examples", "docs"}


def declared(name: str) -> set[str]:
    """The distributions in a list of pyproject.toml, by its layout: Python 3.10 reads no TOML."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^{name} = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    return set(re.findall(r'"([\w-]+)', found))


def imported(paths: Iterable[Path]) -> dict[str, str]:
    """The packages of others that files import, and one of the files, imports in functions too."""
    found = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [str(node.module)]
            else:
                continue
            found |= {name.partition(".")[0]: path.name for name in names}
    return {n: p for n, p in found.items() if n not in OURS | sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("folders", "lists"),
    [(["src"], ["dependencies"]), (["tests", "examples"], ["dependencies", "dev"])],
    ids=["package", "tests"],
)
def test_every_import_is_declared(folders, lists):
    allowed = set().union(*map(declared, lists))
    names = imported(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    owners = packages_distributions()
    missing = {
        name: path for name, path in names.items() if not allowed & {*owners.get(name, ()), name}
    }
    assert not missing

"""The shape of the house: who imports whom, how long files get, what is public, what is light."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import tidegate
from tidegate import tasks

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "tidegate"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# A module imports only from the lines above its own; modules on one line are strangers. The longest
# name that fits a module says its line: `tasks.core.task` stands on that of `tasks.core`.
LEVELS = (
    ("errors",),
    ("batch", "cells", "device", "files", "folders", "terminal", "waiting"),
    ("kernels", "datasets", "data", "free_memory"),
    ("decode",),
    ("nn",),
    ("training", "explain.shown"),
    (
        "heads",
        "artifact",
        "explain.figures",
        "explain.labels",
        "explain.network",
        "explain.signals",
    ),
    ("explain.text_plots",),
    ("explain.attribution", "explain.memory"),
    ("explain.units",),
    ("explain.doctor", "explain.report"),
    ("explain",),
    ("card",),
    ("tasks.core",),
    ("tasks.registry",),
    ("tasks",),
    (
        "tasks.anomaly",
        "tasks.forecast",
        "tasks.language",
        "tasks.sequence",
        "tasks.tagging",
        "tasks.text",
    ),
    ("bench", "demo"),
    ("cli",),
    ("__init__", "__main__"),
)
LEVEL = {unit: level for level, units in enumerate(LEVELS) for unit in units}

# A reader who looks for something chooses between so many modules of a folder, not more.
MOST_MODULES = 13
CROWDED: set[str] = set()

# The equations of a cell and the layer that runs them, which torch.nn gives the same name.
TWINS = {"GRU", "LSTM", "RNN"}
# Modules without a test file of their own: names for types, which only a type checker reads.
UNMIRRORED = {
    "tasks/core": {"raw"},
}

# Python and operating-system start-up must not pay for these: they load when they are used.
HEAVY = ("torch", "numpy", "pandas", "pyarrow", "sklearn", "tokenizers", "matplotlib", "scipy")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def unit_of(dotted: str) -> str:
    """The longest name in the table that a dotted name belongs to: tidegate.nn.cell -> nn."""
    parts = dotted.split(".")[1:]
    for count in range(len(parts), 0, -1):
        if (name := ".".join(parts[:count])) in LEVEL:
            return name
    return parts[0] if parts else "__init__"


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def absolute(node: ast.ImportFrom, path: Path) -> str:
    """The absolute dotted name that `from X import ...` in `path` reads from."""
    if not node.level:
        return node.module or ""
    package = path.relative_to(PACKAGE.parent).parts[:-1]
    base = package[: len(package) - node.level + 1]
    return ".".join((*base, node.module)) if node.module else ".".join(base)


def imported_modules(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line number and dotted name of every module of tidegate that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "tidegate":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            name = absolute(node, path)
            if name == "tidegate" or name.startswith("tidegate."):
                for alias in node.names:
                    whole = f"{name}.{alias.name}"
                    yield node.lineno, whole if is_module(whole) else name


@functools.cache
def is_module(dotted: str) -> bool:
    """Whether a dotted name is a module or a package of tidegate, and not a name in one."""
    place = PACKAGE.parent.joinpath(*dotted.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def misdirected(path: Path, tree: ast.Module) -> list[str]:
    """The imports of a file that go up the table or sideways in it."""
    home = unit_of(module_name(path))
    return [
        f"{shown(path)}:{line} {home} imports {name}"
        for line, name in imported_modules(path, tree)
        if (unit := unit_of(name)) != home and LEVEL.get(unit, len(LEVELS)) >= LEVEL.get(home, -1)
    ]


@functools.cache
def import_graph() -> dict[str, set[str]]:
    """Which modules of tidegate each one imports: for types, and inside functions, as well."""
    return {
        module_name(path): {name for _, name in imported_modules(path, parsed(path))}
        for path in SOURCES
    }


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """The sets of modules that reach each other, and those that import themselves.

    What imports nothing that is left is in no circle; nor is what nothing that is left imports.
    """
    left = {name: imports & graph.keys() for name, imports in graph.items()}
    while free := {name for name, imports in left.items() if not imports} | (
        left.keys() - set().union(*left.values())
    ):
        left = {name: imports - free for name, imports in left.items() if name not in free}
    reached = {name: reachable(name, left) for name in left}
    found: list[set[str]] = []
    for name in sorted(left):
        circle = {other for other in reached[name] if name in reached[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    """All that a module imports, directly or through others."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - seen
        seen |= new
        waiting += new
    return seen


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(node: Function) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def body_length(node: Function) -> int:
    """Lines of a function without its docstring, which is for the reader and may be long."""
    first = node.body[0]
    documented = ast.get_docstring(node) is not None and first.end_lineno is not None
    return length(node) - (first.end_lineno - first.lineno + 1 if documented else 0)


def file_length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def undocumented(node: ast.AST, name: str) -> Iterator[str]:
    """Yield what is public and has no docstring, in a module or class and its public classes."""
    if ast.get_docstring(node) is None:
        yield name
    for child in getattr(node, "body", []):
        if not isinstance(child, ast.ClassDef | Function) or child.name.startswith("_"):
            continue
        where = f"{name}.{child.name}"
        if isinstance(child, ast.ClassDef):
            yield from undocumented(child, where)
        elif not inherits_docstring(child) and ast.get_docstring(child) is None:
            yield where


def inherits_docstring(node: Function) -> bool:
    """Overloads and property setters: their docstring stands on the function they belong to."""
    marks = {ast.unparse(mark).split(".")[-1] for mark in node.decorator_list}
    return bool(marks & {"overload", "setter", "deleter"})


def test_every_module_stands_in_the_table():
    homeless = {unit_of(module_name(path)) for path in SOURCES} - set(LEVEL)
    assert not homeless, f"give {sorted(homeless)} a line in LEVELS and in the design"


def test_imports_point_up_the_table():
    wrong = [fault for path in SOURCES for fault in misdirected(path, parsed(path))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("file", "line", "allowed"),
    [
        ("nn/recurrent.py", "from tidegate.kernels import run_sequence", True),
        ("nn/recurrent.py", "from .init import reset", True),
        ("nn/recurrent.py", "from ..errors import InputError", True),
        ("kernels/aten.py", "from tidegate.nn import LSTM", False),
        ("kernels/aten.py", "import tidegate.data.text.encoder", False),
        ("heads/classify.py", "from ..artifact import Artifact", False),
        ("tasks/text/network.py", "from tidegate.tasks.language.model import LanguageModel", False),
        (
            "tasks/text/network.py",
            "from tidegate.tasks.core.settings.settings import Settings",
            True,
        ),
        ("tasks/core/task.py", "from tidegate.tasks.registry import get", False),
        ("tasks/core/task.py", "from tidegate import TextClassifier", False),
        ("tasks/core/task.py", "from tidegate import training", True),
        ("nn/recurrent.py", "def late():\n    from tidegate.tasks import get", False),
        ("cells/lstm.py", "import torch", True),
    ],
)
def test_the_import_check_sees_what_it_should(file, line, allowed):
    faults = misdirected(PACKAGE / file, ast.parse(line))
    assert (not faults) == allowed


def test_no_imports_go_in_a_circle():
    found = circles(import_graph())
    assert not found, "\n".join(" <-> ".join(sorted(circle)) for circle in found)


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": set()}, [{"a", "b"}]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}}, ["abc", "de"]),
        ({"a": {"a"}}, ["a"]),
        ({"a": {"b"}, "b": {"torch"}}, []),
    ],
)
def test_the_search_for_circles_finds_what_it_should(graph, expected):
    assert circles(graph) == [set(circle) for circle in expected]


def test_no_folder_holds_more_modules_than_a_reader_can_choose_between():
    counts = Counter(path.parent for path in SOURCES if not path.name.startswith("__"))
    crowded = {shown(folder): count for folder, count in counts.items() if count > MOST_MODULES}
    assert crowded.keys() <= CROWDED, crowded


def test_every_module_has_its_tests_at_the_same_place():
    missing = []
    for path in SOURCES:
        folder = path.parent.relative_to(PACKAGE).as_posix()
        tests = ROOT / "tests" / folder / f"test_{path.name}"
        listed = path.stem in UNMIRRORED.get(folder, ())
        if not path.name.startswith("__") and not listed and not tests.is_file():
            missing.append(shown(tests))
    assert not missing, "\n".join(missing)


def test_a_class_name_is_taken_once():
    places: dict[str, list[str]] = {}
    for path in SOURCES:
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(shown(path))
    twins = {name: where for name, where in places.items() if len(where) > 1}
    assert {name: where for name, where in twins.items() if name not in TWINS} == {}


def test_the_command_line_asks_no_task_its_name():
    """It is told by the task itself what it reads, how it answers and which commands it has."""
    families = {f"tidegate.{unit}" for unit in LEVEL if unit.startswith("tasks.")}
    families -= {"tidegate.tasks.core", "tidegate.tasks.registry"}
    names = [tasks.get(name).__name__ for name in tasks.names()] + tasks.names()
    for path in (PACKAGE / "cli").rglob("*.py"):
        known = [name for _, name in imported_modules(path, parsed(path))]
        assert not [name for name in known if any(name.startswith(f) for f in families)], path
        texts = {node.value for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant)}
        assert not [name for name in names if name in texts], path


def test_no_file_is_longer_than_400_lines():
    long = {shown(path): n for path in SOURCES if (n := file_length(path)) > 400}
    assert not long


def test_no_function_is_longer_than_60_lines():
    long = [
        f"{shown(path)}:{node.lineno} {node.name} {length(node)}"
        for path in SOURCES
        for node in functions(parsed(path))
        if length(node) > 60
    ]
    assert not long, "\n".join(long)


def test_medians_of_files_and_functions():
    files = [file_length(path) for path in SOURCES]
    bodies = [body_length(node) for path in SOURCES for node in functions(parsed(path))]
    assert statistics.median(files) <= 200
    assert statistics.median(bodies) <= 15


def test_folders_are_at_most_three_deep():
    deep = [
        shown(path)
        for path in PACKAGE.rglob("*")
        if path.is_dir() and path.name != "__pycache__" and len(path.relative_to(PACKAGE).parts) > 3
    ]
    assert not deep


def test_everything_public_has_a_docstring():
    missing = [name for path in SOURCES for name in undocumented(parsed(path), module_name(path))]
    assert not missing, "\n".join(missing)


def test_all_of_tidegate_resolves_and_nothing_else_is_public():
    for name in tidegate.__all__:
        assert getattr(tidegate, name) is not None
    assert dir(tidegate) == sorted(set(tidegate.__all__))


def test_type_checkers_see_the_names_that_resolve():
    tree = parsed(PACKAGE / "__init__.py")
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname or alias.name for node in guarded.body for alias in node.names}
    assert seen == set(tidegate.__all__) - {"__version__"}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = tidegate.no_such_name


def offered_names(path: Path, tree: ast.Module) -> set[str]:
    """Public names that a package's `__init__` defines, or imports from its own modules unused."""
    inside = module_name(path) + "."
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and absolute(node, path).startswith(inside):
            names |= {alias.asname or alias.name for alias in node.names} - used
        elif isinstance(node, ast.ClassDef | Function):
            names.add(node.name)
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*/__init__.py")), ids=lambda p: p.parent.name)
def test_all_of_a_package_is_what_it_offers(path):
    module = importlib.import_module(module_name(path))
    listed = getattr(module, "__all__", [])  # a room that offers nothing itself lists nothing
    assert offered_names(path, parsed(path)) <= set(listed)
    assert all(hasattr(module, name) for name in listed)


def loaded_after(statement: str) -> set[str]:
    """Which heavy libraries a fresh interpreter holds after `statement`."""
    code = f"import sys\n{statement}\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_tidegate_loads_nothing_heavy():
    assert loaded_after("import tidegate") == set()


def test_importing_the_command_line_loads_nothing_heavy():
    assert loaded_after("import tidegate.cli") == set()


# ------------------------------------------------------------------ leakage

TEXT_SUFFIXES = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".cfg", ".json", ".cff", ""}
FOLDERS = ("src", "tests", "docs", "benchmarks", "examples", "native", ".github", ".ci")

# Written in pieces so that this file does not match itself.
MACHINE_PATHS = r"(?<![\w.])/(?:wo" + r"rk|fa" + r"rm|ro" + r"ot)/"
REGISTRIES = (
    r"py" + r"pi\.org|pythonho" + r"sted|download\.py" + r"torch|--(?:extra-)?in" + r"dex-url"
)
LEAK = re.compile(f"{MACHINE_PATHS}|{REGISTRIES}")


def project_texts() -> Iterator[Path]:
    # In a git worktree .git is a file, and names the folder of the repository.
    candidates = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]
    for folder in FOLDERS:
        candidates += (ROOT / folder).rglob("*")
    for path in candidates:
        if path.is_file() and path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts:
            yield path


def test_no_machine_path_and_no_registry_host_in_any_text():
    leaks = [
        f"{shown(path)}: {found.group()}"
        for path in project_texts()
        if (found := LEAK.search(path.read_text(encoding="utf-8")))
    ]
    assert not leaks, "\n".join(leaks)

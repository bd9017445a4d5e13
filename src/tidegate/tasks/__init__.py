"""Tasks: the estimators, found from the files of this folder and from installed plug-ins.

A file `tasks/text_classifier.py` holds the class `TextClassifier` and is the task
`text-classifier`. Another package adds a task by an entry point of the group `tidegate.tasks`
whose name is the kebab-case name and whose value is the class.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.metadata
import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.errors import InputError, message, suggest

if TYPE_CHECKING:
    from tidegate.tasks.base import Task

__all__ = ["Outline", "get", "load", "names", "outline"]

_SHARED = {"base", "classifier", "estimator", "option", "rows", "saved", "settings"}
_SHARED |= {"inside", "questions", "reading", "text_change", "text_network"}
_SHARED |= {"text_pretrained", "text_settings"}
_SHARED |= {"language_decoding", "language_pen", "language_spelling", "language_trace"}
_SHARED |= {"language_writing"}
_SHARED |= {"language_dynamic", "language_memory", "language_network", "language_settings"}
_SHARED |= {"anomaly_alarms", "anomaly_cold", "anomaly_evidence", "anomaly_findings"}
_SHARED |= {"anomaly_network", "anomaly_plots", "anomaly_readings", "anomaly_readout"}
_SHARED |= {"anomaly_scale", "anomaly_settings", "anomaly_stream", "anomaly_tail"}
_SHARED |= {"baselines", "forecast_metrics", "forecast_network", "forecaster_settings"}
_SHARED |= {"backtest", "forecast", "forecast_plots", "forecast_skip", "intervals"}
_SHARED |= {"outcomes", "series_task", "spans"}
_SHARED |= {"forecast_strategies"}
_SHARED |= {"tagged_sentence", "tagger_network", "tagger_rows", "tagger_settings", "word_settings"}
_SHARED |= {"columns", "ensemble", "regressor", "sequence_base", "sequence_network"}

_TABLE = "DATA.csv"


@dataclass(frozen=True)
class Outline:
    """What a task is, told without importing it.

    Attributes:
        name: The kebab-case name.
        sentence: One sentence: the first of the class's docstring.
        roles: The columns of a table that the task reads: role name to help text.
        input_role: The role that it answers.
        target_role: The role that is only there to learn from, or None.
        optional: The roles that a table need not have.
        data_example: The name of a file to learn from.
    """

    name: str
    sentence: str
    roles: Mapping[str, str]
    input_role: str
    target_role: str | None = None
    optional: tuple[str, ...] = ()
    data_example: str = _TABLE

    @property
    def usual(self) -> list[str]:
        """The roles worth naming in an example: those needed, or the first two; of tables only."""
        if not self.data_example.endswith(".csv"):
            return []
        needed = [role for role in self.roles if role not in self.optional]
        return needed or list(self.roles)[:2]


def names() -> list[str]:
    """List the tasks' names, in alphabetical order; nothing heavy is imported.

    Example:
        >>> "text-classifier" in names()
        True
    """
    return sorted(_files() | set(_plugins()))


def get(name: str) -> type[Task]:
    """Return the class of a task.

    Args:
        name: The kebab-case name, such as "text-classifier".

    Returns:
        The estimator's class.

    Raises:
        InputError: If there is no task of that name.

    Example:
        >>> get("text-classifier").__name__
        'TextClassifier'
    """
    if name in _files():
        module = importlib.import_module(f"tidegate.tasks.{name.replace('-', '_')}")
        found: type[Task] = getattr(module, _class_name(name))
        return found
    plugins = _plugins()
    if name in plugins:
        plugin: type[Task] = plugins[name].load()
        return plugin
    raise InputError(message("tasks", "name", "a known task", repr(name), suggest(name, names())))


def outline(name: str) -> Outline:
    """Tell what a task is; a task of this package is read from its source, not imported.

    Args:
        name: The kebab-case name.

    Returns:
        Its sentence and its roles, so that help need not wait for torch. (A class that does not
        write `roles` and `input_role` as literals is imported after all.)

    Raises:
        InputError: If there is no task of that name.

    Example:
        >>> list(outline("text-classifier").roles)
        ['text', 'label']
    """
    if name in _files():
        source = _file(name).read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef) and node.name == _class_name(name):
                told = _literals(node)
                if {"roles", "input_role"} <= set(told):
                    sentence = _first_paragraph(ast.get_docstring(node))
                    defaults = {"target_role": None, "optional_roles": (), "data_example": _TABLE}
                    more: list[Any] = [told.get(key, value) for key, value in defaults.items()]
                    return Outline(name, sentence, told["roles"], told["input_role"], *more)
    task = get(name)
    sentence = _first_paragraph(inspect.getdoc(task))
    more = [task.target_role, task.optional_roles, task.data_example]
    return Outline(name, sentence, task.roles, task.input_role, *more)


def load(path: str | Path, *, device: str | None = None) -> Task:
    """Load a fitted task from the folder that `save` wrote.

    Args:
        path: The model's folder.
        device: Where to put the network, such as "cpu"; None takes what its settings say.

    Returns:
        The fitted estimator.

    Raises:
        ArtifactError: If the folder is no model, or is damaged, hostile or of another version.

    Example:
        >>> model = load("model/")  # doctest: +SKIP
        >>> model.predict(["see you at the tide gate"])  # doctest: +SKIP
    """
    from tidegate.tasks.saved import load_task  # torch comes with it: only when needed

    return load_task(path, device=device)


def _literals(node: ast.ClassDef) -> dict[str, Any]:
    """Read the attributes of a class whose values are plain literals."""
    found = {}
    for line in node.body:
        if isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None:
            target = line.targets[0] if isinstance(line, ast.Assign) else line.target
            with contextlib.suppress(ValueError):
                found[ast.unparse(target)] = ast.literal_eval(line.value)
    return found


def _file(name: str) -> Path:
    return Path(__file__).with_name(f"{name.replace('-', '_')}.py")


def _class_name(name: str) -> str:
    return "".join(map(str.capitalize, name.split("-")))


def _first_paragraph(docstring: str | None) -> str:
    return " ".join((docstring or "").partition("\n\n")[0].split())


def _files() -> set[str]:
    modules = pkgutil.iter_modules(__path__)
    return {module.name.replace("_", "-") for module in modules if module.name not in _SHARED}


def _plugins() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group="tidegate.tasks")}

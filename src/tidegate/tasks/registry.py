"""Registry: the tasks by name, those of this package and those of installed plug-ins.

Another package adds a task by an entry point of the group `tidegate.tasks` whose name is the
kebab-case name and whose value is the class.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.metadata
import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.errors import InputError, TidegateError, a, message, suggest

if TYPE_CHECKING:
    from tidegate.tasks.core.task import Task

__all__ = ["Outline", "get", "load", "load_for", "names", "of_model", "outline"]

# What each task of this package is called, and where its class is: a line a task.
_HOMES = {
    "anomaly-detector": "tidegate.tasks.anomaly.detector:AnomalyDetector",
    "forecaster": "tidegate.tasks.forecast.forecaster:Forecaster",
    "language-model": "tidegate.tasks.language.model:LanguageModel",
    "sequence-classifier": "tidegate.tasks.sequence.classifier:SequenceClassifier",
    "sequence-regressor": "tidegate.tasks.sequence.regressor:SequenceRegressor",
    "tagger": "tidegate.tasks.tagging.tagger:Tagger",
    "text-classifier": "tidegate.tasks.text.classifier:TextClassifier",
}

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
        commands: The commands that it has besides those of every task.
    """

    name: str
    sentence: str
    roles: Mapping[str, str]
    input_role: str
    target_role: str | None = None
    optional: tuple[str, ...] = ()
    data_example: str = _TABLE
    commands: tuple[str, ...] = ()

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
    return sorted(set(_HOMES) | set(_plugins()))


def get(name: str) -> type[Task]:
    """Return the class of a task.

    Args:
        name: The kebab-case name, such as "text-classifier".

    Returns:
        The estimator's class.

    Raises:
        InputError: If there is no task of that name, or its plug-in is broken.

    Example:
        >>> get("text-classifier").__name__
        'TextClassifier'
    """
    if name in _HOMES:
        module, _, kind = _HOMES[name].partition(":")
        found: type[Task] = getattr(importlib.import_module(module), kind)
        return found
    plugins = _plugins()
    if name in plugins:
        return _loaded(plugins[name])
    raise InputError(message("tasks", "name", "a known task", repr(name), suggest(name, names())))


def outline(name: str) -> Outline:
    """Tell what a task is; a task of this package is read from its source, not imported.

    Args:
        name: The kebab-case name.

    Returns:
        Its sentence and its roles, so that help need not wait for torch. (A class that does not
        write `roles` and `input_role` as literals is imported after all; of a plug-in that cannot
        be imported the sentence says so.)

    Raises:
        InputError: If there is no task of that name.

    Example:
        >>> list(outline("text-classifier").roles)
        ['text', 'label']
    """
    if name in _HOMES:
        module, _, kind = _HOMES[name].partition(":")
        for node in ast.parse(_source(module)).body:
            if isinstance(node, ast.ClassDef) and node.name == kind:
                told = _literals(node)
                if {"roles", "input_role"} <= set(told):
                    sentence = _first_paragraph(ast.get_docstring(node))
                    defaults = {"target_role": None, "optional_roles": (), "data_example": _TABLE}
                    defaults["commands"] = ()
                    more: list[Any] = [told.get(key, value) for key, value in defaults.items()]
                    return Outline(name, sentence, told["roles"], told["input_role"], *more)
    try:
        task = get(name)
    except InputError as error:
        if name not in _plugins():
            raise
        return Outline(name, f"Cannot be used: {error}", {}, "")
    sentence = _first_paragraph(inspect.getdoc(task))
    more = [task.target_role, task.optional_roles, task.data_example, task.commands]
    return Outline(name, sentence, task.roles, task.input_role, *more)


def of_model(path: str | Path) -> type[Task] | None:
    """Find the class of the task that a saved model is of, before it is loaded.

    Args:
        path: The model's folder.

    Returns:
        The class; None where the folder says nothing that can be believed: `load` tells why.

    Example:
        >>> of_model("no/such/folder") is None
        True
    """
    from tidegate.artifact import Artifact  # torch comes with it: only when needed

    try:
        return get(Artifact.open(path).task)
    except TidegateError:
        return None


def load(path: str | Path, *, device: str | None = None, trust: Collection[str] = ()) -> Task:
    """Load a fitted task from the folder that `save` wrote.

    Args:
        path: The model's folder.
        device: Where to put the network, such as "cpu"; None takes what its settings say.
        trust: Functions that the model may name and have called, "package.module:function" each;
            a few that are safe, such as `str.split`, need not be listed.

    Returns:
        The fitted estimator.

    Raises:
        ArtifactError: If the folder is no model, or is damaged, hostile or of another version,
            or names a function that is not trusted.

    Example:
        >>> model = load("model/")  # doctest: +SKIP
        >>> model.predict(["see you at the tide gate"])  # doctest: +SKIP
    """
    # torch comes with these: only when needed
    from tidegate.artifact import Artifact
    from tidegate.data.text.functions import trusting
    from tidegate.files import damaged
    from tidegate.tasks.core.saved import restore

    artifact = Artifact.open(path)
    if artifact.task not in names():
        rule = f"of the task {' or '.join(names())}"
        raise damaged("load", artifact.path / "config.json", rule, repr(artifact.task))
    with trusting(trust):
        return restore(artifact, get(artifact.task), device=device)


def load_for(path: str | Path, command: str, *, trust: Collection[str] = ()) -> Task:
    """Load a fitted task that has a command of its own, such as "generate".

    Args:
        path: The model's folder.
        command: The command.
        trust: As for `load`.

    Returns:
        The fitted estimator.

    Raises:
        InputError: If the task has no such command.
        ArtifactError: If the folder is no model, or is damaged, hostile or of another version.
    """
    task = load(path, trust=trust)
    if command not in task.commands:
        able = [name for name in names() if command in outline(name).commands]
        rule = f"a saved {' or '.join(able)}"
        raise InputError(message(command, "MODEL", rule, a(task.task_name())))
    return task


def _literals(node: ast.ClassDef) -> dict[str, Any]:
    """Read the attributes of a class whose values are plain literals."""
    found = {}
    for line in node.body:
        if isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None:
            target = line.targets[0] if isinstance(line, ast.Assign) else line.target
            with contextlib.suppress(ValueError):
                found[ast.unparse(target)] = ast.literal_eval(line.value)
    return found


def _source(module: str) -> str:
    """The text of a module of this package, which is not imported."""
    inside = module.removeprefix("tidegate.tasks.").replace(".", "/")
    return (Path(__file__).parent / f"{inside}.py").read_text(encoding="utf-8")


def _first_paragraph(docstring: str | None) -> str:
    return " ".join((docstring or "").partition("\n\n")[0].split())


def _loaded(point: importlib.metadata.EntryPoint) -> type[Task]:
    """Import the task of another package, whose code may do anything."""
    from tidegate.tasks.core.task import Task

    try:
        found = point.load()
        if not (isinstance(found, type) and issubclass(found, Task)):
            raise TypeError(f"{found!r} is no Task")
    except (Exception, SystemExit) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        rule, remedy = f"a plug-in that works ({point.value})", "Mend that package, or uninstall it"
        raise InputError(message("tasks", point.name, rule, said, remedy)) from error
    return found


def _plugins() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group="tidegate.tasks")}

"""Functions that a saved model names: a few that are safe, and those its user trusts by name."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Callable, Collection, Iterator
from contextvars import ContextVar
from typing import Any

from tidegate.errors import ArtifactError, InputError, message

# They return lists of parts of their one argument, and do nothing besides.
SAFE = (
    "builtins:str.split",
    "builtins:str.splitlines",
    "tidegate.data.text.tokens:find_words",
)
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_trusted: ContextVar[frozenset[str]] = ContextVar("trusted", default=frozenset())


@contextlib.contextmanager
def trusting(names: Collection[str]) -> Iterator[None]:
    """Let models that are read in the block name these functions, besides the `SAFE` ones.

    Args:
        names: What `import_name` gave, "package.module:function" each.

    Raises:
        InputError: If one is no such name.

    Example:
        >>> with trusting(["operator:methodcaller"]):
        ...     resolve("operator:methodcaller").__name__
        'methodcaller'
    """
    listed = [names] if isinstance(names, str) else list(names)
    found: list[object] = [*listed]
    for name in found:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            rule, remedy = "a list of names", "Name each as package.module:function"
            raise InputError(message("load", "trust", rule, repr(name), remedy))
    token = _trusted.set(_trusted.get() | frozenset(listed))
    try:
        yield
    finally:
        _trusted.reset(token)


def import_name(function: Callable[..., Any]) -> str:
    """Say under which name a function can be imported.

    Args:
        function: The function.

    Returns:
        "module:qualified.name".

    Raises:
        InputError: If it has none: a lambda, a function inside another one or of the script that
            runs, or an object's method.

    Example:
        >>> import_name(str.split)
        'builtins:str.split'
    """
    name = _own_name(function)
    if name is None:
        rule = "a function that can be imported by its name"
        remedy = "Define it with def at the top of a module, and import it from there"
        raise InputError(message("TextEncoder", "tokenizer", rule, repr(function), remedy))
    return name


def resolve(name: object) -> Callable[..., Any]:
    """Find the function that a model names as its tokenizer.

    A model may come from anywhere: nothing that it names is looked up, imported or called before
    it is known to be one of the `SAFE` functions, or one that `trusting` lists.

    Args:
        name: What `import_name` gave.

    Returns:
        The function.

    Raises:
        ArtifactError: If nobody trusts it.
        InputError: If it is trusted, and is not there.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        rule = "the import name of a function, module:name"
        raise ArtifactError(message("encoder.json", "tokenizer", rule, repr(name)))
    if name not in SAFE and name not in _trusted.get():
        rule = "a function that is safe or that you trust"
        remedy = f'Nothing was run. If you trust it: load(..., trust=["{name}"]), or --trust {name}'
        raise ArtifactError(message("encoder.json", "tokenizer", rule, repr(name), remedy))
    return _imported(name)


def _imported(name: str) -> Callable[..., Any]:
    """Import a trusted function."""
    module, _, dotted = name.partition(":")
    try:
        importlib.import_module(module)
    except Exception as error:  # its code may raise anything
        got = f"{name} ({type(error).__name__}: {error})"
        remedy = f"Install {module.partition('.')[0]}, or add its folder to PYTHONPATH"
        raise InputError(message("load", "trust", "importable", got, remedy)) from error
    function = _attribute(module, dotted)
    if not callable(function):
        raise InputError(message("load", "trust", "the name of a function", repr(name)))
    return function  # type: ignore[no-any-return]


def _own_name(function: Callable[..., Any]) -> str | None:
    """The name under which a function can be imported, None where it has none."""
    owner = getattr(function, "__objclass__", function)  # methods of built-in types
    module = str(getattr(owner, "__module__", None))
    dotted = str(getattr(function, "__qualname__", None))
    if module == "__main__" or _attribute(module, dotted) is not function:
        return None
    return f"{module}:{dotted}"


def _attribute(module: str, dotted: str) -> Any:
    """Follow a dotted name inside an imported module; None where it leads nowhere."""
    found: Any = sys.modules.get(module)
    for part in dotted.split("."):
        found = getattr(found, part, None)
    return found

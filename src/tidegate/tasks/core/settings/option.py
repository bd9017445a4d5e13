"""Options: what one setting may be, checked and read in one place."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from tidegate.errors import InputError, message, suggest

Choices = tuple[str, ...] | Callable[[], Iterable[str]]

# The kind of a setting that takes several numbers.
Numbers = tuple[float, ...]

# What a setting may be: a type, or `Numbers` or `Callable`, which are none to a type checker.
Kind: TypeAlias = Any

Value: TypeAlias = Any
"""What a setting is: a truth value, number, text, tuple, dictionary, function or None. Which, its
`Option` says."""


def setting(
    default: Value,
    *,
    help: str,
    choices: Choices | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    structural: bool = False,
    group: str = "Model",
    cli: bool = True,
) -> Value:
    """Declare one field of a settings dataclass.

    Args:
        default: The value when nothing is said; it must not be mutable.
        help: One or two sentences for the command line and the documentation.
        choices: The texts allowed, or a function that lists them when they are first needed.
        minimum: The smallest number allowed.
        maximum: The largest number allowed.
        structural: Whether the shape of the network or the encoding depends on it, so that a
            fitted model cannot go on training under another value.
        group: The heading under which `--help` and the documentation list it.
        cli: Whether the command line offers it.

    Returns:
        A dataclass field.

    Example:
        >>> @dataclass
        ... class Echo:
        ...     delay: int = setting(1, help="Steps to wait.", minimum=0)
        >>> Echo().delay
        1
    """
    limits = {"choices": choices, "minimum": minimum, "maximum": maximum}
    rest = {"help": help, "structural": structural, "group": group, "cli": cli}
    return dataclasses.field(default=default, metadata=limits | rest)


def changed(
    settings_class: type, name: str, default: Value, *, help: str = "", cli: bool | None = None
) -> Value:
    """Declare a setting of a base class again, with another default.

    Args:
        settings_class: The dataclass that declared it.
        name: The field's name.
        default: The new value when nothing is said.
        help: What it does, if that has to be said in other words.
        cli: Whether the command line offers it; None leaves that as it was.

    Returns:
        A dataclass field.
    """
    (field,) = (f for f in dataclasses.fields(settings_class) if f.name == name)
    told = {**({"help": help} if help else {}), **({} if cli is None else {"cli": cli})}
    return dataclasses.field(default=default, metadata={**field.metadata, **told})


@dataclass(frozen=True)
class Option:
    """One setting as the command line and the documentation see it.

    Attributes:
        name: The field's name, with underscores.
        kinds: The types accepted, out of bool, int, float, str, tuple (of texts), Numbers, dict,
            Callable.
        optional: Whether None ("none" on the command line) is accepted.
        default: The value when nothing is said.
        help: What the setting does.
        choices: The texts allowed, or None when any text is.
        minimum: The smallest number allowed, or None.
        maximum: The largest number allowed, or None.
        structural: Whether a fitted model is tied to its value.
        group: The heading it is listed under.
        cli: Whether the command line offers it.
    """

    name: str
    kinds: tuple[Kind, ...]
    optional: bool
    default: Value
    help: str
    choices: tuple[str, ...] | None
    minimum: float | None
    maximum: float | None
    structural: bool
    group: str
    cli: bool

    @classmethod
    def told(cls, name: str, kind: type, *, help: str, minimum: float | None = None) -> Option:
        """Declare what a command may be told once, and may not; no setting of a model.

        Args:
            name: Its name.
            kind: Its type.
            help: What it does.
            minimum: The smallest number allowed.
        """
        limits: dict[str, Value] = {"choices": None, "minimum": minimum, "maximum": None}
        rest: dict[str, Value] = {"structural": False, "group": "Answer", "cli": True}
        return cls(
            name=name, kinds=(kind,), optional=True, default=None, help=help, **limits, **rest
        )

    @property
    def rule(self) -> str:
        """What the value must be, as error messages and `--help` say it."""
        parts = [self._rule_of(kind) for kind in self.kinds]
        if self.optional:
            parts.append("None")
        return " or ".join(parts)

    def check(self, value: Value, owner: str) -> Value:
        """Return `value` in its canonical type.

        Args:
            value: What was given; whole numbers pass for floats, lists for tuples.
            owner: Who complains, the task's name.

        Returns:
            The value as bool, int, float, str, tuple, dict, callable or None.

        Raises:
            InputError: If the type, the choice or the range is wrong.
        """
        if isinstance(value, np.generic):  # what numpy grids hand to GridSearchCV
            value = value.item()
        if value is None and self.optional:
            return None
        for kind in self.kinds:
            accepted, result = _convert(value, kind)
            if accepted and self._allows(result):
                return result
        remedy = ""
        if isinstance(value, str) and self.choices:
            remedy = suggest(value, self.choices, listed=True)
        shown = repr(value) if isinstance(value, str) else value
        raise InputError(message(owner, self.name, self.rule, shown, remedy or self._default_hint))

    def parse(self, text: str, owner: str) -> Value:
        """Read the value from the text of a command line option.

        Args:
            text: For example "0.5", "true", "none", "a,b,c" for tuples or JSON for dicts.
            owner: Who complains, the task's name.

        Returns:
            The checked value.

        Raises:
            InputError: If the text is no value of this setting.
        """
        if self.optional and text.lower() == "none":
            return None
        for kind in self.kinds:
            value = _read(text, kind)
            if value is not None and self._allows(value):
                return value
        return self.check(text, owner)

    @property
    def _default_hint(self) -> str:
        return f"The default is {self.default!r}"

    def _rule_of(self, kind: Kind) -> str:
        if kind is str and self.choices:
            return "one of " + ", ".join(repr(choice) for choice in self.choices)
        bounds = ""
        if kind in (int, float):
            low = "" if self.minimum is None else f" >= {self.minimum:.12g}"
            high = "" if self.maximum is None else f" <= {self.maximum:.12g}"
            bounds = low + (" and" if low and high else "") + high
        return _NAMES[kind] + bounds

    def _allows(self, value: Value) -> bool:
        if isinstance(value, str) and self.choices is not None:
            return value in self.choices
        if isinstance(value, int | float) and not isinstance(value, bool):
            above = self.minimum is None or value >= self.minimum
            return above and (self.maximum is None or value <= self.maximum)
        return True


_NAMES: dict[Kind, str] = {
    bool: "True or False",
    int: "an integer",
    float: "a number",
    str: "a text",
    tuple: "a list of texts",
    Numbers: "a list of numbers",
    dict: "a dictionary",
    Callable: "a function",
}


def _convert(value: Value, kind: Kind) -> tuple[bool, Value]:
    """Say whether `value` is of `kind`, and give it in that kind's own type."""
    if kind is bool:
        return isinstance(value, bool), value
    if isinstance(value, bool):  # True is an int to Python, never to a user
        return False, value
    if kind is float:
        fits = isinstance(value, int | float) and math.isfinite(value)
        return fits, float(value) if fits else value
    if kind is tuple:
        texts = isinstance(value, list | tuple | set | frozenset) and all(
            isinstance(item, str) for item in value
        )
        return texts, tuple(value) if texts else value
    if kind == Numbers:
        return _convert_numbers(value)
    if kind is dict:
        return isinstance(value, Mapping), dict(value) if isinstance(value, Mapping) else value
    if kind is Callable:
        return callable(value), value
    if kind is str and isinstance(value, os.PathLike):
        return True, os.fspath(value)
    return isinstance(value, kind), value


def _convert_numbers(value: Value) -> tuple[bool, Value]:
    """Say whether `value` is several numbers, and give them as a tuple of floats."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        return False, value
    converted = [_convert(item, float) for item in value]
    fits = all(accepted for accepted, _ in converted)
    return fits, tuple(number for _, number in converted) if fits else value


def _read(text: str, kind: Kind) -> Value:
    """Read a command line text as `kind`, or return None when it is not one."""
    try:
        if kind is bool:
            return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
        if kind in (int, float):
            number = kind(text)
            return number if math.isfinite(number) else None
        if kind == Numbers:
            return tuple(float(part) for part in text.split(","))
        if kind is dict:
            value = json.loads(text)
            return value if isinstance(value, dict) else None
    except (KeyError, ValueError):
        return None
    if kind is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text if kind is str else None


def kinds(hint: Kind) -> tuple[tuple[Kind, ...], bool]:
    """Break a type hint into the kinds it accepts and whether it accepts None."""
    members = typing.get_args(hint) if _is_union(hint) else (hint,)
    plain = [
        member if member == Numbers else typing.get_origin(member) or member for member in members
    ]
    names = {Mapping: dict, Callable: Callable}
    kinds = tuple(names.get(kind, kind) for kind in plain if kind is not types.NoneType)
    return kinds, types.NoneType in plain


def _is_union(hint: Kind) -> bool:
    origin: object = typing.get_origin(hint)
    return origin in (typing.Union, types.UnionType)

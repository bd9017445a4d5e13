"""Codecs: what the JSON files of an encoder hold, declared once, and read trusting nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tidegate.errors import ArtifactError, InputError, message, suggest

_MOST = sys.float_info.max  # greater integers are no floats
LARGEST_WEIGHT = 1e12  # of a network, whose numbers are float32; beyond it, products overflow
_NOTHING: Mapping[str, object] = {}
LARGEST = 1e150  # of what is measured: the square of a greater number would be infinite
_DAMAGED = "The model is damaged: copy it again, or fit and save it anew"


class Rule(Protocol):
    """What a value in a file may be: a `Field`, or something of `tidegate.data.schema`."""

    def fault(self, value: object) -> tuple[str, object] | None:
        """Say which rule a value breaks, and which part of it does; None if it breaks none."""


Fields = Mapping[str, Rule]


@dataclass(frozen=True)
class Field:
    """What one option may be, in Python and in a file.

    Attributes:
        kind: bool, int, float (finite) or str.
        choices: The texts allowed; none allows any.
        minimum: The smallest number allowed, or None.
        maximum: The largest number allowed, or None.
        optional: Whether None is allowed.
        many: Whether it is a list of such values.
        rule: What it must be, in words; made of the others where it is left out.

    Example:
        >>> Field(int, minimum=1).fault(0)
        ('an integer >= 1', 0)
    """

    kind: type
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False
    many: bool = False
    rule: str = ""

    def fault(self, value: object) -> tuple[str, object] | None:
        """Say which rule a value breaks, and which part of it does; None if it breaks none."""
        if value is None and self.optional:
            return None
        if not self.many:
            return None if self._fits(value) else (self.rule or self._one(), value)
        if not isinstance(value, list | tuple) or not all(map(self._is_kind, value)):
            return self.rule or _SEVERAL[self.kind], value
        wrong = [item for item in value if not self._fits(item)]
        return (self._one(), wrong[0]) if wrong else None

    def check(self, value: object, owner: str, name: str) -> None:
        """Refuse a value.

        Args:
            value: The value.
            owner: Who complains.
            name: What the value is called.

        Raises:
            InputError: If it is not what it may be.
        """
        if fault := self.fault(value):
            rule, got = fault
            remedy = suggest(got, self.choices, listed=True) if isinstance(got, str) else ""
            raise InputError(message(owner, name, rule, repr(got), remedy))

    def _is_kind(self, value: object) -> bool:
        if isinstance(value, bool):  # an int to Python, never to us
            return self.kind is bool
        if self.kind is float:
            return isinstance(value, int | float) and -_MOST <= value <= _MOST
        if self.kind is int:
            return isinstance(value, int) and -(2**63) <= value < 2**63
        return isinstance(value, self.kind) and (self.kind is not str or is_unicode(str(value)))

    def _fits(self, value: object) -> bool:
        if not self._is_kind(value):
            return False
        if isinstance(value, str):
            return not self.choices or value in self.choices
        if isinstance(value, int | float):
            above = self.minimum is None or value >= self.minimum
            return above and (self.maximum is None or value <= self.maximum)
        return True

    def _one(self) -> str:
        """The rule of a single value."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.minimum is not None and self.maximum is not None:
            return f"{_ONE[self.kind]} from {self.minimum} to {self.maximum}"
        low = "" if self.minimum is None else f" >= {self.minimum}"
        return _ONE[self.kind] + (low if self.maximum is None else f" <= {self.maximum}")


_ONE = {bool: "True or False", int: "an integer", float: "a finite number", str: "a string"}
_SEVERAL = {
    bool: "a list of True and False",
    int: "a list of integers",
    float: "a list of finite numbers",
    str: "a sequence of strings",
}


def damaged(file: str, argument: str, rule: str, got: object, remedy: str = "") -> ArtifactError:
    """Make the error of a file that holds what no encoder wrote."""
    return ArtifactError(message(file, argument, rule, got, remedy or _DAMAGED))


def take(files: Mapping[str, object], name: str, kind: type) -> Any:
    """Take one file out of many.

    Args:
        files: Parsed JSON by file name.
        name: The file.
        kind: `dict` or `list`.

    Returns:
        Its content: whatever JSON can say, so that what is in it has no type yet.

    Raises:
        ArtifactError: If it is not there, or no object or list.
    """
    if name not in files:
        raise damaged(name, "file", "there", "nothing")
    if not isinstance(files[name], kind):
        shown = "an object" if kind is dict else "a list"
        raise damaged(name, "content", shown, type(files[name]).__name__)
    return files[name]


def read_fields(
    files: Mapping[str, object],
    name: str,
    fields: Fields,
    *,
    version: int | None = None,
    absent: Mapping[str, object] = _NOTHING,
) -> dict[str, Any]:
    """Read a file of named values.

    Args:
        files: Parsed JSON by file name.
        name: The file.
        fields: What it holds, all of it.
        version: The version that it must tell, or None if it tells none.
        absent: What to take for values that files of older versions lack.

    Returns:
        The values by name, each of the type its field says.

    Raises:
        ArtifactError: If a value is missing, unknown or not what it may be, or the file is of
            another version.

    Example:
        >>> read_fields({"a.json": {"size": 3}}, "a.json", {"size": Field(int)})
        {'size': 3}
    """
    found = dict(take(files, name, dict))
    if version is not None and repr(told := found.pop("version", None)) != repr(version):
        remedy = "Load it with the tidegate that wrote it"
        raise damaged(name, "version", str(version), repr(told), remedy)
    for field in sorted(set(fields) - set(found) - set(absent)):
        raise damaged(name, field, "there", "nothing")
    for field, value in found.items():
        if field not in fields:
            raise damaged(name, field, "a known option", "another", suggest(field, fields))
        if fault := fields[field].fault(value):
            raise damaged(name, field, fault[0], repr(fault[1]))
    return {**absent, **found}


def read_texts(
    files: Mapping[str, object],
    name: str,
    *,
    special: tuple[str, ...] = (),
    argument: str = "texts",
) -> list[str]:
    """Read a file that lists different texts, such as a vocabulary.

    Args:
        files: Parsed JSON by file name.
        name: The file.
        special: The texts that come first, which may come again among the others.
        argument: What the texts are, for messages.

    Returns:
        The texts after the special ones.

    Raises:
        ArtifactError: If they are something else.

    Example:
        >>> read_texts({"a.json": ["<pad>", "to", "be"]}, "a.json", special=("<pad>",))
        ['to', 'be']
    """
    found = take(files, name, list)
    texts: list[str] = found[len(special) :]
    strings = all(isinstance(text, str) for text in found)
    if not strings or tuple(found[: len(special)]) != special:
        first = f", first {' and '.join(special)}" if special else ""
        raise damaged(name, argument, f"strings{first}", "others")
    if len(set(texts)) != len(texts):
        raise damaged(name, argument, "different from each other", "repeated ones")
    if not is_unicode("".join(texts)):
        raise damaged(name, argument, "valid Unicode", "lone surrogates")
    return texts


def is_unicode(text: str) -> bool:
    """Say whether a text can be written down: JSON can hold halves of characters."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

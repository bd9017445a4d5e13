"""Schema: what lists and objects in the files of a model may be, each part of them in range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from tidegate.data.codec import LARGEST, Field, Fields, Rule, damaged


@dataclass(frozen=True)
class Numbers:
    """What an array of numbers in a file may be: nested lists, all of one length on each axis.

    Attributes:
        axes: How many axes it has.
        kind: float (finite), int or bool.
        minimum: The smallest number allowed, or None.
        maximum: The largest number allowed, or None.
        missing: Whether None is allowed, which stands for a missing value.
        optional: Whether None is allowed in place of the whole.

    Example:
        >>> Numbers(2, int).fault([[1, 2], [3, 4]]) is None
        True
        >>> Numbers(1, minimum=0).fault([0.5, -1])
        ('a list of finite numbers >= 0', -1)
    """

    axes: int = 1
    kind: type = float
    minimum: float | None = None
    maximum: float | None = LARGEST
    missing: bool = False
    optional: bool = False

    def fault(self, value: object) -> tuple[str, object] | None:
        """Say which rule a value breaks, and which part of it does; None if it breaks none."""
        if value is None and self.optional:
            return None
        level: list[object] = [value]
        for _ in range(self.axes):
            if not all(isinstance(item, list) for item in level):
                return self.rule, value
            lists = cast("list[list[object]]", level)
            if len({len(item) for item in lists}) > 1:
                return f"{self.rule}, of one length each", value
            level = [item for inner in lists for item in inner]
        one = Field(self.kind, minimum=self._lowest, maximum=self.maximum, optional=self.missing)
        wrong = next((item for item in level if one.fault(item)), _NONE)
        return None if wrong is _NONE else (self.rule, wrong)

    @property
    def _lowest(self) -> float | None:
        if self.minimum is not None or self.maximum is None:
            return self.minimum
        return -self.maximum

    @property
    def rule(self) -> str:
        """What it must be, in words."""
        low = "" if self.minimum is None else f" >= {self.minimum}"
        high = "" if self.maximum in (None, LARGEST) else f" <= {self.maximum:g}"
        between = " and" if low and high else ""
        lists = "a list of " + "lists of " * (self.axes - 1)
        return f"{lists}{_PLURAL[self.kind]}{low}{between}{high}"


@dataclass(frozen=True)
class Record:
    """What an object in a file may be.

    Attributes:
        fields: What it holds, all of it.
        absent: What it may lack, for older versions did not write it.

    Example:
        >>> Record({"seen": Field(int, minimum=0)}).fault({"seen": -1})
        ('an integer >= 0 in `seen`', -1)
    """

    fields: Fields
    absent: tuple[str, ...] = ()

    def fault(self, value: object) -> tuple[str, object] | None:
        """Say which rule a value breaks, and which part of it does; None if it breaks none."""
        rule = f"an object of {', '.join(self.fields)}"
        if not isinstance(value, dict) or not set(value) <= set(self.fields):
            return rule, value
        if not set(self.fields) <= {*value, *self.absent}:
            return rule, value
        for name, found in value.items():
            if fault := self.fields[name].fault(found):
                return f"{fault[0]} in `{name}`", fault[1]
        return None


@dataclass(frozen=True)
class Each:
    """A list of things that are all alike, or an object of such things by any names.

    Attributes:
        field: What each may be.
        by_name: Whether it is an object.

    Example:
        >>> Each(Field(int)).fault([1, "2"])
        ('an integer', '2')
    """

    field: Rule
    by_name: bool = False

    def fault(self, value: object) -> tuple[str, object] | None:
        """Say which rule a value breaks, and which part of it does; None if it breaks none."""
        if not isinstance(value, dict if self.by_name else list):
            return ("an object" if self.by_name else "a list"), value
        items = cast("dict[str, object]", value).values() if self.by_name else value
        return next(filter(None, map(self.field.fault, cast("list[object]", items))), None)


@dataclass(frozen=True)
class Labels:
    """A list of texts and numbers, such as the names that series have.

    Attributes:
        optional: Whether None is allowed in its place.
        missing: Whether None is allowed among them.

    Example:
        >>> Labels().fault(["north", 7]) is None
        True
    """

    optional: bool = False
    missing: bool = False

    def fault(self, value: object) -> tuple[str, object] | None:
        """Say which rule a value breaks, and which part of it does; None if it breaks none."""
        if value is None and self.optional:
            return None
        kinds = (Field(str, optional=self.missing), Field(float), Field(bool))
        if not isinstance(value, list):
            return "a list of texts and numbers", value
        wrong = [item for item in value if all(kind.fault(item) for kind in kinds)]
        return ("a text or a finite number", wrong[0]) if wrong else None


_NONE = object()
_PLURAL = {bool: "True and False", int: "integers", float: "finite numbers"}


def array(found: object, shape: tuple[int, ...], file: str, name: str) -> Any:
    """Make an array of what `Numbers` has checked, None becoming NaN.

    Args:
        found: Nested lists of numbers.
        shape: The shape it must have.
        file: The file it was found in.
        name: What it is called there.

    Returns:
        The array, float64 where a number is missing or is no integer.

    Raises:
        ArtifactError: If it has another shape.

    Example:
        >>> array([1.5, None], (2,), "a.json", "sizes").tolist()
        [1.5, nan]
    """
    made = np.array(found)
    if made.dtype == object:  # of None
        made = made.astype(np.float64)
    if not made.size and 0 in shape:  # nested lists tell nothing of the axes inside an empty one
        made = made.reshape(shape)
    if made.shape != shape:
        raise damaged(file, name, f"numbers of shape {list(shape)}", f"shape {list(made.shape)}")
    return made

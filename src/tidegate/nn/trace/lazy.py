"""LazyField: fields of a dataclass that are made when they are first read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LazyField(Generic[T]):
    """An attribute that is set to a value, or to a function that makes it.

    The function is called once, when the attribute is first read, and then let go. Put in the
    place of a field after `dataclass` has made the class, it leaves the constructor as it is.

    Args:
        name: Of the attribute.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Sum:
        ...     total: int
        >>> setattr(Sum, "total", LazyField("total"))
        >>> Sum(3).total, Sum(lambda: 1 + 2).total
        (3, 3)
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> T:
        if instance is None:
            raise AttributeError(self._name)  # as of a field without a default
        value = instance.__dict__[self._name]
        if callable(value):
            value = instance.__dict__[self._name] = value()
        made: T = value
        return made

    def __set__(self, instance: object, value: T | Callable[[], T]) -> None:
        instance.__dict__[self._name] = value

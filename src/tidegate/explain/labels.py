"""Labels: what the steps of a row are called, and what stands around one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Context:
    """A place in a row, and what a unit does there.

    Attributes:
        row: Number of the row.
        step: The step.
        value: What the unit is there.
        before: What the steps before it are called.
        label: What the step is called.
        after: What the steps after it are called.
    """

    row: int
    step: int
    value: float
    before: tuple[str, ...]
    label: str
    after: tuple[str, ...]


def between(tokens: Iterable[Any]) -> str:
    """Say what stands between tokens in writing: a space, and nothing between characters.

    Args:
        tokens: All tokens of a text.

    Returns:
        " ", or "" if every token is a single character.

    Example:
        >>> between(["to", "be"]), between("to be")
        (' ', '')
    """
    return " " if any(len(str(token)) > 1 for token in tokens) else ""

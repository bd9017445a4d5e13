"""Pretrained: what one task takes of another that learned before it (ULMFiT)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from tidegate.data.text.subwords import Subwords
from tidegate.tasks.core.settings.settings import Settings


@dataclass(frozen=True)
class Pretrained:
    """A recurrent stack that knows a language, and what it reads.

    Attributes:
        settings: Those of the task that learned it.
        symbols: What it reads: words or characters, or sub-words.
        vectors: The vectors of its symbols, `[V, E]`; the first is that of padding, zero.
        weights: Those of its recurrent stack, by name.
    """

    settings: Settings
    symbols: Subwords | list[str]
    vectors: Tensor
    weights: dict[str, Tensor]


@runtime_checkable
class Teacher(Protocol):
    """A task that others can begin with."""

    def pretrained(self) -> Pretrained:
        """Return what others take of it.

        Raises:
            InputError: If it is of a kind that others cannot read.
        """

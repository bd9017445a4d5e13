"""Commands that some tasks have besides fit, predict and evaluate; `Task.commands` names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from tidegate.tasks.core.raw import JsonObject, Raw


class Generates(Protocol):
    """A task that has the command `generate`: it goes on from a prompt."""

    def write(self, prompt: str = "", **options: Raw) -> Iterator[str]:
        """Yield what follows a prompt, piece by piece."""

    def generate(self, prompt: str = "", **options: Raw) -> Raw:
        """Return what follows a prompt."""


class Remark(Protocol):
    """What is said of one line that was watched."""

    @property
    def alarm(self) -> bool:
        """Whether to tell somebody."""

    def line(self) -> str:
        """The remark for people, on one line."""

    def to_json(self) -> JsonObject:
        """The remark for programs."""


class Watch(Protocol):
    """Lines as they come, each answered at once."""

    def scan(self, lines: Iterable[bytes | None]) -> Iterator[tuple[int, Remark]]:
        """Yield the number of each line, from 1, and what is said of it.

        Args:
            lines: The lines without their ends; None where nothing came for too long.
        """

    def remarks(self) -> list[str]:
        """What is to be said at the end, such as how many lines could not be read."""


class Watches(Protocol):
    """A task that has the command `watch`: it answers values line by line."""

    def watch(self) -> Watch:
        """Begin to watch: after the values of `fit`."""

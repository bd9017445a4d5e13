"""Terminals: what data holds that would steer one is shown, and not obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO

# All control characters but the tab and the line feed; and those that turn the direction of text.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


def visible(text: str) -> str:
    r"""Write control characters as their escapes, so that a terminal shows them.

    Args:
        text: Anything that came out of data, a model or a file name.

    Returns:
        The same, tabs and line feeds as they are.

    Example:
        >>> visible("\x1b[2Jgone")
        '\\x1b[2Jgone'
    """
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Screen:
    """A terminal to write texts to; files get them as they are.

    Args:
        handle: Where to.
    """

    def __init__(self, handle: IO[str]) -> None:
        self._handle, self._shows = handle, handle.isatty()

    def write(self, text: str) -> int:
        """Write a text, on a terminal what `visible` makes of it."""
        return self._handle.write(visible(text) if self._shows else text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Show what was written."""
        self._handle.flush()

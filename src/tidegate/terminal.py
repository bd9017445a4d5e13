"""Terminals: what data holds that would steer one is shown, and not obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO

# All control characters but the tab and the line feed; and those that turn the direction of text.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
# What ends a line or a column, wherever it is read.
_PARTING = re.compile("[\t-\r\x1c-\x1e\x85\u2028\u2029]")


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
    return _STEERING.sub(_escaped, text)


def one_line(value: object) -> str:
    r"""Write line ends and tabs as their escapes, so that a value stays in its line and column.

    Args:
        value: Such as the label of a class.

    Returns:
        Its text, other control characters as they are.

    Example:
        >>> one_line("two\nlines")
        'two\\nlines'
    """
    return _PARTING.sub(_escaped, str(value))


def cell(value: object) -> str:
    r"""Write a value as a cell of a table that people read: on one line, and nothing that steers.

    Args:
        value: Anything that came out of data, a model or a file name.

    Returns:
        What `visible` makes of `one_line`.

    Example:
        >>> cell("\x1b[2J\n")
        '\\x1b[2J\\n'
    """
    return visible(one_line(value))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


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

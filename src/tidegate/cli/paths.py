"""Arguments that may be texts or files, and the bytes of texts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from tidegate.errors import InputError, message


def is_true(question: Callable[[], bool]) -> bool:
    """Ask about a path that may be a text: too long, or with a NUL, it is none.

    Args:
        question: Such as `path.is_file`.

    Example:
        >>> from pathlib import Path
        >>> is_true(Path("a text " * 1000).is_file)
        False
    """
    with contextlib.suppress(OSError, ValueError):
        return question()
    return False


def decoded(content: bytes, command: str, name: str) -> str:
    """Read bytes that came with a command as text.

    Args:
        content: The bytes.
        command: Who complains.
        name: Where they are from.

    Returns:
        The text.

    Raises:
        InputError: If they are no UTF-8; it names the first one that is not.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got = f"{content[error.start]:#x} at byte {error.start}"
        remedy = "Convert it first, for example with iconv -f latin1 -t utf-8"
        raise InputError(message(command, name, "UTF-8 text", got, remedy)) from error


def typed(given: str, command: str, name: str) -> str:
    """Read an argument as text, whatever the encoding of the terminal.

    Args:
        given: The argument; Python keeps bytes that it cannot decode as lone surrogates.
        command: Who complains.
        name: The name of the argument.

    Returns:
        The text.

    Raises:
        InputError: If it is no UTF-8.
    """
    return decoded(given.encode(errors="surrogateescape"), command, name)

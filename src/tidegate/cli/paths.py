"""Arguments that may be texts or files, and the bytes of texts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

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


def names_existing(given: str, command: str, name: str) -> bool:
    """Say whether an argument that may be a text names a file: one rule for all commands.

    Args:
        given: The argument.
        command: Who complains.
        name: The name of the argument.

    Returns:
        Whether it does; else it is a text.

    Raises:
        InputError: If it names a folder, or a file that is not there.
    """
    from tidegate.files import names_file

    if not given or is_true(Path(given).is_file):
        return bool(given)
    folder = is_true(Path(given).is_dir)
    if not folder and (is_true(Path(given).exists) or not names_file(given)):
        return is_true(Path(given).exists)  # a pipe, such as that of <(...)
    got = f"the folder {given}" if folder else f"{given}, a file that is not there"
    given_so = "--text" if command == "predict" else "-, by standard input,"
    remedy = f"{given_so} takes anything as a text"
    raise InputError(message(command, name, "a file, or a text", got, remedy))


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

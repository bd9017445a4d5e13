"""Questions to the file system about arguments that may be texts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable


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

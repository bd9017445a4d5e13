"""Waiting: a bar on the screen for what takes longer than one likes to wait in silence."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress, TaskID

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds without a word."""


def waiting(items: Sequence[T], label: str, *, shown: bool = True) -> Iterator[T]:
    """Go over items; on a terminal a progress bar appears after `PATIENCE` seconds.

    Args:
        items: What to go over.
        label: What is being done.
        shown: Whether there may be a bar at all.

    Yields:
        The items.

    Example:
        >>> list(waiting([1, 2], "counting"))
        [1, 2]
    """
    bar: Progress | None = None
    began = time.monotonic()
    try:
        for done, item in enumerate(items):
            if shown and bar is None and time.monotonic() - began > PATIENCE:
                bar = _started(label, len(items))
            if bar is not None:
                bar.update(TaskID(0), completed=done)
            yield item
    finally:
        if bar is not None:
            bar.stop()


def _started(label: str, total: int) -> Progress:
    """Show a bar with one task; making it takes time that a single answer should not wait for."""
    console = Console(file=sys.stderr)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    bar.add_task(label, total=total)
    bar.start()
    return bar

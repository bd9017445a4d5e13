"""Waiting: a bar on the screen for what takes longer than one likes to wait in silence."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds without a word."""


def waiting(items: Sequence[T], label: str) -> Iterator[T]:
    """Go over items; on a terminal a progress bar appears after `PATIENCE` seconds.

    Args:
        items: What to go over.
        label: What is being done.

    Yields:
        The items.

    Example:
        >>> list(waiting([1, 2], "counting"))
        [1, 2]
    """
    console = Console(file=sys.stderr)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(label, total=len(items))
    began, shown = time.monotonic(), False
    try:
        for done, item in enumerate(items):
            if not shown and time.monotonic() - began > PATIENCE:
                bar.start()
                shown = True
            bar.update(task, completed=done)
            yield item
    finally:
        if shown:
            bar.stop()

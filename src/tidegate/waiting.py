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
    console = Console(file=sys.stderr)
    bar = Progress(console=console, transient=True, disable=not (shown and console.is_terminal))
    task = bar.add_task(label, total=len(items))
    began, started = time.monotonic(), False
    try:
        for done, item in enumerate(items):
            if not started and time.monotonic() - began > PATIENCE:
                bar.start()
                started = True
            bar.update(task, completed=done)
            yield item
    finally:
        if started:
            bar.stop()

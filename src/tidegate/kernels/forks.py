"""Forked processes: PyTorch's threads are not in the child, which would wait for them for ever."""

from __future__ import annotations

import os
import threading
import warnings
from pathlib import Path

import torch

_TASKS = Path("/proc/self/task")  # a folder for each thread; there on Linux alone


class _Fork:
    """What is known of the last fork, on either side of it.

    Attributes:
        loses: Whether threads run now that a child would miss.
        untold: Whether this process lost them, and nobody has been told.
    """

    def __init__(self) -> None:
        self.loses = self.untold = False

    def before(self) -> None:
        """Look whether there are threads besides those of Python."""
        several = torch.get_num_threads() > 1 and _TASKS.is_dir()
        self.loses = several and len(list(_TASKS.iterdir())) > threading.active_count()

    def after(self) -> None:
        """In the child, do with one thread: to wake the others would never end."""
        if self.loses:
            torch.set_num_threads(1)
            self.untold = True


_fork = _Fork()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_fork.before, after_in_child=_fork.after)


def tell() -> None:
    """Warn, once, if this is a forked process that has lost the threads of PyTorch."""
    if not _fork.untold:
        return
    _fork.untold = False
    if torch.get_num_threads() == 1:
        text = (
            "This process was forked from one with threads, which are not here: PyTorch would wait "
            "for them for ever, and so all runs on one thread. Start processes by multiprocessing."
            "get_context('spawn'), or call torch.set_num_threads(1) before the fork."
        )
        warnings.warn(text, RuntimeWarning, stacklevel=3)

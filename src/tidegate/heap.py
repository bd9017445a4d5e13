"""The heap: what one training step frees is kept for the next one."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator

# Parameters of mallopt, from glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_ALL = 2**31 - 1
# What glibc comes to by itself in a program that frees large blocks.
_USUAL = {_TRIM_THRESHOLD: 2**26, _MMAP_THRESHOLD: 2**25, _MMAP_MAX: 2**16}


@contextlib.contextmanager
def kept_heap() -> Iterator[None]:
    """Run a block in which freed memory stays with the process, and give it back afterwards.

    glibc returns large blocks to the system as soon as they are free. A training step that needs
    hundreds of megabytes then gets them back page by page, each filled with zeros first, again and
    again, which can take half of its time. The price: blocks of changing sizes do not fill the
    gaps of those before them, so the process may hold two to three times as much as it uses.
    Other C libraries are left alone.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(_MMAP_MAX, 0)
    libc.mallopt(_TRIM_THRESHOLD, _ALL)
    try:
        yield
    finally:
        for parameter, value in _USUAL.items():
            libc.mallopt(parameter, value)
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library of the process, if it is glibc."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None

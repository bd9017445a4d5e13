"""The heap: what one training step frees is kept for the next one."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Callable, Iterator

# Parameters of mallopt, from glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_NEVER = -1
# What glibc comes to by itself in a program that frees large blocks.
_USUAL = {_TRIM_THRESHOLD: 2**26, _MMAP_THRESHOLD: 2**25, _MMAP_MAX: 2**16}


class _Usage(ctypes.Structure):
    """glibc's struct mallinfo2; `free` are the bytes that nobody uses, called fordblks there."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in ("arena", "a", "b", "c", "d", "e", "f", "used", "free", "top")
    )


@contextlib.contextmanager
def kept_heap(most: int) -> Iterator[Callable[[], None]]:
    """Run a block in which freed memory stays with the process, and give it back afterwards.

    glibc returns large blocks to the system as soon as they are free. A training step that needs
    hundreds of megabytes then gets them back page by page, each filled with zeros first, again and
    again, which can take half of its time. The price: blocks of changing sizes do not fill the
    gaps that others left, so that the process holds two to three times as much as it uses. Other C
    libraries are left alone.

    Args:
        most: Bytes that may be kept without being used.

    Yields:
        A function to call from time to time: it gives back what is free if it is more than that.
    """
    libc = _glibc()
    if libc is None:
        yield lambda: None
        return
    libc.mallopt(_MMAP_MAX, 0)
    libc.mallopt(_TRIM_THRESHOLD, _NEVER)

    def tidy() -> None:
        if libc.mallinfo2().free > most:
            libc.malloc_trim(0)

    try:
        yield tidy
    finally:
        for parameter, value in _USUAL.items():
            libc.mallopt(parameter, value)
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library of the process, if it is glibc, of 2021 or later."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallinfo2"):
        return None
    libc.mallinfo2.restype = _Usage
    return libc

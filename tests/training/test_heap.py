"""Memory that stays with the process while it is needed again and again."""

from __future__ import annotations

import ctypes
import functools
import platform
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tidegate.training import heap
from tidegate.training.heap import kept_heap

BYTES = 96 * 2**20
PAGES = BYTES // resource.getpagesize()

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")


def alone(test):
    """Run a test in a process of its own, whose heap no other test has left as it is."""

    @functools.wraps(test)
    def run():
        code = f"from tests.training import test_heap as t; t.{test.__name__}.__wrapped__()"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert not done.returncode, done.stderr

    return run


def clean() -> ctypes.CDLL:
    """The C library, with nothing kept that was freed before."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]
    libc.malloc_trim(0)
    return libc


def faults(times: int) -> int:
    """Pages that the system hands out while a large tensor is made and dropped."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        torch.zeros(BYTES // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def pages(*, resident: bool = True) -> int:
    """Pages of the process: those in memory, or all that it has addresses for."""
    counts = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(counts[1] if resident else counts[0])


def unused() -> int:
    """Bytes that the C library counts as free, those of gaps that were given back among them."""
    return heap._glibc().mallinfo2().free


def keeps_what_is_freed(libc: ctypes.CDLL) -> bool:
    """Whether the process stays larger after a block longer than any gap is freed, never used."""
    before = pages(resident=False)
    libc.free(libc.malloc(2**32))
    return pages(resident=False) > before + 2**31 // resource.getpagesize()


@alone
def test_freed_memory_is_used_again_within_the_block_and_given_back_after_it():
    clean()
    before = pages()
    with kept_heap(2**40):
        faults(20)  # small blocks among large ones may keep these apart at first
        within, kept = faults(4), pages()
    assert within < PAGES / 10
    assert kept > before + PAGES / 2
    assert pages() < before + PAGES / 4


@alone
def test_more_than_allowed_is_given_back_within_the_block():
    clean()
    before = pages()
    with kept_heap(unused() + 10 * BYTES) as tidy:
        faults(1)
        tidy()
        assert pages() > before + PAGES / 2
    with kept_heap(BYTES // 4) as tidy:
        faults(1)
        tidy()
        assert pages() < before + PAGES / 4


@alone
def test_what_is_freed_after_the_block_goes_back_at_once():
    libc = clean()
    with kept_heap(2**40):
        assert keeps_what_is_freed(libc)
    assert not keeps_what_is_freed(libc)


@alone
def test_an_error_ends_the_block_too():
    libc = clean()
    with pytest.raises(ValueError, match="no"), kept_heap(2**40):
        raise ValueError("no")
    assert not keeps_what_is_freed(libc)

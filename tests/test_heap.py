"""Memory that stays with the process while it is needed again and again."""

from __future__ import annotations

import platform
import resource
from pathlib import Path

import pytest
import torch

from tidegate.heap import kept_heap

BYTES = 96 * 2**20
PAGES = BYTES // resource.getpagesize()

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")


def faults(times: int) -> int:
    """Pages that the system hands out while a large tensor is made and dropped."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        torch.zeros(BYTES // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


def test_freed_memory_is_used_again_within_the_block_and_given_back_after_it():
    before = resident()
    with kept_heap(2**40):
        faults(20)  # small blocks among large ones may keep these apart at first
        within, kept = faults(4), resident()
    assert within < PAGES / 10
    assert kept > before + PAGES / 2
    assert resident() < before + PAGES / 4
    assert faults(4) > PAGES


def test_more_than_allowed_is_given_back_within_the_block():
    before = resident()
    with kept_heap(10 * BYTES) as tidy:
        faults(1)
        tidy()
        assert resident() > before + PAGES / 2
    with kept_heap(BYTES // 4) as tidy:
        faults(1)
        tidy()
        assert resident() < before + PAGES / 4


def test_an_error_ends_the_block_too():
    with pytest.raises(ValueError, match="no"), kept_heap(2**40):
        faults(4)
        raise ValueError("no")
    assert faults(4) > PAGES

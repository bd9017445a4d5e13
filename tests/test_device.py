"""Devices, and random numbers that are the caller's or ours but never mixed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tidegate.device import (
    memory,
    pick_device,
    random_state,
    reseed,
    seeded,
    set_random_state,
    single,
)
from tidegate.errors import InputError

CPU = torch.device("cpu")


def test_auto_takes_a_gpu_if_there_is_one():
    assert pick_device("cpu") == CPU
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["cuda:99", "fast", ""])
def test_a_device_that_is_not_there_is_named(name):
    with pytest.raises(
        InputError, match=rf"`device` must be a device of this machine; got '{name}"
    ):
        pick_device(name)


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="Linux alone tells it there")
def test_memory_is_that_of_the_machine():
    told = memory(CPU)
    kibibytes = int(Path("/proc/meminfo").read_text().split()[1])
    assert told == pytest.approx(kibibytes * 1024, rel=0.01)
    assert memory(torch.device("meta")) is None


def test_a_seeded_block_repeats_and_leaves_the_callers_numbers_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeded(1, CPU):
        first = torch.rand(4)
    assert torch.equal(torch.rand(3), expected)
    with seeded(1, CPU):
        assert torch.equal(torch.rand(4), first)
    with seeded(2, CPU):
        assert not torch.equal(torch.rand(4), first)


def test_each_part_of_the_work_has_its_own_numbers():
    draws = []
    with seeded(0, CPU):
        for seed, part in [(0, 0), (0, 1), (1, 0), (0, 1)]:
            reseed(seed, part)
            draws.append(torch.rand(2).tolist())
    assert draws[1] == draws[3]
    assert len({tuple(draw) for draw in draws}) == 3


def test_a_random_state_is_put_back():
    state = random_state(CPU)
    first = torch.rand(3)
    set_random_state(state, CPU)
    assert torch.equal(torch.rand(3), first)


@pytest.mark.gpu
def test_the_gpus_numbers_are_seeded_and_put_back_too():
    gpu = torch.device("cuda")
    before = torch.cuda.get_rng_state()
    with seeded(1, gpu):
        state = random_state(gpu)
        first = torch.rand(4, device=gpu)
        set_random_state(state, gpu)
        assert torch.equal(torch.rand(4, device=gpu), first)
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_what_a_program_makes_by_default_is_its_own_outside_of_a_block_in_float32():
    torch.set_default_dtype(torch.float64)
    try:
        with pytest.raises(ZeroDivisionError), single():
            assert torch.zeros(1).dtype == torch.float32
            _ = 1 / 0
        assert torch.zeros(1).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)

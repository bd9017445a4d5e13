"""Devices, and random numbers that are the caller's or ours but never mixed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from tidegate.device import (
    building,
    draw,
    dropout,
    generator,
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


def drawn(count: int = 3) -> torch.Tensor:
    return torch.rand(count, generator=generator(CPU))


def test_a_seeded_block_repeats_and_leaves_the_callers_numbers_alone():
    state = torch.get_rng_state()
    with seeded(1, CPU):
        first = drawn()
        with seeded(2, CPU):
            assert not torch.equal(drawn(), first)
        second = drawn()
    with seeded(1, CPU):
        assert torch.equal(drawn(), first)
        assert torch.equal(drawn(), second)
    assert generator(CPU) is None
    assert torch.equal(torch.get_rng_state(), state)


def test_foreign_parts_are_seeded_and_the_callers_numbers_put_back():
    state = torch.get_rng_state()
    found = []
    for _ in range(2):
        with seeded(1, CPU, foreign=True):
            first = torch.rand(3)
            kept = random_state()
            second = torch.rand(3), drawn()
            set_random_state(kept)
            assert all(map(torch.equal, (torch.rand(3), drawn()), second))
            found.append(first)
    assert torch.equal(*found)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_built_draws_from_the_block():
    state, found = torch.get_rng_state(), []
    for seed in (1, 1, 2):
        with building(seed, CPU):
            layers = torch.nn.Linear(2, 3), torch.nn.Embedding(2, 3), torch.nn.Conv1d(2, 3, 1)
            numbers = torch.randn(2), torch.empty(2).uniform_(), torch.randperm(9)
        weights = [weight for layer in layers for weight in layer.parameters()]
        found.append([part.detach() for part in (*weights, *numbers)])
    assert all(map(torch.equal, found[0], found[1]))
    assert not any(map(torch.equal, found[0], found[2]))
    assert torch.equal(torch.get_rng_state(), state)


def test_dropout_is_that_of_torch_whose_seed_is_the_same():
    x = torch.linspace(1, 2, 1000)
    for rate in (0.0, 0.3, 1.0):
        with seeded(1, CPU, foreign=True):
            assert torch.equal(dropout(x, rate), torch.nn.functional.dropout(x, rate))
    with seeded(1, CPU):
        assert torch.equal(dropout(x, 0.5, training=False), x)
        assert not torch.equal(dropout(x, 0.5), dropout(x, 0.5))
        assert set(draw(x).round().tolist()) == {0.0, 1.0}


def test_threads_have_numbers_of_their_own():
    def work(seed: int) -> list[float]:
        with seeded(seed, CPU):
            return [float(drawn(1)) for _ in range(200)]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, [0, 1, 2, 3]))
    assert together == [work(seed) for seed in (0, 1, 2, 3)]


def test_each_part_of_the_work_has_its_own_numbers():
    draws = []
    with seeded(0, CPU):
        for seed, part in [(0, 0), (0, 1), (1, 0), (0, 1)]:
            reseed(seed, part)
            draws.append(drawn().tolist())
    assert draws[1] == draws[3]
    assert len({tuple(draw) for draw in draws}) == 3


@pytest.mark.gpu
def test_the_gpus_numbers_are_the_blocks_own_too():
    gpu = torch.device("cuda")
    before = torch.cuda.get_rng_state()
    with seeded(1, gpu):
        state = random_state()
        first = torch.rand(4, device=gpu, generator=generator(gpu))
        set_random_state(state)
        assert torch.equal(torch.rand(4, device=gpu, generator=generator(gpu)), first)
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

"""Devices and their random numbers: what to run on, and seeds that leave the caller's alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from tidegate.errors import InputError, message


def pick_device(name: str) -> torch.device:
    """Turn the setting `device` into a device of this machine.

    Args:
        name: "auto", "cpu", "cuda", "cuda:1" or "mps".

    Returns:
        The device; "auto" prefers a GPU.

    Raises:
        InputError: If this machine has no such device.

    Example:
        >>> pick_device("cpu")
        device(type='cpu')
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise _refuse(name, "Names are auto, cpu, cuda, cuda:1 and mps") from error
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA asserts
        reason = str(error).splitlines()[0].rstrip(".")
        raise _refuse(name, f"Pass device='cpu', which always works ({reason})") from error
    return device


def _refuse(name: str, remedy: str) -> InputError:
    return InputError(message("device", "device", "a device of this machine", repr(name), remedy))


def memory(device: torch.device) -> int | None:
    """Return the bytes of memory that a device has, or None where that is not known.

    Args:
        device: The CPU or a GPU.

    Example:
        >>> memory(torch.device("cpu")) != 0
        True
    """
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    names = getattr(os, "sysconf_names", {})  # not there on Windows
    if device.type != "cpu" or "SC_PHYS_PAGES" not in names:
        return None
    return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


@contextlib.contextmanager
def single() -> Iterator[None]:
    """Run a block, or the function below it, in float32, which all networks of tasks are made of.

    It matters where the program has another default for its own tensors. That default is one of
    the whole process: whoever changes it should not fit in several threads.

    Example:
        >>> with single():
        ...     torch.zeros(1).dtype
        torch.float32
    """
    before = torch.get_default_dtype()
    if before == torch.float32:
        yield
        return
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Run a block with torch's generators seeded, and put back the caller's afterwards.

    Args:
        seed: The user's `random_state`.
        device: Whose generator to seed besides the CPU's.
    """
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        reseed(seed, 0)
        yield


def reseed(seed: int, part: int) -> None:
    """Seed torch's generators for one part of the work, each of which has its own numbers.

    Args:
        seed: The user's `random_state`.
        part: 0 for the start of the weights, then the epoch from 1.
    """
    mixed = np.random.SeedSequence([seed, part]).generate_state(1, np.uint64)
    torch.manual_seed(int(mixed[0]))


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return the state of the generators of the CPU and of `device`, for a checkpoint."""
    state = {"cpu": torch.get_rng_state()}
    return state | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Put the generators of the CPU and of `device` back into a state."""
    torch.set_rng_state(state["cpu"])
    if "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)

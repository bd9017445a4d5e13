"""Devices and their random numbers: what to run on, and seeds that leave the caller's alone."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

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


class _Own(threading.local):
    """The generators of the work that this thread does, by the type of their device."""

    generators: Mapping[str, torch.Generator] = {}
    shares: bool = False


_own = _Own()


@contextlib.contextmanager
def seeded(seed: int, device: torch.device, *, foreign: bool = False) -> Iterator[None]:
    """Give a block, in this thread alone, generators of its own; torch's are left alone.

    What draws says so, by `generator` or `dropout`; `building` sees to what does not.

    Args:
        seed: The user's `random_state`.
        device: Which may draw besides the CPU.
        foreign: Whether somebody in the block draws from torch's own generators, as parts of a
            network do that know nothing of this module. Those are seeded, too, and put back
            afterwards; another thread that draws from them meanwhile is disturbed.
    """
    before = vars(_own).copy()
    kinds = {"cpu", device.type} if device.type == "cuda" else {"cpu"}
    _own.generators = {kind: torch.Generator(kind) for kind in kinds}
    _own.shares = foreign
    devices = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices, enabled=foreign):
            reseed(seed, 0)
            yield
    finally:
        vars(_own).clear()
        vars(_own).update(before)


def generator(device: torch.device) -> torch.Generator | None:
    """Return what to draw from on a device, None for torch's own generator.

    Args:
        device: Where the numbers will stand.

    Example:
        >>> with seeded(0, torch.device("cpu")):
        ...     first = torch.rand(3, generator=generator(torch.device("cpu")))
        >>> with seeded(0, torch.device("cpu")):
        ...     torch.equal(first, torch.rand(3, generator=generator(torch.device("cpu"))))
        True
    """
    if torch.compiler.is_compiling():  # a graph outlives the block
        return None
    return _own.generators.get(device.type)


def draw(like: Tensor) -> Tensor:
    """Draw a float from [0, 1) for each place of a tensor.

    Args:
        like: Any shape and type.
    """
    return torch.rand(like.shape, device=like.device, generator=generator(like.device))


def dropout(values: Tensor, rate: float, training: bool = True) -> Tensor:
    """Put numbers to zero with a probability, and scale up the others, as torch's own dropout does.

    Args:
        values: Any shape.
        rate: The probability.
        training: Whether to do anything.
    """
    source = generator(values.device)
    if source is None or not training or not 0 < rate < 1:
        return F.dropout(values, rate, training)
    mask = torch.empty_like(values, requires_grad=False).bernoulli_(1 - rate, generator=source)
    return values * mask.div_(1 - rate)


# What draws in torch, and takes a generator.
_DRAWS = frozenset(
    "rand randn randint randperm normal bernoulli multinomial uniform_ normal_ random_ bernoulli_ "
    "exponential_ log_normal_ geometric_ cauchy_ trunc_normal_ sparse_ orthogonal_ "
    "kaiming_uniform_ kaiming_normal_ xavier_uniform_ xavier_normal_".split()
)


class _Drawing(TorchFunctionMode):
    """Lets what draws without a word of it draw from the block's own generators."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call a function of torch, with a generator if it draws and has none."""
        given = dict(kwargs or {})
        if getattr(func, "__name__", "") in _DRAWS and given.get("generator") is None:
            tensors = [part for part in (*args, *given.values()) if isinstance(part, Tensor)]
            place = tensors[0].device if tensors else given.get("device")
            own = generator(torch.device(place or torch.get_default_device()))
            if own is not None:
                given["generator"] = own
        return func(*args, **given)


@contextlib.contextmanager
def building(seed: int, device: torch.device) -> Iterator[None]:
    """Give a block generators of its own, from which the layers of torch draw their weights too.

    It takes a microsecond a call of torch, and so is for making networks, not for training them.

    Args:
        seed: The user's `random_state`.
        device: Which may draw besides the CPU.
    """
    with seeded(seed, device), _Drawing():
        yield


def reseed(seed: int, part: int) -> None:
    """Seed the generators of the block for one part of the work, which has its own numbers.

    Args:
        seed: The user's `random_state`.
        part: 0 for the start of the weights, then the epoch from 1.
    """
    mixed = int(np.random.SeedSequence([seed, part]).generate_state(1, np.uint64)[0])
    for own in _own.generators.values():
        own.manual_seed(mixed)
    if _own.shares:
        torch.manual_seed(mixed)


def random_state() -> dict[str, Tensor]:
    """Return the state of the generators of the block, for a checkpoint."""
    state = {kind: own.get_state() for kind, own in _own.generators.items()}
    if _own.shares:
        state |= {f"torch.{kind}": _states_of_torch[kind][0]() for kind in _own.generators}
    return state


def set_random_state(state: Mapping[str, Tensor]) -> None:
    """Put the generators of the block back into a state."""
    for kind, own in _own.generators.items():
        own.set_state(state[kind])
        if _own.shares:
            _states_of_torch[kind][1](state.get(f"torch.{kind}", state[kind]))


_states_of_torch: dict[str, tuple[Callable[[], Tensor], Callable[[Tensor], None]]] = {
    "cpu": (torch.get_rng_state, torch.set_rng_state),
    "cuda": (torch.cuda.get_rng_state, torch.cuda.set_rng_state),
}

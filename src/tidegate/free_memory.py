"""Free memory: what a device has left, limits of containers and processes included."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import torch

from tidegate.device import memory

_CONTROLS = Path("/sys/fs/cgroup")
# Files of control groups that say the limit and the use, by version of the kernel's interface.
_LIMITS = {
    "": ("memory.max", "memory.current", "inactive_file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def free_memory(device: torch.device) -> int | None:
    """Return the bytes that a device has left for this process, or None where that is not known.

    Args:
        device: The CPU or a GPU.

    Example:
        >>> free_memory(torch.device("cpu")) != 0
        True
    """
    if device.type == "cuda":
        # What torch holds without using it is free for whoever asks torch.
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + held
    if device.type != "cpu":
        return None
    system = _table(Path("/proc/meminfo")).get("MemAvailable:")
    found = [memory(device) if system is None else system * 2**10, _address_space()]
    found += list(_of_groups(Path("/proc/self/cgroup"), _CONTROLS))
    return min((room for room in found if room is not None), default=None)


def _address_space() -> int | None:
    """What is left of the addresses that a process may have, where they are limited."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    used = _table(Path("/proc/self/status")).get("VmSize:")
    if limit == resource.RLIM_INFINITY or used is None:
        return None
    return max(0, limit - used * 2**10)


def _of_groups(membership: Path, controls: Path) -> Iterator[int]:
    """What the control groups of this process leave, from its own up to the first.

    Args:
        membership: The file that names them, a line each: number, controllers, path.
        controls: The folder with a folder for each; in a container it may be the group itself.
    """
    for line in _text(membership).splitlines():
        _, controllers, inside = line.split(":", 2)
        if controllers not in _LIMITS:
            continue
        most, used, cache = _LIMITS[controllers]
        top = controls / controllers
        group = top / inside.strip("/")
        for folder in (group, *group.parents):
            limit, use = _text(folder / most).strip(), _text(folder / used).strip()
            if limit.isdigit() and use.isdigit():
                # What files were read is kept while nobody needs the place.
                reclaimable = _table(folder / "memory.stat").get(cache, 0)
                yield max(0, int(limit) - int(use) + reclaimable)
            if folder == top:
                break


def _table(path: Path) -> dict[str, int]:
    """Read a file of names and numbers."""
    rows = (line.split() for line in _text(path).splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


def _text(path: Path) -> str:
    try:
        return os.fsdecode(path.read_bytes())
    except OSError:
        return ""

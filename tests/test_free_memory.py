"""Free memory is the least of what the system, control groups and the process itself leave."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from tidegate.device import memory
from tidegate.free_memory import _of_groups, free_memory

CPU = torch.device("cpu")


def test_it_is_less_than_all_there_is():
    assert 0 < free_memory(CPU) < memory(CPU)


def test_nobody_knows_it_of_other_devices():
    assert free_memory(torch.device("meta")) is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="told by Linux alone")
def test_a_limit_of_the_process_counts():
    code = (
        "import resource, torch; from tidegate.free_memory import free_memory;"
        "resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33));"
        "print(free_memory(torch.device('cpu')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(done.stdout) < 2**33


def group(folder, names, most, used, cache):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(names, (most, used), strict=True):
        (folder / name).write_text(f"{text}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{cache} 30\n")


def test_each_control_group_above_the_process_may_limit_it(tmp_path):
    names = "memory.max", "memory.current"
    group(tmp_path / "a" / "b", names, "max", 100, "inactive_file")
    group(tmp_path / "a", names, 1000, 400, "inactive_file")
    membership = tmp_path / "membership"
    membership.write_text("3:cpu:/x\n0::/a/b\n")
    assert list(_of_groups(membership, tmp_path)) == [630]


def test_the_first_version_of_control_groups_is_read_too_and_a_path_outside_left_alone(tmp_path):
    names = "memory.limit_in_bytes", "memory.usage_in_bytes"
    group(tmp_path / "memory", names, 1000, 1500, "total_inactive_file")
    membership = tmp_path / "membership"
    membership.write_text("4:memory:/not/there\n0::/\n")
    assert list(_of_groups(membership, tmp_path)) == [0]
    assert list(_of_groups(tmp_path / "missing", tmp_path)) == []

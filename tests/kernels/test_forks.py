"""Forked processes: they do their work where plain PyTorch would wait for ever."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

from tidegate.kernels import forks

WORK = """
import os, signal, torch
import tidegate.nn as tn

layer = tn.GRU(64, 64)

def work():
    tokens = torch.nn.Embedding(1000, 64)(torch.randint(0, 1000, (50, 64)))
    layer(tokens)[0].sum().backward()
    return torch.randn(1000, 1000) @ torch.randn(1000, 1000)

torch.set_num_threads(2)
work()
for _ in range(2):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        work()
        os._exit(torch.get_num_threads())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1, "one thread"
assert torch.get_num_threads() == 2
"""

linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="Linux alone tells threads")


@linux
def test_a_child_works_on_one_thread_and_says_why():
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("RuntimeWarning: This process was forked from one with threads") == 2


def test_a_process_without_other_threads_is_left_alone(monkeypatch):
    fork = forks._Fork()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    fork.before()
    fork.after()
    assert not fork.loses
    assert not fork.untold


@linux
def test_it_is_told_once(monkeypatch):
    fork = forks._Fork()
    fork.untold = True
    monkeypatch.setattr(forks, "_fork", fork)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    with pytest.warns(RuntimeWarning, match="spawn"):
        forks.tell()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forks.tell()

"""What torch.compile is told about functions that it cannot look into."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from tidegate.kernels.compiling import constant


def test_what_a_function_returned_while_the_graph_was_drawn_is_kept():
    asked = []

    @constant
    def answer() -> int:
        asked.append(1)
        return 3

    assert answer() == 3
    torch._dynamo.reset()
    graph = torch.compile(lambda x: x * answer(), fullgraph=True, backend="eager")
    for _ in range(3):
        assert graph(torch.tensor([2.0])).item() == 6
    assert len(asked) == 2  # once by itself, once while the graph was drawn


def test_without_the_mark_it_is_looked_into():
    torch._dynamo.reset()

    def answer() -> int:
        return int(sys.stdin.fileno() >= 0)

    with pytest.raises(torch._dynamo.exc.TorchDynamoException):
        torch.compile(lambda x: x * answer(), fullgraph=True, backend="eager")(torch.ones(1))


def test_the_mark_imports_no_compiler():
    code = "import sys, tidegate.kernels; print('torch._dynamo' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

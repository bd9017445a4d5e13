"""`tidegate bench`: a line for each finding, and what is said where there can be none."""

from __future__ import annotations

import re

import pytest
import torch

from tests.cli.conftest import one_line
from tests.kernels.native_cases import needs_native
from tidegate import bench
from tidegate.kernels import library

TINY = (bench.Shape("LSTM", 3, 4, 2, 5, bidirectional=True), bench.Shape("GRU", 1, 4, 2, 3))


@needs_native
def test_the_command_prints_machine_peak_and_a_line_for_each_finding(run, monkeypatch):
    monkeypatch.setattr(bench, "SHAPES", TINY)
    monkeypatch.setattr(bench, "peak", lambda: 123.4)
    threads = torch.get_num_threads()
    done = run("bench", "--seconds", "0.001", "--threads", "1")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    for part in ("1 threads", library.describe(), torch.__version__, "123 GFLOP/s", "of peak"):
        assert part in done.stdout
    for shape in TINY:
        for phase in bench.PHASES:
            numbers = r" +[\d.]+ ms +[\d.]+ ms +[\d.]+× +\d+ +\d+%"
            assert re.search(rf"^{shape} +{phase}{numbers}$", done.stdout, re.MULTILINE)
    assert "times as fast, with the same results." in done.stdout
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--threads", "0"), "bench: `--threads` must be a number >= 1; got 0."),
        (("--seconds", "0"), "bench: `--seconds` must be a number > 0; got 0.0."),
        (("--seconds", "nan"), "bench: `--seconds` must be a number > 0; got nan."),
    ],
)
def test_numbers_out_of_range_are_one_line(run, words, expected):
    assert expected in one_line(run("bench", *words))


def test_without_the_library_one_line_says_how_to_get_it(run, monkeypatch):
    monkeypatch.setattr(library, "LIBRARY", None)
    monkeypatch.setattr(library, "PROBLEM", "The native library is not here: build it")
    done = run("bench")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr == "error: The native library is not here: build it.\n"

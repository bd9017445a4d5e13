"""`tidegate bench`: prints how fast this machine is, and native layers beside torch.nn."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from rich.text import Text

from tidegate import bench
from tidegate.cli import console
from tidegate.errors import InputError, message
from tidegate.kernels.library import describe, opened

_HEADS = ("rows×steps×in×hidden", "pass", "tidegate", "torch.nn", "faster", "GFLOP/s", "of peak")
_WIDTHS = (28, 11, 11, 11, 9, 9, 9)


def show(threads: int | None, seconds: float) -> None:
    """Measure, and print a line as soon as there is one.

    Args:
        threads: How many threads to use; None for as many as torch takes by itself.
        seconds: How long to time each layer in each phase, about.

    Raises:
        InputError: If a number is out of range.
        BackendError: If the native library is not here, or wrong.
    """
    if threads is not None and threads < 1:
        raise InputError(message("bench", "--threads", "a number >= 1", threads))
    if not seconds > 0:
        raise InputError(message("bench", "--seconds", "a number > 0", seconds))
    opened()
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        _show(seconds)
    finally:
        torch.set_num_threads(before)


def _show(seconds: float) -> None:
    to = console.out()
    with console.err().status("measuring the peak of this machine ..."):
        peak = bench.peak()
    facts = {
        "processor": f"{bench.processor()}, {torch.get_num_threads()} threads",
        "instructions": describe(),
        "torch": torch.__version__,
        "peak": f"{peak:,.0f} GFLOP/s, fused multiply-adds in float32",
    }
    to.print(console.pairs(facts))
    to.print()
    to.print(Text(_line(_HEADS), style="dim"), soft_wrap=True)
    ratios = []
    for measured in _told(bench.measure(bench.SHAPES, seconds), 2 * len(bench.SHAPES)):
        to.print(_row(measured, peak), soft_wrap=True)
        ratios.append(measured.ratio)
    to.print(f"\n{min(ratios):.1f} to {max(ratios):.1f} times as fast, with the same results.")


def _told(findings: Iterator[bench.Measurement], count: int) -> Iterator[bench.Measurement]:
    """Show what is going on while each measurement is waited for, and only then."""
    for index in range(1, count + 1):
        with console.err().status(f"measuring {index} of {count} ..."):
            measured = next(findings)
        yield measured


def _row(measured: bench.Measurement, peak: float) -> str:
    return _line(
        (
            str(measured.shape),
            measured.phase,
            f"{1e3 * measured.seconds:.2f} ms",
            f"{1e3 * measured.torch_seconds:.2f} ms",
            f"{measured.ratio:.1f}×",
            f"{measured.gflops:.0f}",
            f"{measured.gflops / peak:.0%}",
        )
    )


def _line(cells: tuple[str, ...]) -> str:
    first, *rest = (f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
    return cells[0].ljust(len(first)) + "".join(rest)

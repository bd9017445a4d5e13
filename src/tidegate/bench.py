"""What `tidegate bench` runs: how fast this machine can be, and native layers beside torch.nn."""

from __future__ import annotations

import ctypes
import gc
import math
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tidegate.errors import BackendError, message
from tidegate.kernels.library import opened
from tidegate.nn import GRU, LSTM, RNN

# max|a - b| / (1 + max|b|) between two float32 results: outputs, and gradients.
BOUNDS = (1e-5, 1e-4)
PHASES = ("training", "inference")

_LAYERS: dict[str, Any] = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}
# A sample shorter than this drowns in what else the machine does.
_SAMPLE_SECONDS = 2e-3
_MOST_SAMPLES = 50
_LONG_SECONDS = 5.0


_REST = 0.01  # seconds; OpenMP's threads spin for about half of it


@dataclass(frozen=True)
class Shape:
    """One layer over one batch: B rows of T steps, I inputs, H hidden units.

    Attributes:
        kind: "LSTM", "GRU" or "RNN".
        B: Rows.
        T: Steps.
        I: Input features.
        H: Hidden units.
        bidirectional: Whether it also walks backwards.
    """

    kind: str
    B: int
    T: int
    I: int  # noqa: E741 - an axis letter
    H: int
    bidirectional: bool = False

    def __str__(self) -> str:
        """Such as "BiLSTM 64×200×128×128"."""
        return f"{'Bi' * self.bidirectional}{self.kind} {self.B}×{self.T}×{self.I}×{self.H}"


SHAPES = (
    Shape("LSTM", 64, 200, 128, 128),
    Shape("LSTM", 64, 200, 128, 128, bidirectional=True),
    Shape("LSTM", 32, 60, 1, 50),
    Shape("LSTM", 1, 1000, 64, 64),
    Shape("GRU", 64, 200, 128, 128),
    Shape("RNN", 64, 200, 128, 128),
)


@dataclass(frozen=True)
class Measurement:
    """What was measured of one shape in one phase.

    Attributes:
        shape: The layer and its batch.
        phase: One of `PHASES`.
        seconds: Median time of the native layer.
        torch_seconds: Median time of its namesake in torch.nn.
        flops: Floating-point operations of the matrix products in one call.
    """

    shape: Shape
    phase: str
    seconds: float
    torch_seconds: float
    flops: int

    @property
    def ratio(self) -> float:
        """How many times as fast as torch.nn."""
        return self.torch_seconds / self.seconds

    @property
    def gflops(self) -> float:
        """Billions of floating-point operations a second, native."""
        return self.flops / self.seconds / 1e9


def processor() -> str:
    """Name the processor, as well as this system knows it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    return model or platform.processor() or platform.machine()


def peak(seconds: float = 0.5) -> float:
    """Measure the fused multiply-adds of this machine with torch's number of threads.

    Args:
        seconds: How long to measure.

    Returns:
        GFLOP/s, two operations each, in the instruction set that the native library has chosen.

    Raises:
        BackendError: If the native library is not here.
    """
    measured = opened().tidegate_peak
    measured.argtypes = (ctypes.c_int32, ctypes.c_double)
    measured.restype = ctypes.c_double
    return float(measured(torch.get_num_threads(), seconds))


def measure(
    shapes: Sequence[Shape] = SHAPES, seconds: float = 1.0, backend: str = "native"
) -> Iterator[Measurement]:
    """Time layers and torch.nn in turn, after checking that they compute the same.

    Args:
        shapes: What to measure.
        seconds: How long to time each layer in each phase, about.
        backend: What runs tidegate's layers.

    Yields:
        One measurement for each shape and phase, as soon as there is one.

    Raises:
        BackendError: If the backend cannot run a shape, or computes something else than
            torch.nn.
    """
    for shape in shapes:
        ours, theirs, x, dy = _layers(shape, backend)
        _check(shape, ours, theirs, x, dy)
        flops = 2 * ours.summary(shape.T, shape.B).multiply_adds
        for phase, passes in zip(PHASES, (3, 1), strict=True):
            calls = {
                "tidegate": _call(ours, x, dy, phase),
                "torch": _call(theirs, x, dy, phase),
            }
            times = interleave(calls, seconds=seconds)
            medians = {name: statistics.median(found) for name, found in times.items()}
            yield Measurement(shape, phase, medians["tidegate"], medians["torch"], passes * flops)


def interleave(
    calls: Mapping[str, Callable[[], object]], *, seconds: float = 1.0, rounds: int | None = None
) -> dict[str, list[float]]:
    """Time calls in turn, round after round, so that a busy minute of the machine hits them all.

    Right before each sample, unless the call is long, there is a moment of rest, for the threads of
    some libraries spin on after their work, and then an untimed call: caches and pools of threads
    are its own, not those of the call before it.

    Args:
        calls: What to time, by name.
        seconds: How long to time each, about; a call that is longer is timed twice all the same.
        rounds: Samples of each call, in place of as many as fit into `seconds`.

    Returns:
        The seconds of one call, sample by sample, for each name.
    """
    plans = {name: _Plan.of(call, seconds, rounds) for name, call in calls.items()}
    most = max(plan.samples for plan in plans.values())
    times = {name: list(plan.taken) for name, plan in plans.items()}
    names = list(plans)
    collecting = gc.isenabled()
    gc.disable()
    try:
        for turn in range(most):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                if plans[name].due(turn, most):
                    times[name].append(plans[name].sample())
    finally:
        if collecting:
            gc.enable()
    return times


@dataclass(frozen=True)
class _Plan:
    """How one call is timed: so many samples of so many calls each, some of them taken already."""

    call: Callable[[], object]
    samples: int
    calls: int
    warm: bool
    taken: tuple[float, ...]

    @classmethod
    def of(cls, call: Callable[[], object], seconds: float, rounds: int | None) -> _Plan:
        once = _time(call, 1)
        if once < 1:
            once = min(once, _time(call, 1))
        calls = max(1, math.ceil(_SAMPLE_SECONDS / once))
        warm = once < 0.25
        fitting = seconds / (calls + warm) / once
        samples = rounds or min(_MOST_SAMPLES, max(2, int(fitting)))
        # Whatever a first call does besides is nothing to one of many seconds.
        taken = (once,) if once > _LONG_SECONDS else ()
        return cls(call, samples - len(taken), calls, warm, taken)

    def due(self, turn: int, turns: int) -> bool:
        """Spread the samples evenly over all turns."""
        return (turn + 1) * self.samples // turns > turn * self.samples // turns

    def sample(self) -> float:
        if self.warm:
            time.sleep(_REST)
            self.call()
        return _time(self.call, self.calls) / self.calls


def _time(call: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - start


def difference(actual: Tensor, expected: Tensor) -> float:
    """Compare two results as the bounds count: max|a - b| / (1 + max|b|).

    Args:
        actual: Any shape.
        expected: The same shape.

    Returns:
        The difference; infinite where the shapes differ or something is not a number.
    """
    if actual.shape != expected.shape:
        return math.inf
    a, b = actual.detach().double(), expected.detach().double()
    if not b.numel():
        return 0.0
    return float(((a - b).abs().max() / (1 + b.abs().max())).nan_to_num(math.inf))


def _layers(shape: Shape, backend: str) -> tuple[Any, nn.RNNBase, Tensor, Tensor]:
    """Both layers with the same weights, their input and the gradient of their output."""
    width = shape.H * (2 if shape.bidirectional else 1)
    # Whoever measures must not move the random numbers of what else this process does.
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        theirs = getattr(nn, shape.kind)(
            shape.I, shape.H, batch_first=True, bidirectional=shape.bidirectional
        )
        ours = _LAYERS[shape.kind].from_torch(theirs, backend=backend)
        x = torch.randn(shape.B, shape.T, shape.I)
        dy = torch.randn(shape.B, shape.T, width)
    return ours, theirs, x.requires_grad_(), dy


def _call(layer: nn.Module, x: Tensor, dy: Tensor, phase: str) -> Callable[[], list[Tensor]]:
    """A call that returns the output, and in training the gradients of x and of the weights."""
    wanted = [x, *layer.parameters()]

    def train() -> list[Tensor]:
        output = layer(x)[0]
        return [output, *torch.autograd.grad(output, wanted, dy)]

    @torch.inference_mode()
    def infer() -> list[Tensor]:
        return [layer(x)[0]]

    return train if phase == "training" else infer


def _check(shape: Shape, ours: nn.Module, theirs: nn.Module, x: Tensor, dy: Tensor) -> None:
    for phase in PHASES:
        pairs = zip(_call(ours, x, dy, phase)(), _call(theirs, x, dy, phase)(), strict=True)
        for index, (actual, expected) in enumerate(pairs):
            bound, far = BOUNDS[min(index, 1)], difference(actual, expected)
            if far > bound:
                rule = f"within {bound:.0e} of torch.nn in {phase}"
                raise BackendError(message("bench", str(shape), rule, f"{far:.1e} from it"))

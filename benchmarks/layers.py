"""Recurrent layers on ragged batches: training and inference against torch.nn, packed and padded.

Correctness is checked in the same run: outputs and all gradients of every peer agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import tidegate
from benchmarks.common import machine, median_seconds, parser, write


@dataclass(frozen=True)
class Case:
    """One shape: B rows of up to T steps, ragged between T // 6 and T."""

    name: str
    B: int
    T: int
    input_size: int
    hidden_size: int
    num_layers: int = 1
    bidirectional: bool = True


CASES = {
    "LSTM": [
        Case("bidirectional", 64, 400, 128, 128),
        Case("one direction", 64, 200, 128, 128, bidirectional=False),
        Case("small", 32, 60, 1, 50, bidirectional=False),
        Case("2 layers", 64, 400, 100, 256, num_layers=2),
    ],
    "GRU": [Case("bidirectional", 64, 200, 128, 128)],
    "RNN": [Case("bidirectional", 64, 200, 128, 128)],
}


def measure(kind: str, case: Case, repeats: int) -> dict[str, Any]:
    """Time one case on every peer, after checking that they compute the same."""
    torch.manual_seed(0)
    options: dict[str, Any] = {"batch_first": True, "bidirectional": case.bidirectional}
    theirs = getattr(nn, kind)(case.input_size, case.hidden_size, case.num_layers, **options)
    ours = getattr(tidegate.nn, kind).from_torch(theirs)
    x = torch.randn(case.B, case.T, case.input_size)
    lengths = torch.randint(case.T // 6, case.T + 1, (case.B,))
    lengths[0] = case.T

    def packed() -> Tensor:
        sequence = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(theirs(sequence)[0], batch_first=True)[0]

    peers: dict[str, tuple[Callable[[], Tensor], nn.Module]] = {
        "tidegate": (lambda: ours(x, lengths=lengths)[0], ours),
        "torch packed": (packed, theirs),
        "torch padded (wrong past each end)": (lambda: theirs(x)[0], theirs),
    }
    check(peers["tidegate"], peers["torch packed"])
    result: dict[str, Any] = {"kind": kind, "case": vars(case)}
    for name, (forward, _) in peers.items():
        result[name] = {
            "train_ms": 1e3 * median_seconds(lambda f=forward: f().sum().backward(), repeats),
            "infer_ms": 1e3 * median_seconds(torch.inference_mode()(forward), repeats),
        }
    return result


def check(
    ours: tuple[Callable[[], Tensor], nn.Module], theirs: tuple[Callable[[], Tensor], nn.Module]
) -> None:
    """Raise unless outputs and gradients of two peers agree within the bounds of float32."""
    outputs, gradients = [], []
    for forward, module in (ours, theirs):
        module.zero_grad()
        output = forward()
        # A weighted sum: the gradient of a plain sum would hide a swap of rows.
        (output * torch.linspace(-1, 1, output.numel()).view_as(output)).sum().backward()
        outputs.append(output.detach())
        gradients.append([parameter.grad.clone() for parameter in module.parameters()])
        module.zero_grad()
    pairs = [(outputs[0], outputs[1], 1e-5)]
    pairs += [(a, b, 1e-4) for a, b in zip(*gradients, strict=True)]
    for a, b, bound in pairs:
        difference = float((a - b).abs().max() / (1 + b.abs().max()))
        if difference > bound:
            raise AssertionError(f"results differ by {difference:.1e}, more than {bound:.0e}")


def main(arguments: list[str]) -> None:
    """Print a table of medians and ratios, and write results/layers.json."""
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=5, help="timings a case; default 5")
    options.add_argument("--only", default="", help="cases whose name contains this")
    chosen = options.parse_args(arguments)
    print(machine())
    print(f"{'':<22}{'B×T×I×H':>18}{'ours':>10}{'packed':>10}{'padded':>10}{'packed/ours':>13}")
    results = []
    for kind, cases in CASES.items():
        for case in (case for case in cases if chosen.only in case.name):
            result = measure(kind, case, chosen.repeats)
            results.append(result)
            shape = f"{case.B}×{case.T}×{case.input_size}×{case.hidden_size}"
            for phase in ("train_ms", "infer_ms"):
                ours, packed, padded = (r[phase] for r in list(result.values())[2:])
                label = f"{kind} {case.name} {phase[:5]}"
                ratio = f"{packed / ours:.1f}×"
                print(f"{label:<22.22}{shape:>18}{ours:>8.1f}ms{packed:>8.1f}ms", end="")
                print(f"{padded:>8.1f}ms{ratio:>13}")
    write(chosen.out, "layers", {"results": results})

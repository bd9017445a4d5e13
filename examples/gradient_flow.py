"""How far back does the gradient reach? RNN, GRU and LSTM on the same data, 400 steps.

    python examples/gradient_flow.py --out gradient_flow.png
    python examples/gradient_flow.py --train 300 --out trained.png

The table has what one step makes of the gradient: 0.5 halves it. `--train` first teaches each
network to recall the first step at the end of sequences of 10: then what was learned shows.
"""

from __future__ import annotations

import argparse

import torch
from torch import nn

from tidegate.explain import gradient_flow, plot_gradient_flows
from tidegate.nn import GRU, LSTM, RNN, Recurrent

D, H, T, B = 8, 64, 400, 8


def make_layers() -> dict[str, Recurrent]:
    """One size for all; only cells and initial values differ."""
    layers: dict[str, Recurrent] = {
        "RNN": RNN(D, H, batch_first=True),
        "GRU": GRU(D, H, batch_first=True),
        "LSTM": LSTM(D, H, batch_first=True),
        "LSTM, chrono": LSTM(D, H, batch_first=True, init="chrono", max_lag=T),
        "RNN, weights ×4": RNN(D, H, batch_first=True),
    }
    with torch.no_grad():
        layers["RNN, weights ×4"].weights(0)["weight_hh"].mul_(4)
    return layers


def train(layer: Recurrent, updates: int) -> float:
    """Teach a layer to tell at step 10 what the first number of step 1 was; return the loss."""
    head = nn.Linear(H, 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], 3e-3)
    for _ in range(updates):
        x = torch.randn(64, 10, D)
        output, _ = layer(x)
        loss = (head(output[:, -1])[:, 0] - x[:, 0, 0]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
        optimizer.step()
    return loss.item()


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="gradient_flow.png", help="default gradient_flow.png")
    parser.add_argument("--train", type=int, default=0, help="updates before; default 0")
    options = parser.parse_args()
    torch.manual_seed(0)
    layers = make_layers()
    if options.train:
        for name, layer in layers.items():
            print(f"{name}: loss {train(layer, options.train):.3f} (knowing nothing: 1)")
    x = torch.randn(B, T, D)
    flows = {name: gradient_flow(layer, x) for name, layer in layers.items()}
    print(f"{'network':<18}{'curve':<10}{'a step':>8}{'half-life':>14}{'R²':>8}   steps")
    for name, flow in flows.items():
        for line in flow.to_frame().itertuples():
            half = f"{line.half_life:.1f} steps" if line.factor < 1 else "grows"
            print(f"{name:<18}{line.curve:<10}{line.factor:>8.4f}{half:>14}", end="")
            print(f"{line.r2:>8.4f}   {line.first}-{line.last}")
    plot_gradient_flows(flows).savefig(options.out, dpi=110)
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()

"""Training throughput of a forecaster's network, beside the same network on torch.nn's layers."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from tidegate.data.forecast_batch import ForecastBatch
from tidegate.measure import Network
from tidegate.nn import Recurrent
from tidegate.tasks.forecast_network import build_forecaster_network
from tidegate.tasks.forecaster_settings import ForecasterSettings


class PlainLayer(nn.Module):
    """A torch.nn layer in the place of ours: same weights, same calls, windows of full length.

    Args:
        ours: The layer to stand in for.
    """

    def __init__(self, ours: Recurrent) -> None:
        super().__init__()
        layers = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
        self.bidirectional = ours.bidirectional
        self.layer = layers[ours.cell.name](
            ours.input_size,
            ours.hidden_size,
            ours.num_layers,
            batch_first=True,
            bidirectional=ours.bidirectional,
        )
        self.layer.load_state_dict(ours.state_dict())

    def forward(self, x: Tensor, hx: Any = None, *, lengths: Tensor | None = None) -> Any:
        """Run the layer; a training window is as long as the others, so nothing is packed."""
        return self.layer(x, hx)


def throughput(settings: Mapping[str, Any], batches: Sequence[ForecastBatch]) -> dict[str, float]:
    """Time training steps of both networks in turn, on the same batches.

    Args:
        settings: Those of a Forecaster with one of torch.nn's cells.
        batches: At least three, of one size, windows as long as the lookback; the first two warm
            up.

    Returns:
        Windows a second of ours and of the plain one (medians), how many times faster ours is, and
        how far their answers to the first batch are apart at most.
    """
    chosen = ForecasterSettings.from_dict(settings)
    targets = batches[0].values.shape[2]
    torch.manual_seed(0)
    ours = build_forecaster_network(chosen, features=targets, targets=targets)
    plain = copy.deepcopy(ours)
    plain.strategy._modules["recurrent"] = PlainLayer(ours.recurrent)
    networks: dict[str, Network] = {"tidegate": ours.eval(), "torch": plain.eval()}
    answers = [network(batches[0]).detach() for network in networks.values()]
    optimizers = {
        name: torch.optim.AdamW(network.parameters(), fused=True)
        for name, network in networks.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    for batch in batches:
        for name, network in networks.items():
            seconds[name].append(_step(network.train(), optimizers[name], batch))
    size = len(batches[0])
    speed = {name: size / statistics.median(found[2:]) for name, found in seconds.items()}
    ratio = speed["tidegate"] / speed["torch"]
    return {**speed, "times": ratio, "difference": float((answers[0] - answers[1]).abs().max())}


def _step(network: Network, optimizer: torch.optim.Optimizer, batch: ForecastBatch) -> float:
    start = time.perf_counter()
    loss, _ = network.learn(batch)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return time.perf_counter() - start

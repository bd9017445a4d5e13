"""Training throughput of a forecaster's network, beside the same network on torch.nn's layers."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.data.windows.batch import ForecastBatch
from tidegate.nn import Recurrent
from tidegate.tasks.forecast.network import ForecastNetwork, build_forecaster_network
from tidegate.tasks.forecast.settings import ForecasterSettings
from tidegate.tasks.forecast.strategies.segment import Segment
from tidegate.training.network import Network


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


class PlainSegment(Network):
    """SegRNN as its paper's authors write it in plain PyTorch: torch.nn's layers, repeated states.

    It has the weights of one of our networks, with windows of full length, independent targets and
    an absolute loss, and gives the same forecasts.

    Args:
        ours: The network to stand in for.
    """

    def __init__(self, ours: ForecastNetwork) -> None:
        super().__init__()
        strategy = copy.deepcopy(ours.strategy)
        assert isinstance(strategy, Segment)
        assert ours.reversion is not None
        self.segment, self.horizon = strategy.segment, strategy.horizon
        self.embedding, self.position = strategy.embedding, strategy.position
        self.channel, self.linear = strategy.context.channel, strategy.head.linear
        self.layer = PlainLayer(strategy.recurrent).layer
        self.dropout = nn.Dropout(strategy.head.dropout.p)
        self.share = nn.Parameter(ours.reversion.share.detach().clone())

    def forward(self, batch: Batch) -> Tensor:
        """Forecast, `[B, F, C, 1]`."""
        last = batch.values[:, -1:]
        rows = (batch.values - last).transpose(1, 2).flatten(0, 1)
        segments = F.relu(self.embedding(rows.view(len(rows), -1, self.segment)))
        _, state = self.layer(segments)
        count = len(self.position.weight)
        assert self.channel is not None
        channels = self.channel.weight.repeat(len(batch), 1)
        places = (self.position.weight + channels[:, None]).flatten(0, 1)[:, None]
        parts = state if isinstance(state, tuple) else (state,)
        repeated = tuple(part.repeat_interleave(count, 1) for part in parts)
        output, _ = self.layer(places, repeated if isinstance(state, tuple) else repeated[0])
        ahead = self.linear(self.dropout(output)).view(len(rows), -1)[:, : self.horizon]
        ahead = ahead + rows.mean(1, keepdim=True) * self.share
        forecasts: Tensor = ahead.view(len(batch), -1, self.horizon).transpose(1, 2) + last
        return forecasts[..., None]

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the mean absolute error."""
        assert batch.targets is not None
        return F.l1_loss(outputs[..., 0], batch.targets)


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
    networks: dict[str, Network] = {"tidegate": ours.eval(), "torch": _plain(ours).eval()}
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


def _plain(ours: ForecastNetwork) -> Network:
    """Write the same network in plain PyTorch, or where it is but a layer, put torch.nn's there."""
    if isinstance(ours.strategy, Segment):
        return PlainSegment(ours)
    plain = copy.deepcopy(ours)
    plain.strategy._modules["recurrent"] = PlainLayer(ours.recurrent)
    return plain


def _step(network: Network, optimizer: torch.optim.Optimizer, batch: ForecastBatch) -> float:
    start = time.perf_counter()
    loss, _ = network.learn(batch)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return time.perf_counter() - start

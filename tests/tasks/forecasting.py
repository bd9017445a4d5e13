"""Small networks of forecasters, and windows for them to read."""

from __future__ import annotations

import torch

from tidegate.data.windows.batch import ForecastBatch
from tidegate.tasks.forecast.network import build_forecaster_network
from tidegate.tasks.forecast.settings import ForecasterSettings

STRATEGIES = ("segment", "direct", "recursive", "encoder-decoder")
SMALL = {"lookback": 11, "horizon": 7, "segment": 3, "hidden_size": 6, "verbose": False}


def build(*, targets=2, known=0, others=0, static=0, **settings):
    torch.manual_seed(4)
    return build_forecaster_network(
        ForecasterSettings(**{**SMALL, **settings}),
        features=targets + known + others,
        targets=targets,
        known=known,
        static=static,
    ).eval()


def windows(rows=3, *, targets=2, known=0, others=0, static=0, future=7, lengths=None):
    torch.manual_seed(8)
    return ForecastBatch(
        torch.randn(rows, 11, targets + known + others),
        torch.tensor(lengths or [11] * rows),
        torch.randn(rows, future, targets),
        None,
        torch.randn(rows, future, known) if known else None,
        torch.randn(rows, static) if static else None,
    )


def peer(layer):
    """The layer of torch.nn with the same weights."""
    kind = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[layer.cell.name]
    found = kind(layer.input_size, layer.hidden_size, batch_first=True,
                 bidirectional=layer.bidirectional)  # fmt: skip
    found.load_state_dict(layer.state_dict())
    return found

"""Training a forecaster's network on windows that a benchmark cut itself, by official protocols."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.suite.series import Array, WindowRows
from tidegate.device import seeded
from tidegate.measure import Metrics, answers
from tidegate.tasks.forecast_network import ForecastNetwork, build_forecaster_network
from tidegate.tasks.forecaster_settings import ForecasterSettings
from tidegate.train import Plan, Training


@dataclass(frozen=True)
class Run:
    """A trained network and how it came about.

    Attributes:
        network: With the weights of the best epoch, or the last one without validation rows.
        seconds: Wall time of the training.
        epoch: The epoch whose weights were kept.
        validation: Its scores on the validation rows; empty without any.
    """

    network: ForecastNetwork
    seconds: float
    epoch: int
    validation: Metrics


def train(
    settings: Mapping[str, Any],
    rows: WindowRows,
    held: WindowRows | None,
    *,
    static: int = 0,
    callback: Callable[[Any], object] | None = None,
) -> Run:
    """Train the network that settings of a Forecaster ask for, as a Forecaster does."""
    chosen = ForecasterSettings.from_dict(settings)
    channels = rows.flat.shape[1]
    start = time.perf_counter()
    with seeded(chosen.random_state, torch.device("cpu")):
        network = build_forecaster_network(
            chosen, features=channels, targets=channels, static=static
        )
    plan = Plan(**{field.name: getattr(chosen, field.name) for field in fields(Plan)})
    callbacks = [callback] if callback else []
    training = Training(
        network, rows, held, plan, rank=lambda metrics: (-metrics["loss"],), callbacks=callbacks
    )
    training.run()
    row = training.history[training.best_epoch - 1]
    found = {
        name.removeprefix("validation_"): value
        for name, value in row.items()
        if name.startswith("validation_")
    }
    return Run(network.eval(), time.perf_counter() - start, training.best_epoch, found)


def forecasts(network: ForecastNetwork, rows: WindowRows) -> Array:
    """Forecast every window in order, `[rows, F, C]`: the mean."""
    parts = []
    for _, _, outputs in answers(network, rows):
        parts.append(network.head.answer(outputs)["mean"].numpy())
    return np.concatenate(parts)


def errors(answer: Callable[[Any], Tensor], rows: WindowRows) -> dict[str, float]:
    """Measure a forecast of batches, `[B, F, C]`, over all rows: `mse` and `mae`."""
    square, distance, count = 0.0, 0.0, 0
    for chosen in rows.in_order():
        batch = rows.batch(chosen)
        assert batch.targets is not None
        error = answer(batch) - batch.targets
        square += float(error.square().sum(dtype=torch.float64))
        distance += float(error.abs().sum(dtype=torch.float64))
        count += error.numel()
    return {"mse": square / count, "mae": distance / count}

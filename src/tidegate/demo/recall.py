"""Recall: one recurrent layer learns a problem of memory, and how many updates that takes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.datasets.memory_problems import MemoryProblem
from tidegate.device import building
from tidegate.nn import Recurrent, recurrent_layer
from tidegate.training.loop import Training, TrainingPlan
from tidegate.training.measure import measure
from tidegate.training.network import Network
from tidegate.training.progress import Event

# Updates between two looks at the held-out rows, and how many rows are looked at.
LOOK = 50
_SEEN, _FRESH = 500, 5000
_FEATURES = 64  # of the vector of a symbol


@dataclass(frozen=True)
class Variant:
    """A kind of recurrent layer.

    Attributes:
        name: What to call it in a table.
        cell: "lstm", "gru" or "rnn".
        options: Keyword-only options of the layer; `init="chrono"` gets its `max_lag` from the
            problem.
        rate: Its learning rate, as a multiple of the recipe's.

    Example:
        >>> Variant("GRU, chrono", "gru", {"init": "chrono"}).layer(3, 4, lag=20).options.max_lag
        20
    """

    name: str
    cell: str
    options: Mapping[str, Any] = field(default_factory=dict)
    rate: float = 1.0

    def layer(self, inputs: int, hidden_size: int, *, lag: int) -> Recurrent:
        """Build the layer.

        Args:
            inputs: D.
            hidden_size: H.
            lag: The longest wait of the problem, in steps.

        Returns:
            A layer that takes `[B, T, D]`.
        """
        options = dict(self.options)
        if options.get("init") == "chrono":
            options["max_lag"] = lag
        return recurrent_layer(self.cell, inputs, hidden_size, batch_first=True, **options)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train: one for all variants, or they could not be compared.

    Attributes:
        updates: Updates at most.
        learning_rate: Of AdamW without decay, the gradient's norm held to 1.
        schedule: See `schedule.rate`.
        hidden_size: H.
        batch_size: B.
        seed: Of the weights and of the rows.
    """

    updates: int
    learning_rate: float = 1e-2
    schedule: str = "constant"
    hidden_size: int = 128
    batch_size: int = 32
    seed: int = 0


@dataclass(frozen=True)
class Recollection:
    """How a variant did.

    Attributes:
        losses: Loss on held-out rows after every `LOOK` updates.
        loss: Loss on fresh rows, of the weights that did best on the held-out ones. (Of the digits
            there are no fresh ones: these are the held-out rows again.)
        accuracy: Share of the right answers on them; None where answers are values.
        seconds: Processor time it took.
    """

    losses: Sequence[float]
    loss: float
    accuracy: float | None
    seconds: float

    def updates_to(self, loss: float) -> int | None:
        """Say after how many updates the held-out loss first was below `loss`; None for never.

        Example:
            >>> Recollection([0.5, 0.1], 0.1, None, 3.0).updates_to(0.2)
            100
        """
        below = (index for index, value in enumerate(self.losses, 1) if value < loss)
        first = next(below, None)
        return None if first is None else first * LOOK


def learn(
    problem: MemoryProblem,
    variant: Variant,
    recipe: Recipe,
    *,
    until: float,
    callbacks: Sequence[Callable[[Event], object]] = (),
) -> Recollection:
    """Train a variant on a problem until it is solved, or out of updates.

    Args:
        problem: What to learn.
        variant: What is to learn it.
        recipe: How.
        until: The held-out loss below which it is solved.
        callbacks: Told of every update.

    Returns:
        How it went.
    """
    began = time.process_time()

    def solved(event: Event) -> bool:
        return event.kind == "epoch" and event.row["validation_loss"] < until

    with building(recipe.seed, torch.device("cpu")):
        network = RecallNetwork(problem, variant, recipe.hidden_size)
    training = Training(
        network,
        Supply(problem.sample, recipe.batch_size, LOOK, recipe.seed),
        Supply(problem.held_out, _SEEN, 1, recipe.seed + 1),
        TrainingPlan(
            epochs=-(-recipe.updates // LOOK),
            learning_rate=variant.rate * recipe.learning_rate,
            schedule=recipe.schedule,
            warmup=0.1,
            weight_decay=0.0,
            random_state=recipe.seed,
        ),
        rank=lambda metrics: (-metrics["loss"],),
        callbacks=(*callbacks, solved),
    )
    training.run()
    fresh = Supply(problem.held_out, _SEEN, _FRESH // _SEEN, recipe.seed + 2)
    found = measure(network, fresh).result()
    losses = [row["validation_loss"] for row in training.history]
    seconds = time.process_time() - began
    return Recollection(losses, found["loss"], found.get("accuracy"), seconds)


class Supply:
    """Rows without end for the training loop: those of a batch are drawn when it is asked for.

    Args:
        draw: `sample` or `held_out` of a problem.
        batch_size: B.
        batches: Batches of an epoch.
        seed: Seed of the rows.

    Example:
        >>> from tidegate.datasets import AddingProblem
        >>> supply = Supply(AddingProblem(6).sample, 4, 10, seed=0)
        >>> supply.batch(supply.epoch(2)[0]).values.shape
        torch.Size([4, 6, 2])
    """

    def __init__(
        self,
        draw: Callable[[int, np.random.Generator], tuple[Any, Any]],
        batch_size: int,
        batches: int,
        seed: int,
    ) -> None:
        self.draw, self.batch_size, self.batches, self.seed = draw, batch_size, batches, seed

    def __len__(self) -> int:
        return self.batch_size * self.batches

    def epoch(self, epoch: int) -> list[np.ndarray]:
        """Number the rows of an epoch, which are in no other one, and cut them into batches."""
        first = epoch * len(self)
        return np.array_split(np.arange(first, first + len(self)), self.batches)

    def in_order(self) -> list[np.ndarray]:
        """Return the batches of the first epoch."""
        return self.epoch(0)

    def batch(self, rows: np.ndarray) -> Batch:
        """Draw a batch; the same numbers give the same rows."""
        rng = np.random.default_rng([self.seed, int(rows[0])])
        values, targets = (torch.from_numpy(part) for part in self.draw(len(rows), rng))
        lengths = torch.full((len(values),), values.shape[1])
        return Batch(values, lengths, targets)

    def fingerprint(self) -> str:
        """Return what decides the rows."""
        return f"{self.draw.__self__!r} {self.batch_size} {self.batches} {self.seed}"  # type: ignore[attr-defined]


class RecallNetwork(Network):
    """A vector for each symbol, or the features as they are; one recurrent layer; a linear answer.

    Args:
        problem: What it is for.
        variant: The layer.
        hidden_size: H.
    """

    head: RecallHead
    recurrent: Recurrent

    def __init__(self, problem: MemoryProblem, variant: Variant, hidden_size: int) -> None:
        super().__init__()
        width = _FEATURES if problem.symbolic else problem.inputs
        self.embedding = nn.Embedding(problem.inputs, width) if problem.symbolic else nn.Identity()
        self.recurrent = variant.layer(width, hidden_size, lag=problem.lag)
        self.head = RecallHead(hidden_size, problem.outputs)

    def forward(self, batch: Batch) -> Tensor:
        """Answer after the last step, `[B, C]`, or at every one, `[B, T, C]`, as the targets do."""
        assert batch.targets is not None
        output, _ = self.recurrent(self.embedding(batch.values))
        answers: Tensor = self.head(output if batch.targets.ndim == 2 else output[:, -1])
        return answers


class RecallHead(nn.Linear):
    """A linear answer: values, or the scores of classes."""

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the mean squared error of values, the cross entropy of classes."""
        assert batch.targets is not None
        if outputs.shape[-1] == 1:
            return F.mse_loss(outputs[..., 0], batch.targets)
        return F.cross_entropy(outputs.flatten(0, -2), batch.targets.flatten())

    def answer(self, outputs: Tensor) -> Tensor:
        """Return values as they are, and of classes the most probable ones."""
        return outputs[..., 0] if outputs.shape[-1] == 1 else outputs.argmax(-1)

    def meter(self) -> RecallMeter:
        """Return a meter of this loss."""
        return RecallMeter(self)


class RecallMeter:
    """Adds up the loss, and for classes the share of right answers.

    Args:
        head: Whose loss.
    """

    def __init__(self, head: RecallHead) -> None:
        self._head = head
        self._rows, self._loss, self._right = 0, 0.0, 0.0

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Add a batch."""
        assert batch.targets is not None
        self._rows += len(outputs)
        self._loss += len(outputs) * float(self._head.loss(outputs, batch))
        right = (self._head.answer(outputs) == batch.targets).float().mean()
        self._right += len(outputs) * float(right)

    def result(self) -> dict[str, float]:
        """Return `loss`, and `accuracy` where answers are classes."""
        found = {"loss": self._loss / self._rows}
        if self._head.out_features > 1:
            found["accuracy"] = self._right / self._rows
        return found

    def state(self) -> dict[str, Tensor]:
        """Return the sums, for a checkpoint."""
        return {"sums": torch.tensor([self._rows, self._loss, self._right], dtype=torch.float64)}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take back the sums."""
        rows, self._loss, self._right = state["sums"].tolist()
        self._rows = int(rows)

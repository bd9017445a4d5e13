"""A task written by the steps of CONTRIBUTING.md alone: a number for a sequence of numbers.

It learns the adding problem (Hochreiter & Schmidhuber 1997, section 5.4): each step is a number
and a mark, and the answer is the sum of the marked numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.data import Buckets, Rows
from tidegate.data.fingerprint import fingerprint
from tidegate.errors import InputError, message
from tidegate.tasks.core.examples import Examples
from tidegate.tasks.core.settings.option import changed, setting
from tidegate.tasks.core.settings.settings import Settings, build_layer
from tidegate.tasks.core.task import Task
from tidegate.training.measure import answers
from tidegate.training.network import Network


@dataclass(frozen=True, kw_only=True)
class AdderSettings(Settings):
    """The settings of an Adder."""

    hidden_size: int = changed(Settings, "hidden_size", 16)
    scale: bool = setting(True, help="Bring the targets to mean 0 and deviation 1.")


class SquareMeter:
    """Adds up squared errors, of targets that were scaled."""

    def __init__(self, deviation: float) -> None:
        self.deviation = deviation
        self.sums = torch.zeros(2, dtype=torch.float64)

    def update(self, outputs: Tensor, batch: Batch) -> None:
        assert batch.targets is not None
        errors = (outputs.double() - batch.targets).square().sum().cpu()
        self.sums += torch.stack([errors, torch.tensor(float(len(batch)))])

    def result(self) -> dict[str, float]:
        loss = float(self.sums[0] / self.sums[1])
        return {"loss": loss, "mse": loss * self.deviation**2}

    def state(self) -> dict[str, Tensor]:
        return {"sums": self.sums.clone()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        self.sums = state["sums"].cpu()


class AdderHead(nn.Linear):
    """A line, in units of the targets' deviation."""

    def __init__(self, features: int, deviation: float) -> None:
        super().__init__(features, 1)
        self.deviation = deviation

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        assert batch.targets is not None
        return F.mse_loss(outputs, batch.targets.float())

    def meter(self) -> SquareMeter:
        return SquareMeter(self.deviation)

    def answer(self, outputs: Tensor) -> Tensor:
        return outputs * self.deviation


class AdderNetwork(Network):
    """A recurrent stack, and a line on its last state."""

    def __init__(self, recurrent: nn.Module, size: int, deviation: float) -> None:
        super().__init__()
        self.recurrent, self.head = recurrent, AdderHead(size, deviation)

    def forward(self, batch: Batch) -> Tensor:
        output, _ = self.recurrent(batch.values, lengths=batch.lengths)
        last = (batch.lengths - 1).clamp(min=0)
        return self.head(output[torch.arange(len(batch)), last])[:, 0]


class Sequences:
    """Rows of `[T, 2]` numbers, as `Rows` serves them."""

    def __init__(self, rows: list[np.ndarray]) -> None:
        self.lengths = np.array([len(row) for row in rows], np.int64)
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def fingerprint(self) -> str:
        return fingerprint(*self.rows)

    def batch(self, indices: np.ndarray) -> Batch:
        chosen = [torch.from_numpy(self.rows[row]) for row in indices]
        values = nn.utils.rnn.pad_sequence(chosen, batch_first=True)
        return Batch(values, torch.from_numpy(self.lengths[indices]))


class Adder(Task):
    """Adds up the marked numbers of a sequence.

    Attributes:
        mean_: Mean of the training targets.
        deviation_: Their standard deviation.
    """

    settings_class = AdderSettings
    roles: ClassVar[Mapping[str, str]] = {
        "sequence": "Column of the sequences: numbers with spaces between, * after a marked one.",
        "total": "Column of the sums.",
    }
    input_role = "sequence"
    target_role = "total"
    encoder_files = ("scale.json",)

    settings_: AdderSettings
    mean_: float
    deviation_: float

    def predict(self, X: Any) -> np.ndarray:
        """Answer the sum of each row."""
        self._check_fitted()
        loader = self._loader(self._examples(X, None, None), training=False)
        result = np.zeros(len(loader))
        for rows, _, outputs in answers(self.network_, loader):
            result[rows] = self.network_.head.answer(outputs).cpu().numpy() + self.mean_
        return result

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return minus the mean squared error."""
        return -float(self.evaluate(X, y)["mse"])

    def _examples(self, X: Any, y: Any, sample_weight: Any) -> Examples:
        rows = [_parse(text, row) for row, text in enumerate(X)]
        return Examples(rows, None if y is None else np.asarray(y, dtype=np.float64))

    def _learn(self, examples: Examples) -> None:
        targets = examples.targets
        if targets is None:
            raise InputError(message("Adder", "y", "given: one sum a row", None))
        scaled = self.settings_.scale
        self.mean_ = float(targets.mean()) if scaled else 0.0
        self.deviation_ = float(targets.std()) if scaled else 1.0

    def _loader(self, examples: Examples, *, training: bool) -> Rows[Sequences]:
        targets = examples.targets
        scaled = None if targets is None else (targets - self.mean_) / self.deviation_
        encoded, settings = Sequences(list(examples.inputs)), self.settings_
        order = Buckets(encoded.lengths, settings.batch_size, seed=settings.random_state)
        return Rows(encoded, order, scaled)

    def _build(self) -> AdderNetwork:
        layer = build_layer(self.settings_, 2)
        return AdderNetwork(layer, layer.output_size, self.deviation_)

    def _files(self) -> dict[str, Any]:
        return {"scale.json": {"mean": self.mean_, "deviation": self.deviation_}}

    def _restore(self, state: Mapping[str, Any], files: Mapping[str, Any]) -> None:
        super()._restore(state, files)
        self.mean_ = float(files["scale.json"]["mean"])
        self.deviation_ = float(files["scale.json"]["deviation"])


def _parse(text: str, row: int) -> np.ndarray:
    try:
        steps = [(float(part.rstrip("*")), float(part.endswith("*"))) for part in text.split()]
    except (ValueError, AttributeError) as error:
        rule = "numbers with spaces between, * after a marked one"
        raise InputError(message("Adder", "X", rule, f"{text!r} in row {row}")) from error
    return np.array(steps, np.float32).reshape(-1, 2)

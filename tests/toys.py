"""A network, its rows and its loader, small enough to follow by hand."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from tidegate.batch import Batch
from tidegate.heads import ClassifyHead
from tidegate.training.network import Network


class ToyNetwork(Network):
    """A classifier of single steps: dropout, a hidden layer, a head, and an unused embedding."""

    def __init__(self, dropout: float = 0.3, seed: int = 1) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.table = nn.Embedding(5, 3)
        self.hidden = nn.Linear(3, 4)
        self.dropout = nn.Dropout(dropout)
        self.head = ClassifyHead(4, 2)

    def forward(self, batch: Batch) -> Tensor:
        features = torch.tanh(self.hidden(self.table(batch.values[:, 0])))
        return self.head(self.dropout(features))


class ToyRows:
    """Rows of one id each; the class says whether the id is above 2, with some noise."""

    def __init__(self, rows: int = 23, batch_size: int = 5, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.ids = torch.from_numpy(rng.integers(0, 5, (rows, 1)))
        noise = torch.from_numpy(rng.random(rows) < 0.1)
        self.targets = ((self.ids[:, 0] > 2) ^ noise).long()
        self.batch_size, self.seed = batch_size, seed

    def __len__(self) -> int:
        return len(self.ids)

    def epoch(self, epoch: int) -> list[np.ndarray]:
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self))
        return [order[i : i + self.batch_size] for i in range(0, len(self), self.batch_size)]

    def in_order(self) -> list[np.ndarray]:
        return np.array_split(np.arange(len(self)), 3)

    def batch(self, rows: np.ndarray) -> Batch:
        ones = torch.ones(len(rows), dtype=torch.int64)
        return Batch(self.ids[rows], ones, self.targets[rows])

    def fingerprint(self) -> str:
        return f"{self.ids.tolist()} {self.targets.tolist()}"

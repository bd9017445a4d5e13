"""Small networks for the doctor: a sound one, and what takes one thing of it away."""

from __future__ import annotations

from typing import Any

import torch

from tidegate.batch import Batch
from tidegate.explain.doctor.case import Case, CheckResult, Finding, Skip
from tidegate.nn import recurrent_layer
from tidegate.nn.blocks.embedding import Embedding
from tidegate.tasks.text.network import TextNetwork

WORDS = 60
HIDDEN = 16


def network(cell: str = "lstm", hidden: int = HIDDEN, layers: int = 2, **options: Any):
    """An untrained network whose word vectors are large enough to move every unit."""
    options = {"bidirectional": True, "batch_first": True} | options
    layer = recurrent_layer(cell, 12, hidden, layers, **options)
    made = TextNetwork(Embedding(WORDS, 12), layer, "mean+max", 2).eval()
    with torch.no_grad():
        made.embedding.words.weight[1:].mul_(10)
        made.head.linear.weight.mul_(5)
        # An untrained network tends to one answer: let it give each about as often.
        scores = made(batch(40, seed=2))
        made.head.linear.bias[0] += (scores[:, 1] - scores[:, 0]).median()
    return made


def batch(rows: int = 24, steps: int = 15, *, seed: int = 0, shortest: int = 3) -> Batch:
    """Ragged rows of random words, of two classes in turns."""
    draw = torch.Generator().manual_seed(seed)
    lengths = torch.randint(shortest, steps + 1, (rows,), generator=draw)
    values = torch.randint(2, WORDS, (rows, steps), generator=draw)
    values[torch.arange(steps) >= lengths[:, None]] = 0
    return Batch(values, lengths, torch.arange(rows) % 2)


HISTORY = [
    {"epoch": 1, "train_loss": 0.60, "validation_loss": 0.58},
    {"epoch": 2, "train_loss": 0.40, "validation_loss": 0.41},
    {"epoch": 3, "train_loss": 0.36, "validation_loss": 0.40},
]


def case(net: TextNetwork | None = None, **more: Any) -> Case:
    """What is known of a network after a sound training."""
    known: dict[str, Any] = {
        "batches": [batch(), batch(17, 9, seed=1)],
        "history": HISTORY,
        "best_epoch": 3,
        "classes": ["no", "yes"],
        "words": Batch(torch.arange(WORDS)[None], torch.tensor([WORDS])),
        "vocabulary": WORDS - 2,
    }
    return Case(network=net or network(), **(known | more))


def found(outcome: CheckResult) -> Finding:
    """The finding that a check made."""
    assert isinstance(outcome, Finding), outcome
    return outcome


def why(outcome: CheckResult) -> str:
    """The reason for which a check was not made."""
    assert isinstance(outcome, Skip), outcome
    return outcome.reason

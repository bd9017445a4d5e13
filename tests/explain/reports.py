"""Reports made by hand, of an untrained layer and numbers one can follow."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from tidegate.explain import Attribution, memory
from tidegate.explain.report.excerpt import Excerpt
from tidegate.explain.report.report import Report
from tidegate.nn import Recurrent, recurrent_layer


def attribution(tokens: Sequence[str], method: str, target: int = 1) -> Attribution:
    """Scores 0.1, −0.2, 0.3, …, which add up to the change of the output."""
    steps = torch.arange(1, len(tokens) + 1, dtype=torch.float32)
    scores = 0.1 * steps * (1 - 2 * (steps % 2 == 0))
    total = scores.sum()
    return Attribution(
        method,
        scores[None],
        target=torch.tensor([target]),
        output=total[None] + 0.5,
        baseline=torch.tensor([0.5]),
        lengths=torch.tensor([len(tokens)]),
        asked=torch.tensor([64]),
        labels=(tuple(tokens),),
        names=("no", "yes"),
    )


def report(
    tokens: Sequence[str] = ("so", "good", ",", "is", "it", "?"),
    *,
    layer: Recurrent | None = None,
    excerpt: Excerpt | None = None,
    probabilities: dict[str, float] | None = None,
    prediction: str = "yes",
    methods: Sequence[str] = ("integrated gradients", "gates"),
) -> Report:
    """A report on tokens, by default of a bidirectional LSTM with four units."""
    layer = layer or recurrent_layer("lstm", 2, 4, bidirectional=True)
    trace = layer.trace(3 * torch.randn(len(tokens), 1, 2)).labelled([tokens])
    return Report(
        model="a model",
        prediction=prediction,
        probabilities=probabilities or {"no": 0.25, "yes": 0.75},
        attributions=tuple(attribution(tokens, method) for method in methods),
        trace=trace,
        memory=memory(trace) if trace.gates else None,
        excerpt=excerpt or Excerpt(),
    )

"""Classify: one of C classes for each row."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.batch import Batch


class ClassifyHead(nn.Module):
    """Linear scores, trained by cross entropy.

    Axis letters: B rows, F features, C classes.

    p = softmax(W x + b); the loss of a row is -sum_c q_c log p_c, where q is 1 for the true class,
    or (1 - s) with s shared by all classes under label smoothing s (Szegedy et al. 2016, sect. 7).

    Args:
        features: F.
        classes: C, at least 2.
        label_smoothing: s, from 0 to 1; default 0.

    Attributes:
        class_weights: How much each class counts in the loss, `[C]`, or None; set before training.

    Example:
        >>> head = ClassifyHead(4, 3)
        >>> head.answer(head(torch.zeros(2, 4))).shape
        torch.Size([2, 3])
    """

    class_weights: Tensor | None

    def __init__(self, features: int, classes: int, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.linear = nn.Linear(features, classes)
        # Not persistent: it belongs to the training data, a saved model does not need it.
        self.register_buffer("class_weights", None, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Score the classes.

        Args:
            features: `[B, F]`.

        Returns:
            Scores before the softmax, `[B, C]`.
        """
        scores: Tensor = self.linear(features)
        return scores

    def loss(self, scores: Tensor, batch: Batch, *, label_smoothing: float | None = None) -> Tensor:
        """Return the mean over rows of weight times cross entropy.

        Args:
            scores: `[B, C]`.
            batch: With `targets` `[B]` int64, and `weights` `[B]` or None.
            label_smoothing: s for this call; None takes the head's.

        Returns:
            A scalar.
        """
        assert batch.targets is not None
        smoothing = self.label_smoothing if label_smoothing is None else label_smoothing
        losses = F.cross_entropy(scores, batch.targets, reduction="none", label_smoothing=smoothing)
        if self.class_weights is not None:
            losses = losses * self.class_weights[batch.targets]
        if batch.weights is not None:
            losses = losses * batch.weights
        # Divided by the rows, not by their weights: a batch of light rows should count little.
        return losses.mean()

    def answer(self, scores: Tensor) -> Tensor:
        """Return probabilities `[B, C]`; each row adds up to 1."""
        return torch.softmax(scores, -1)

    def meter(self) -> ClassifyMeter:
        """Return a new meter for this number of classes."""
        return ClassifyMeter(self.linear.out_features)


def count_pairs(table: Tensor, cells: Tensor, weights: Tensor) -> None:
    """Add weights to cells of a table, of whose size nothing else is made.

    Args:
        table: `[C, C]` float64, changed in place.
        cells: Row times C plus column, `[N]` int64.
        weights: `[N]` float64.

    Example:
        >>> table = torch.zeros(2, 2, dtype=torch.float64)
        >>> count_pairs(table, torch.tensor([1, 3, 1]), torch.ones(3, dtype=torch.float64))
        >>> table.tolist()
        [[0.0, 2.0], [0.0, 1.0]]
    """
    found, places = cells.unique(return_inverse=True)
    table.view(-1)[found] += torch.bincount(places, weights)


class ClassifyMeter:
    """Adds up loss and confusion matrix over batches.

    The loss is the plain cross entropy (`sklearn.metrics.log_loss`): without class weights and
    label smoothing, so that training and validation, and models, can be compared.

    Args:
        classes: C.

    Attributes:
        confusion: Weight of the rows by true class (first axis) and answered class, `[C, C]`.

    Example:
        >>> meter = ClassifyMeter(2)
        >>> meter.update(torch.tensor([[9.0, 0.0]]),
        ...              Batch(torch.zeros(1, 1), torch.ones(1), torch.tensor([0])))
        >>> meter.result()["accuracy"]
        1.0
    """

    def __init__(self, classes: int) -> None:
        self.confusion = torch.zeros(classes, classes, dtype=torch.float64)
        self._loss = torch.zeros((), dtype=torch.float64)

    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Add a batch.

        Args:
            outputs: Scores `[B, C]`.
            batch: With `targets`, and `weights` or None.
        """
        assert batch.targets is not None
        scores, targets = outputs.float().cpu(), batch.targets.cpu()
        weights = torch.ones(len(scores)) if batch.weights is None else batch.weights.cpu()
        weights = weights.double()
        losses = F.cross_entropy(scores, targets, reduction="none").double()
        self._loss += (losses * weights).sum()
        classes = len(self.confusion)
        count_pairs(self.confusion, targets * classes + scores.argmax(1), weights)

    def result(self) -> dict[str, float]:
        """Return `loss`, `accuracy` and `macro_f1` over everything added."""
        total = float(self.confusion.sum())
        _, _, f1, present = self.by_class()
        return {
            "loss": float(self._loss) / total,
            "accuracy": float(self.confusion.trace()) / total,
            "macro_f1": float(f1[present].mean()),
        }

    def by_class(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return precision, recall and F1 `[C]`, and which classes are true or answered at all.

        A score that divides by nothing is 0, as in scikit-learn.
        """
        hits = self.confusion.diagonal()
        true, answered = self.confusion.sum(1), self.confusion.sum(0)
        tiny = torch.finfo(torch.float64).tiny
        precision, recall = hits / answered.clamp(min=tiny), hits / true.clamp(min=tiny)
        f1 = 2 * hits / (true + answered).clamp(min=tiny)
        return precision, recall, f1, true + answered > 0

    def state(self) -> dict[str, Tensor]:
        """Return the sums, for a checkpoint."""
        return {"confusion": self.confusion.clone(), "loss": self._loss.clone()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take back the sums that `state` returned."""
        self.confusion, self._loss = state["confusion"].cpu(), state["loss"].cpu()

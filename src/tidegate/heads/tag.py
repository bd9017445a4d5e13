"""Tag: one of K tags for each step, as a chain or one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tidegate.batch import Batch
from tidegate.data.tags.schemes import Span, read_spans
from tidegate.heads.classify import count_pairs
from tidegate.nn.blocks.crf import LinearChainCRF


class TagHead(nn.Module):
    """Linear scores of the tags at each step, and a chain of tags over them.

    Axis letters: B rows, T steps, F features, K tags.

    With `crf` the loss of a row is -log p(y) of a `LinearChainCRF`; without it the tags are
    independent, -sum_t log softmax(e_t)[y_t], and the chain only keeps answers valid.

    Args:
        features: F.
        tags: The tags, index = id.
        spans: Whether tags are written as spans, "B-PER" say.
        allowed: Which tags may follow which, `[K + 1, K + 1]` bool, see `LinearChainCRF`.
        crf: Whether transitions are learned.

    Example:
        >>> head = TagHead(4, ["O", "X"], spans=False)
        >>> scores, lengths = head(torch.zeros(2, 3, 4)), torch.tensor([3, 1])
        >>> scores.shape, head.answer(scores, lengths).shape
        (torch.Size([2, 3, 2]), torch.Size([2, 3]))
    """

    def __init__(
        self,
        features: int,
        tags: Sequence[str],
        *,
        spans: bool,
        allowed: Tensor | None = None,
        crf: bool = True,
    ) -> None:
        super().__init__()
        self.tags, self.spans, self.crf = list(tags), spans, crf
        self.linear = nn.Linear(features, len(tags))
        self.chain = LinearChainCRF(len(tags), allowed=allowed)
        self.chain.requires_grad_(crf)

    def forward(self, features: Tensor) -> Tensor:
        """Score the tags of each step: `[B, T, F]` to `[B, T, K]`."""
        scores: Tensor = self.linear(features)
        return scores

    def losses(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return -log p of the tags of each row, added up over its steps, `[B]`.

        Args:
            scores: `[B, T, K]`.
            batch: With `targets` `[B, T]` int64.
        """
        assert batch.targets is not None
        if self.crf:
            return -self.chain.log_likelihood(scores, batch.lengths, batch.targets)
        each = F.cross_entropy(scores.transpose(1, 2), batch.targets, reduction="none")
        return each.masked_fill(~batch.mask, 0.0).sum(1)

    def loss(self, scores: Tensor, batch: Batch) -> Tensor:
        """Return the weighted sum of the rows' losses, divided by the steps of the batch."""
        losses = self.losses(scores, batch)
        if batch.weights is not None:
            losses = losses * batch.weights
        return losses.sum() / max(1, batch.steps)

    def answer(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """Return the best row of tags that is valid, `[B, T]` int64; 0 past a row's end."""
        return self.chain.decode(scores if self.crf else torch.log_softmax(scores, -1), lengths)

    def marginals(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """Return how probable each tag is at each step, `[B, T, K]`; 0 past a row's end."""
        return self.chain.marginals(scores if self.crf else torch.log_softmax(scores, -1), lengths)

    def confidences(
        self, scores: Tensor, lengths: Tensor, tags: Tensor, spans: Sequence[Sequence[Span]]
    ) -> Tensor:
        """Return how probable it is that all tags of a span are as answered.

        Args:
            scores: `[B, T, K]`.
            lengths: `[B]` int64.
            tags: What `answer` returned.
            spans: Those of each row.

        Returns:
            One for each span, those of the first row first, `[S]`.
        """
        places = [(row, span.first, span.last) for row, found in enumerate(spans) for span in found]
        where = torch.tensor(places, dtype=torch.int64, device=tags.device).view(-1, 3).T
        given = scores if self.crf else torch.log_softmax(scores, -1)
        found = self.chain.span_log_probabilities(given, lengths, tags, tuple(where))
        return found.exp().clamp(max=1.0)

    def meter(self) -> TagMeter:
        """Return a new meter for these tags."""
        return TagMeter(self)


class TagMeter:
    """Adds up loss, right tags and right spans over batches.

    `loss` is in nats a step. `precision`, `recall` and `f1` count whole spans: one is right if its
    first and last step and its label are, as in the CoNLL-2003 shared task.

    Args:
        head: Whose scores are measured.

    Attributes:
        confusion: Steps by true tag (first axis) and answered tag, `[K, K]`, or weight of them.
        counts: True spans, answered spans and right ones by label, `[labels, 3]`.
        labels: What the spans are, sorted.

    Example:
        >>> meter = TagHead(1, ["O", "S-X"], spans=True).meter()
        >>> meter.update(torch.tensor([[[0.0, 9.0], [9.0, 0.0]]]),
        ...              Batch(torch.zeros(1, 2), torch.tensor([2]), torch.tensor([[1, 0]])))
        >>> meter.result()["f1"]
        1.0
    """

    def __init__(self, head: TagHead) -> None:
        self.head = head
        count = len(head.tags)
        self.confusion = torch.zeros(count, count, dtype=torch.float64)
        names = {tag.partition("-")[2] for tag in head.tags} - {""} if head.spans else set()
        self.labels = sorted(names)
        self.counts = torch.zeros(len(self.labels), 3, dtype=torch.float64)
        self._loss = torch.zeros((), dtype=torch.float64)

    @torch.no_grad()
    def update(self, outputs: Tensor, batch: Batch) -> None:
        """Add a batch.

        Args:
            outputs: Scores `[B, T, K]`.
            batch: With `targets`, and `weights` or None.
        """
        assert batch.targets is not None
        scores = outputs.float()
        weights = torch.ones(len(batch)) if batch.weights is None else batch.weights.cpu()
        losses = self.head.losses(scores, batch).cpu().double()
        self._loss += losses @ weights.double()
        answers, mask = self.head.answer(scores, batch.lengths).cpu(), batch.mask.cpu()
        targets, count = batch.targets.cpu(), len(self.confusion)
        cells = (targets * count + answers)[mask]
        share = weights.double()[:, None].expand(mask.shape)[mask]
        count_pairs(self.confusion, cells, share)
        if self.labels:
            self._count_spans(targets, answers, batch.lengths.tolist(), weights.tolist())

    def _count_spans(
        self, targets: Tensor, answers: Tensor, lengths: list[int], weights: list[float]
    ) -> None:
        tags, place = self.head.tags, {label: row for row, label in enumerate(self.labels)}
        found = {label: [0.0, 0.0, 0.0] for label in self.labels}
        rows = zip(targets.tolist(), answers.tolist(), lengths, weights, strict=True)
        for true, answered, length, weight in rows:
            spans = {*read_spans([tags[tag] for tag in true[:length]])}
            given = {*read_spans([tags[tag] for tag in answered[:length]])}
            for column, each in enumerate((spans, given, spans & given)):
                for span in each:
                    found[span.label][column] += weight
        for label, counts in found.items():
            self.counts[place[label]] += torch.tensor(counts, dtype=torch.float64)

    def result(self) -> dict[str, float]:
        """Return `loss`, of all spans `f1`, `precision` and `recall`, and `accuracy`."""
        total = max(float(self.confusion.sum()), torch.finfo(torch.float64).tiny)
        scores = {"loss": float(self._loss) / total}
        if self.head.spans:  # progress shows the first score: of spans, the one that counts
            precision, recall, f1 = _scores(self.counts.sum(0, keepdim=True))
            scores |= {"f1": float(f1), "precision": float(precision), "recall": float(recall)}
        return scores | {"accuracy": float(self.confusion.trace()) / total}

    def by_class(self) -> dict[str, dict[str, float]]:
        """Return precision, recall, F1 and support of each label, or of each tag without spans.

        A score that divides by nothing is 0, as in seqeval.
        """
        counts, names = self.counts, self.labels
        if not self.head.spans:
            hits, names = self.confusion.diagonal(), self.head.tags
            counts = torch.stack([self.confusion.sum(1), self.confusion.sum(0), hits], 1)
        columns: Any = zip(names, *_scores(counts), counts[:, 0], strict=True)
        keys = ("precision", "recall", "f1", "support")
        return {name: dict(zip(keys, map(float, scores), strict=True)) for name, *scores in columns}

    def state(self) -> dict[str, Tensor]:
        """Return the sums, for a checkpoint."""
        counts = {"confusion": self.confusion, "counts": self.counts, "loss": self._loss}
        return {name: tensor.clone() for name, tensor in counts.items()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take back the sums that `state` returned."""
        self.confusion, self.counts = state["confusion"].cpu(), state["counts"].cpu()
        self._loss = state["loss"].cpu()


def _scores(counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Precision, recall and F1 `[N]` from true, answered and right ones, `[N, 3]`."""
    true, answered, right = counts.unbind(1)
    tiny = torch.finfo(counts.dtype).tiny
    precision, recall = right / answered.clamp(min=tiny), right / true.clamp(min=tiny)
    return precision, recall, 2 * right / (true + answered).clamp(min=tiny)
